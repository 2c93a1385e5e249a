//! The fuzz target's body over its seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/ignore.rs"]
mod ignore;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 7] =
        [b"\n", b"  - ", b": ", b"until:", b"[*a, &a ", "é\u{202e}".as_bytes(), b"ignore:"];
    boltseal_testkit::mutations("ignore", &words, 4_000, |bytes| {
        ignore::body(&String::from_utf8_lossy(bytes));
    });
}
