//! Snapshot files: the body is also an ordinary test, over damaged files.
#![no_main]

#[path = "../bodies/snapshot.rs"]
mod snapshot;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| snapshot::body(bytes));
