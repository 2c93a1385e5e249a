//! A private registry that refuses what the verdict denies.
