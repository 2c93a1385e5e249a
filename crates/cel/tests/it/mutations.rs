//! The fuzz target's body over its seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/cel.rs"]
mod cel;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 8] =
        [b"object", b".all(x, ", b"[", b"?.", b" + ", b"'", "é".as_bytes(), b"-9223372036854775808"];
    boltseal_testkit::mutations("cel", &words, 4_000, |bytes| {
        cel::body(&String::from_utf8_lossy(bytes));
    });
}
