//! The image hop, from bytes to tree.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "what tests share may be as blunt as tests"
)]

mod extracts;
mod fuzzed;
mod hashed;
mod hostile;
mod odd;
mod overlay;
mod platform;
mod registry;
mod remote;
mod tables;
mod tar;
mod transports;
mod tree;
mod unpack;
