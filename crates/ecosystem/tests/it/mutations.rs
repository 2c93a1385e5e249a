//! The bodies of the fuzz targets over their seeds and over mutations of them.

use std::path::Path;

use proptest::prelude::*;

#[path = "../../../../fuzz/bodies/ecosystem.rs"]
mod ecosystem;
#[path = "../../../../fuzz/bodies/version.rs"]
mod version;

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds")).join(target);
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut seeds: Vec<_> = files.map(|file| std::fs::read(file.unwrap().path()).unwrap()).collect();
    seeds.sort();
    assert!(!seeds.is_empty());
    seeds
}

/// Cuts, repeats and overwrites; deterministic, so that a failure comes back.
fn mutations(seed: &[u8], count: u64) -> impl Iterator<Item = Vec<u8>> {
    (0..count).map(move |round| {
        let mut state = round.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut random = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            usize::try_from(state % u64::try_from(below.max(1)).unwrap()).unwrap()
        };
        let mut bytes = seed.to_vec();
        for _ in 0..=random(4) {
            let (at, length) = (random(bytes.len()), random(8));
            match random(4) {
                0 => bytes.truncate(at.max(1)),
                1 => bytes
                    .iter_mut()
                    .skip(at)
                    .take(length)
                    .for_each(|byte| *byte = u8::try_from(round % 256).unwrap()),
                2 => {
                    let piece: Vec<u8> = bytes.iter().skip(at).take(length).copied().collect();
                    bytes.splice(at..at, piece);
                }
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << (round % 8)),
            }
        }
        bytes
    })
}

#[test]
fn hostile_files() {
    for seed in seeds("ecosystem") {
        ecosystem::body(&seed);
        mutations(&seed, 400).for_each(|bytes| ecosystem::body(&bytes));
    }
}

#[test]
fn orders_of_seeds() {
    for seed in seeds("version") {
        version::body(&seed);
        mutations(&seed, 400).for_each(|bytes| version::body(&bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Texts that are mostly versions, close to each other, of every ecosystem.
    #[test]
    fn orders_are_total(
        a in "[0-2]{0,2}[.:][0-2]{1,2}([.~+_-][0-2abrpc]{0,3}){0,3}",
        b in "[0-2]{0,2}[.:][0-2]{1,2}([.~+_-][0-2abrpc]{0,3}){0,3}",
        c in "[0-2]{1,2}(\\.[0-2]{1,2}){0,2}(-r[0-2]|-rc|rc1|_p1|_rc|~1)?",
    ) {
        for family in boltseal_ecosystem::ALL {
            version::order(*family, &a, &b, &c);
            version::order(*family, &c, &a, &a);
        }
    }
}
