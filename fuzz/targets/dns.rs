//! Questions for names, from inside of a group: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/dns.rs"]
mod dns;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| dns::body(bytes));
