//! The fuzz target's body over its seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/pack.rs"]
mod pack;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 6] = [b"\n", b"{\"advisory\":", b"null", b"18446744073709551615", b"\"", b"}"];
    boltseal_testkit::mutations("pack", &words, 4_000, pack::body);
}
