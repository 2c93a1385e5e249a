//! Tables of contents: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/table.rs"]
mod table;

libfuzzer_sys::fuzz_target!(|data: &[u8]| table::body(data));
