//! URIs of keys in tokens: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/pkcs11.rs"]
mod pkcs11;

libfuzzer_sys::fuzz_target!(|text: &str| pkcs11::body(text));
