//! The fuzz target's body over its seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../fuzz/bodies/policy.rs"]
mod policy;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

fn seeds() -> Vec<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/policy");
    let seeds: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    assert!(seeds.len() > 3, "no seeds");
    seeds
}

/// Cuts, repeats and replaces: (where, how much, what instead).
fn mutated(seed: &str, edits: &[(usize, usize, u8)]) -> String {
    let mut bytes = seed.as_bytes().to_vec();
    for &(at, length, with) in edits {
        let at = at % bytes.len().max(1);
        let end = (at + length % 8).min(bytes.len());
        let with: &[u8] = match with {
            0..=31 => &[],
            32..=127 => &[with],
            128..=159 => b"\n",
            160..=191 => b"  ",
            192..=223 => b": ",
            224..=239 => b"[*a, &a ",
            _ => "é\u{202e}".as_bytes(),
        };
        bytes.splice(at..end, with.iter().copied());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[test]
fn seeds_and_mutations_never_panic() {
    let seeds = seeds();
    for seed in &seeds {
        policy::body(seed);
    }
    let edits = proptest::collection::vec(any::<(usize, usize, u8)>(), 1..6);
    let strategy = (proptest::sample::select(seeds), edits);
    let mut runner = TestRunner::new(Config { cases: 4_000, failure_persistence: None, ..Config::default() });
    runner
        .run(&strategy, |(seed, edits)| {
            policy::body(&mutated(&seed, &edits));
            Ok(())
        })
        .unwrap();
}
