//! Conditions and scopes: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/condition.rs"]
mod condition;

libfuzzer_sys::fuzz_target!(|text: &str| condition::body(text));
