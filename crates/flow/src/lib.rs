//! The hops in order: the file to read first.
