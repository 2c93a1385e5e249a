//! The bodies of the fuzz targets `export` and `ingest` over their seeds and a few thousand mutations, without a fuzzer.

#[path = "../../../../fuzz/bodies/export.rs"]
mod export;
#[path = "../../../../fuzz/bodies/ingest.rs"]
mod ingest;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let files = std::fs::read_dir(folder).unwrap();
    let seeds: Vec<Vec<u8>> = files.map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect();
    assert!(seeds.len() >= 3, "no seeds");
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
            16..=47 => &[with - 16],
            48..=191 => &[with],
            192..=207 => b"null",
            208..=223 => b"9007199254740993",
            224..=239 => b"\\u0000",
            _ => "|=\\\"]\n\u{2028}é".as_bytes(),
        };
        bytes.splice(at..end, with.iter().copied());
    }
    bytes
}

fn check(target: &str, body: fn(&[u8]), cases: u32) {
    let seeds = seeds(target);
    for seed in &seeds {
        body(seed);
    }
    let edits = proptest::collection::vec(any::<(usize, usize, u8)>(), 1..6);
    let strategy = (proptest::sample::select(seeds), edits);
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |(seed, edits)| {
            body(&mutated(&seed, &edits));
            Ok(())
        })
        .unwrap();
}

#[test]
fn entries_and_their_mutations_stay_in_line() {
    check("export", export::body, 2_000);
}

#[test]
fn events_and_their_mutations_never_panic() {
    check("ingest", ingest::body, 4_000);
}
