//! What speaks Docker: Compose files and Swarm stacks, `docker inspect`, and the words that they share.

pub(crate) mod compose;
mod extends;
pub(crate) mod inspect;
mod interpolation;
pub(crate) mod words;
