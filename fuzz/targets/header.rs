//! Headers of registries: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/header.rs"]
mod header;

libfuzzer_sys::fuzz_target!(|data: &[u8]| header::body(data));
