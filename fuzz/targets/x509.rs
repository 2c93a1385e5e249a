//! Certificates, lists of revoked ones, trust policies and keys: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/x509.rs"]
mod x509;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| x509::body(bytes));
