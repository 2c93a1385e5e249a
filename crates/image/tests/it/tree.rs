//! How tests look at trees.

use std::collections::BTreeMap;

use boltseal_image::{Error, Image, Options, open};
use boltseal_model::{FileMeta, Selector, Tree, Want};

/// Keeps everything; executables only if they say `keep me`, and then only their length.
pub struct All;

impl Selector for All {
    fn want(&self, _: &str, meta: &FileMeta) -> Want {
        if meta.mode & 0o111 == 0 { Want::Whole } else { Want::Distilled }
    }

    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        if path.ends_with("/broken") {
            return Err("claims to be one of ours".to_owned());
        }
        let keep = bytes.windows(7).any(|window| window == b"keep me");
        Ok(keep.then(|| format!("{} bytes", bytes.len()).into_bytes()))
    }
}

/// Keeps only these paths, whole.
pub struct Only(pub &'static [&'static str]);

impl Selector for Only {
    fn want(&self, path: &str, _: &FileMeta) -> Want {
        if self.0.contains(&path) { Want::Whole } else { Want::Skip }
    }

    fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

/// Files as `path=content@layer`, links as `path->target`, gaps as `!subject`, in order.
pub fn view(tree: &Tree) -> Vec<String> {
    let mut lines = BTreeMap::new();
    for (path, file) in &tree.files {
        let text = String::from_utf8_lossy(&file.content);
        lines.insert(path.to_string(), format!("{path}={text}@{}", file.layer));
    }
    for (path, target) in &tree.links {
        lines.insert(path.to_string(), format!("{path}->{target}"));
    }
    lines.into_values().chain(tree.gaps.iter().map(|gap| format!("!{}", gap.subject))).collect()
}

/// Opens `target`, keeping everything.
pub fn open_all(target: &str) -> Result<Image, Error> {
    open(target, &All, &Options::default())
}
