//! Any bytes in any place where an ecosystem reads: no panic, no hang, and only well-formed packages.
#![no_main]
use libfuzzer_sys::fuzz_target;

#[path = "../../crates/ecosystem/tests/it/body.rs"]
#[expect(dead_code, reason = "shared with the target `version`")]
mod body;

fuzz_target!(|data: &[u8]| body::ecosystem(data));
