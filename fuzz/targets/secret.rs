//! Texts with secrets, and rules that find them: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/secret.rs"]
mod secret;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| secret::body(bytes));
