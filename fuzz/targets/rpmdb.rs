//! Databases of rpm: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/rpmdb.rs"]
mod rpmdb;

libfuzzer_sys::fuzz_target!(|data: &[u8]| rpmdb::body(data));
