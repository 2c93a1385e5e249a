//! Package files, databases and executables: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/ecosystem.rs"]
mod ecosystem;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ecosystem::body(data));
