//! Executables are hashed on their way, wherever they lie in the archive.

use std::sync::Mutex;

use boltseal_image::{Options, open};
use boltseal_model::{Digest, FileMeta, Selector, Text, Want};
use boltseal_testkit::image::{Compression, Image, Layer};

/// Holds what it is told against the bytes themselves.
#[derive(Default)]
struct Check {
    inspects: bool,
    seen: Mutex<Vec<String>>,
}

impl Selector for Check {
    fn want(&self, path: &str, _: &FileMeta) -> Want {
        if path.starts_with("bin/") { Want::Distilled } else { Want::Skip }
    }

    fn distill(&self, path: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
        panic!("{path} came without a hash")
    }

    fn hashes(&self) -> bool {
        true
    }

    fn distill_hashed(&self, path: &str, bytes: &[u8], sha256: &Digest) -> Result<Option<Vec<u8>>, String> {
        assert_eq!(sha256, &Digest::of(bytes), "{path}");
        self.seen.lock().unwrap().push(path.to_owned());
        Ok(None)
    }

    fn inspects(&self, _: &str, _: &FileMeta) -> bool {
        self.inspects
    }

    fn inspect(&self, _: &str, _: Text<'_>) -> Option<Vec<u8>> {
        None
    }
}

#[test]
fn executables_are_hashed_on_their_way() {
    let content = |length: usize| -> Vec<u8> {
        b"\x7fELF".iter().copied().chain((0..=250).cycle()).take(length).collect()
    };
    // Around the edges of blocks, chunks (256 KiB) and what is held in memory (made 2 MiB here), and text in between.
    let lengths = [4, 5, 511, 512, 513, 100_000, 262_143, 262_144, 262_145, 900_000, 2_500_000, 64, 65];
    let mut layer = Layer::new();
    for (number, length) in lengths.into_iter().enumerate() {
        layer = layer
            .executable(&format!("bin/{number}"), content(length))
            .file(&format!("text/{number}"), "words\n".repeat(number * 700))
            .executable(&format!("bin/script{number}"), "#!/bin/sh\n");
    }
    let wanted: Vec<String> = (0..lengths.len()).map(|number| format!("bin/{number}")).collect();
    for compression in [Compression::Gzip, Compression::Zstd, Compression::Plain] {
        for inspects in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            Image::new().layer_as(layer.clone(), compression).build().write_oci(folder.path(), None);
            let check = Check { inspects, ..Check::default() };
            let mut options = Options::default();
            options.limits.memory = 2 << 20;
            let target = format!("oci:{}", folder.path().display());
            open(&target, &check, &options).unwrap();
            assert_eq!(check.seen.into_inner().unwrap(), wanted, "{compression:?} {inspects}");
        }
    }
}

/// A file that is not read to its end is not hashed either, and what comes after it is hashed right.
#[test]
fn what_is_too_large_does_not_spoil_the_next() {
    let large = [b"\x7fELF".as_slice(), &vec![7; 700_000]].concat();
    let layer = Layer::new().executable("bin/large", large).executable("bin/small", "\u{7f}ELF small");
    let folder = tempfile::tempdir().unwrap();
    Image::new().layer(layer).build().write_oci(folder.path(), None);
    let (check, mut options) = (Check::default(), Options::default());
    options.limits.executable = 600_000;
    let opened = open(&format!("oci:{}", folder.path().display()), &check, &options).unwrap();
    assert_eq!(check.seen.into_inner().unwrap(), ["bin/small"]);
    assert_eq!(opened.tree.gaps.len(), 1);
}
