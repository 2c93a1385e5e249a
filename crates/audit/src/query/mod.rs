//! Filters over records.
