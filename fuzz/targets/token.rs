//! Tokens, scopes and shares: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/token.rs"]
mod token;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| token::body(bytes));
