//! Tests through the public interface.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects in the plainest way"
)]

mod cases;
mod examples;
mod labelled;
mod mutations;
