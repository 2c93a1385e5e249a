//! What the registry holds, and what it does on its own.

pub(crate) mod repositories;
pub(crate) mod repository;
