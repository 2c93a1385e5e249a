//! Quoting for commands that people paste.
