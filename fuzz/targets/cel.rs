//! See the body.
#![no_main]

#[path = "../bodies/cel.rs"]
mod cel;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| cel::body(&String::from_utf8_lossy(bytes)));
