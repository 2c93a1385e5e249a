//! The bodies of the fuzz targets `token` and `jwt` over their seeds and a few thousand mutations, without a fuzzer.

#[path = "../../../../../fuzz/bodies/jwt.rs"]
mod jwt;
#[path = "../../../../../fuzz/bodies/token.rs"]
mod token;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = format!("{}/../../fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let read = |entry: std::io::Result<std::fs::DirEntry>| std::fs::read(entry.unwrap().path()).unwrap();
    let seeds: Vec<Vec<u8>> = std::fs::read_dir(folder).unwrap().map(read).collect();
    assert!(seeds.len() > 3, "no seeds of {target}");
    seeds
}

/// Cuts, repeats and replaces: (where, how much, what instead).
fn mutated(seed: &[u8], edits: &[(usize, usize, u8)]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for &(at, length, with) in edits {
        let at = at % bytes.len().max(1);
        let end = (at + length % 8).min(bytes.len());
        let with: &[u8] = match with {
            0..=31 => &[],
            32..=127 => &[with],
            128..=159 => b"\"",
            160..=175 => b"*",
            176..=191 => b":",
            192..=223 => b"},{",
            224..=239 => &[0xff, 0],
            _ => "é\u{202e}".as_bytes(),
        };
        bytes.splice(at..end, with.iter().copied());
    }
    bytes
}

fn run(target: &str, body: impl Fn(&[u8])) {
    let seeds = seeds(target);
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
fn seeds_and_mutations_of_tokens_never_panic() {
    run("token", token::body);
}

#[test]
fn seeds_and_mutations_of_jwts_never_panic() {
    run("jwt", |bytes| jwt::body(&String::from_utf8_lossy(bytes)));
}
