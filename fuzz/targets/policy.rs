//! Policy files: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/policy.rs"]
mod policy;

libfuzzer_sys::fuzz_target!(|text: &str| policy::body(text));
