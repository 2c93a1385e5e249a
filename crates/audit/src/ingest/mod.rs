//! What other systems report about themselves, as records.
