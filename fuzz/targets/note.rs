//! Notes and what is written in them: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/note.rs"]
mod note;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| note::body(bytes));
