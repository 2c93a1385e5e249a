//! Ranges of pulls and of chunks: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/range.rs"]
mod range;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| range::body(bytes));
