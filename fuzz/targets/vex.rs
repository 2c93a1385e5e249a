//! VEX documents: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/vex.rs"]
mod vex;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| vex::body(bytes));
