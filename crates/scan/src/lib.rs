//! A tree to its catalog, a catalog to its findings.
pub mod format;
