//! Blobs in content-addressed files and facts in SQLite.
