//! Ignore files of every kind: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/ignore.rs"]
mod ignore;

libfuzzer_sys::fuzz_target!(|text: &str| ignore::body(text));
