//! The bodies of the fuzz targets, over their seeds and over mutations of them.

use std::{fs, path::Path};

#[path = "../../../../fuzz/bodies/header.rs"]
mod header;
#[path = "../../../../fuzz/bodies/layer.rs"]
mod layer;
#[path = "../../../../fuzz/bodies/manifest.rs"]
mod manifest;
#[path = "../../../../fuzz/bodies/table.rs"]
mod table;

fn over_seeds(target: &str, body: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() >= 3, "{target} has seeds");
    for input in boltseal_testkit::found(target) {
        body(&input);
    }
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 33).unwrap()
    };
    for seed in seeds {
        let bytes = fs::read(&seed).unwrap();
        body(&bytes);
        for _ in 0..600 {
            let mut changed = bytes.clone();
            for _ in 0..=next() % 4 {
                let at = next() % changed.len();
                match next() % 5 {
                    0 => changed[at] ^= 1 << (next() % 8),
                    1 => changed[at] = [0, 0xff, b'0', b'7', b'\n', b','][next() % 6],
                    2 => changed.truncate(at + 1),
                    3 => changed.extend_from_within(at..changed.len().min(at + 512)),
                    _ => changed[at..].rotate_left(1),
                }
            }
            repair_sums(&mut changed);
            body(&changed);
        }
    }
}

/// Headers with wrong sums are refused at once; mend them, so that mutations get further.
fn repair_sums(bytes: &mut [u8]) {
    for block in bytes.chunks_exact_mut(512) {
        if block[257..262] == *b"ustar" {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
    }
}

#[test]
fn layers() {
    over_seeds("layer", layer::body);
}

#[test]
fn tables() {
    let words: [&[u8]; 10] = [
        b"\"offset\":",
        b"\"endOffset\":",
        b"\"chunkSize\":",
        b"\"chunkOffset\":",
        b"\"size\":",
        b"\"chunk\"",
        b"\"reg\"",
        b"\"hardlink\"",
        b"18446744073709551615",
        b"../",
    ];
    boltseal_testkit::mutations("table", &words, 6000, table::body);
}

#[test]
fn manifests() {
    over_seeds("manifest", manifest::body);
}

#[test]
fn headers() {
    let words: [&[u8]; 12] = [
        b"Bearer ",
        b"Basic ",
        b"realm=",
        b"scope=\"",
        b"\"",
        b"\\",
        b", ",
        b"; ",
        b"=",
        b"<",
        b">; rel=\"next\"",
        b"\xc3\xa4",
    ];
    boltseal_testkit::mutations("header", &words, 20_000, header::body);
}
