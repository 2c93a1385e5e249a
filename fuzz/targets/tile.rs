//! Tiles and their paths: the body is also an ordinary test, over seeds and mutations.
#![no_main]

#[path = "../bodies/tile.rs"]
mod tile;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tile::body(bytes));
