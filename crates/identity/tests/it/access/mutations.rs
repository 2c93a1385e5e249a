//! The bodies of the fuzz targets over their seeds and a few thousand mutations of them, without a fuzzer.

#[path = "../../../../../fuzz/bodies/condition.rs"]
mod condition;
#[path = "../../../../../fuzz/bodies/role.rs"]
mod role;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

fn seeds(folder: &str) -> Vec<String> {
    let folder = format!("{}/../../fuzz/seeds/{folder}", env!("CARGO_MANIFEST_DIR"));
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
            128..=159 => b"(!",
            160..=191 => b"'",
            192..=223 => b" OR ",
            224..=239 => b"\",\"*/",
            _ => "é\u{202e}".as_bytes(),
        };
        bytes.splice(at..end, with.iter().copied());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn check(folder: &str, body: fn(&str)) {
    let seeds = seeds(folder);
    for seed in &seeds {
        body(seed);
    }
    let edits = proptest::collection::vec(any::<(usize, usize, u8)>(), 1..6);
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
fn conditions() {
    check("condition", condition::body);
}

#[test]
fn roles() {
    check("role", role::body);
}
