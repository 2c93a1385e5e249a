//! The bodies of the fuzz targets, over their seeds and over mutations of them.

use std::{fs, path::Path};

use boltseal_image::{Options, layer, manifest};

use crate::tree::All;

/// Also `fuzz/targets/layer.rs`: whatever comes ends in a tree within the limits, or an error.
fn a_layer(bytes: &[u8]) {
    let mut options = Options::default();
    options.limits.bytes = 8 << 20;
    options.limits.kept = 1 << 20;
    options.limits.executable = 1 << 20;
    if let Ok(tree) = layer(bytes, &All, &options) {
        let kept: usize = tree.files.values().map(|file| file.content.len()).sum();
        assert!(tree.bytes <= 8 << 20);
        for path in tree.files.keys().chain(tree.links.keys()) {
            assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "path {path:?}");
        }
        assert!(kept <= 64 << 20, "{kept}");
    }
}

/// Also `fuzz/targets/manifest.rs`: what parses respects the limits.
fn a_manifest(bytes: &[u8]) {
    for media_type in [None, Some(manifest::OCI_INDEX), Some(manifest::DOCKER_MANIFEST)] {
        if let Ok(manifest::Document::Index(index)) = manifest::parse(bytes, media_type) {
            assert!(index.manifests.len() <= boltseal_image::MAX_INDEX);
        }
    }
}

fn over_seeds(target: &str, body: fn(&[u8])) {
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(seeds).unwrap().map(|entry| entry.unwrap().path()).collect();
    seeds.sort();
    assert!(seeds.len() >= 3, "{target} has seeds");
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
    over_seeds("layer", a_layer);
}

#[test]
fn manifests() {
    over_seeds("manifest", a_manifest);
}
