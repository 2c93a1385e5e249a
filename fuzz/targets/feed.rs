//! Feeds: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/feed.rs"]
mod feed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| feed::body(bytes));
