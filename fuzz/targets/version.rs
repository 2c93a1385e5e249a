//! Orders of versions: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/version.rs"]
mod version;

libfuzzer_sys::fuzz_target!(|data: &[u8]| version::body(data));
