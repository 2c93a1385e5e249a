//! Events of other systems: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/ingest.rs"]
mod ingest;

libfuzzer_sys::fuzz_target!(|data: &[u8]| ingest::body(data));
