//! Layers: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/layer.rs"]
mod layer;

libfuzzer_sys::fuzz_target!(|data: &[u8]| layer::body(data));
