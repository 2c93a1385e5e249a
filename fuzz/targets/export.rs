//! Records in every format: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/export.rs"]
mod export;

libfuzzer_sys::fuzz_target!(|data: &[u8]| export::body(data));
