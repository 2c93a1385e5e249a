//! JWTs, key sets and federation: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/jwt.rs"]
mod jwt;

libfuzzer_sys::fuzz_target!(|text: &str| jwt::body(text));
