//! The fuzz target's body over its seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/policy.rs"]
mod policy;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 6] = [b"\n", b"  ", b": ", b"[*a, &a ", "é\u{202e}".as_bytes(), b"\t"];
    boltseal_testkit::mutations("policy", &words, 4_000, |bytes| {
        policy::body(&String::from_utf8_lossy(bytes));
    });
}
