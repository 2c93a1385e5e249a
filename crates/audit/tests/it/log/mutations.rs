//! The bodies of the fuzz targets `note` and `tile` over their seeds and a few thousand mutations, without a fuzzer.

#[path = "../../../../../fuzz/bodies/note.rs"]
mod note;
#[path = "../../../../../fuzz/bodies/tile.rs"]
mod tile;

use boltseal_testkit::mutations;

const WORDS: [&[u8]; 5] = [b"\n\n", b"\xe2\x80\x94 ", b"x001/", b"18446744073709551615", b"="];

#[test]
fn notes_and_their_mutations_never_panic() {
    mutations("note", &WORDS, 4_000, note::body);
}

#[test]
fn tiles_and_their_mutations_never_panic() {
    mutations("tile", &WORDS, 4_000, tile::body);
}
