//! Dockerfiles: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/dockerfile.rs"]
mod dockerfile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dockerfile::body(bytes));
