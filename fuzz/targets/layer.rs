//! Layers: plain, gzip or zstd archives. Whatever comes ends in a tree within the limits, or an error.
#![no_main]
use boltseal_image::{Options, layer};
use boltseal_model::{FileMeta, Selector, Want};
use libfuzzer_sys::fuzz_target;

/// Keeps everything; every second executable is of interest.
struct All;

impl Selector for All {
    fn want(&self, _: &str, meta: &FileMeta) -> Want {
        if meta.mode & 0o111 == 0 { Want::Whole } else { Want::Distilled }
    }

    fn distill(&self, _: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok((bytes.len() % 2 == 0).then(|| bytes.to_vec()))
    }
}

fuzz_target!(|bytes: &[u8]| {
    let mut options = Options::default();
    options.limits.bytes = 8 << 20;
    options.limits.kept = 1 << 20;
    options.limits.executable = 1 << 20;
    if let Ok(tree) = layer(bytes, &All, &options) {
        assert!(tree.bytes <= 8 << 20);
        for path in tree.files.keys().chain(tree.links.keys()) {
            assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "path {path:?}");
        }
    }
});
