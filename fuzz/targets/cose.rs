//! Signatures of Notary Project in COSE: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/notary.rs"]
mod notary;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| notary::body(boltseal_trust::Form::NotaryCose, bytes));
