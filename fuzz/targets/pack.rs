//! The index of feeds and its chunks: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/pack.rs"]
mod pack;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| pack::body(bytes));
