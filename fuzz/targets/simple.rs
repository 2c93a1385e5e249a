//! Payloads of cosign's older form: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/keyed.rs"]
mod keyed;
#[path = "../bodies/simple.rs"]
mod simple;

libfuzzer_sys::fuzz_target!(|text: &str| simple::body(text));
