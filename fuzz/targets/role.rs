//! Role definitions: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/role.rs"]
mod role;

libfuzzer_sys::fuzz_target!(|text: &str| role::body(text));
