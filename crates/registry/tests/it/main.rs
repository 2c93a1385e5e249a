//! The registry as clients see it.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests say what they expect in the plainest way"
)]

mod access;
mod api;
mod attributes;
mod bases;
mod garbage;
mod gate;
mod life;
mod musts;
mod mutations;
mod peers;
mod people;
mod pulls;
mod quarantine;
mod reopening;
mod retention;
mod transfers;
mod upstream;
mod world;
