//! The bodies of the fuzz targets `export` and `ingest` over their seeds and a few thousand mutations, without a fuzzer.

#[path = "../../../../fuzz/bodies/export.rs"]
mod export;
#[path = "../../../../fuzz/bodies/ingest.rs"]
mod ingest;

use boltseal_testkit::mutations;

const WORDS: [&[u8]; 5] =
    [b"null", b"9007199254740993", b"\\u0000", b"\x1f", "|=\\\"]\n\u{2028}é".as_bytes()];

#[test]
fn entries_and_their_mutations_stay_in_line() {
    mutations("export", &WORDS, 2_000, export::body);
}

#[test]
fn events_and_their_mutations_never_panic() {
    mutations("ingest", &WORDS, 4_000, ingest::body);
}
