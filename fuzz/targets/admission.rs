//! Admission reviews: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/admission.rs"]
mod admission;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| admission::body(bytes));
