//! Semantic versions.
