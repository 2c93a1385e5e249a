//! Bundles of sigstore and envelopes of DSSE: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/dsse.rs"]
mod dsse;
#[path = "../bodies/keyed.rs"]
mod keyed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dsse::body(bytes));
