//! Plans of real groups, and a real `runc` that runs what they say.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test says what it expects in the plainest way"
)]

#[path = "../../../../fuzz/bodies/attend.rs"]
mod attend;
mod plans;
mod root;
mod runc;

#[test]
fn messages_of_who_sits_there_never_panic() {
    let words: [&[u8]; 4] = [b"d", b"s\0\x18\0\x50", b"x", &[0xff, 0xff]];
    boltseal_testkit::mutations("attend", &words, 3_000, attend::body);
}
