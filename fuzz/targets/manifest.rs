//! Manifests and indexes: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/manifest.rs"]
mod manifest;

libfuzzer_sys::fuzz_target!(|data: &[u8]| manifest::body(data));
