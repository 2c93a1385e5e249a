//! Definitions of orchestrators: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/definition.rs"]
mod definition;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| definition::body(bytes));
