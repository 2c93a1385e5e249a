//! Questions of Docker engines: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/docker.rs"]
mod docker;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| docker::body(bytes));
