//! Tests of the audit crate from outside, each area a file.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects in the plainest way"
)]

mod export;
mod ingest;
mod log;
mod mutations;
mod query;
mod queue;
mod record;
mod samples;
