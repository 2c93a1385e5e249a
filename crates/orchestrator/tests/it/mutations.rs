//! The bodies of the fuzz targets over their seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/definition.rs"]
mod definition;

#[test]
fn seeds_and_mutations_never_panic() {
    let words: [&[u8]; 10] =
        [b"\n", b": ", b"&a [*a, ", b"<<: *a", b"[[", b"'", b"concat(", b"parameters('", b"\\u", b"{\"a\":"];
    boltseal_testkit::mutations("definition", &words, 3_000, definition::body);
}
