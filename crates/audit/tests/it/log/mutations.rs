//! The bodies of the fuzz targets `note` and `tile` over their seeds and a few thousand mutations, without a fuzzer.

#[path = "../../../../../fuzz/bodies/note.rs"]
mod note;
#[path = "../../../../../fuzz/bodies/tile.rs"]
mod tile;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap();
    let seeds: Vec<Vec<u8>> = files.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() > 3, "no seeds");
    seeds
}

/// Cuts, repeats and replaces: (where, how much, what instead).
fn mutated(seed: &[u8], edits: &[(usize, usize, u8)]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for &(at, length, with) in edits {
        let at = at % bytes.len().max(1);
        let end = (at + length % 8).min(bytes.len());
        let with: &[u8] = match with {
            0..=15 => &[],
            16..=31 => b"\n\n",
            32..=191 => &[with],
            192..=207 => b"\xe2\x80\x94 ",
            208..=223 => b"x001/",
            224..=239 => b"18446744073709551615",
            _ => b"=",
        };
        bytes.splice(at..end, with.iter().copied());
    }
    bytes
}

fn check(target: &str, body: fn(&[u8]), edits: std::ops::Range<usize>) {
    let seeds = seeds(target);
    for seed in &seeds {
        body(seed);
    }
    let edits = proptest::collection::vec(any::<(usize, usize, u8)>(), edits);
    let strategy = (proptest::sample::select(seeds), edits);
    let mut runner = TestRunner::new(Config { cases: 4_000, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |(seed, edits)| {
            body(&mutated(&seed, &edits));
            Ok(())
        })
        .unwrap();
}

#[test]
fn notes_and_their_mutations_never_panic() {
    check("note", note::body, 1..4);
}

#[test]
fn tiles_and_their_mutations_never_panic() {
    check("tile", tile::body, 1..6);
}
