//! Layers: plain, gzip or zstd archives. Whatever comes ends in a tree within the limits, or an error.

use boltseal_image::{Options, layer};
use boltseal_model::{FileMeta, Selector, Want};

/// Keeps everything; every second executable is of interest.
struct All;

impl Selector for All {
    fn want(&self, _: &str, meta: &FileMeta) -> Want {
        if meta.mode & 0o111 == 0 { Want::Whole } else { Want::Distilled }
    }

    fn distill(&self, _: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(bytes.len().is_multiple_of(2).then(|| bytes.to_vec()))
    }
}

/// Panics where a tree breaks its promises.
pub fn body(bytes: &[u8]) {
    let mut options = Options::default();
    options.limits.bytes = 8 << 20;
    options.limits.kept = 1 << 20;
    options.limits.executable = 1 << 20;
    let Ok(tree) = layer(bytes, &All, &options) else { return };
    assert!(tree.bytes <= 8 << 20, "{} bytes", tree.bytes);
    for path in tree.files.keys().chain(tree.links.keys()) {
        assert!(path.split('/').all(|part| !matches!(part, "" | "." | "..")), "path {path:?}");
    }
    for path in tree.links.keys() {
        // Whatever links say, following them stays inside and ends.
        if let Some(real) = tree.resolve(path) {
            assert!(
                !real.starts_with('/') && !real.split('/').any(|part| part == ".."),
                "{path:?} to {real:?}"
            );
        }
    }
}
