//! Any three texts as versions: antisymmetric, transitive, and refused for what they are alone.
#![no_main]
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/ecosystem/tests/it/body.rs"]
#[expect(dead_code, reason = "shared with the target `ecosystem`")]
mod body;

fuzz_target!(|data: &[u8]| body::version(data));
