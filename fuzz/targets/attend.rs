//! Messages of whoever sits at a container: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/attend.rs"]
mod attend;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| attend::body(bytes));
