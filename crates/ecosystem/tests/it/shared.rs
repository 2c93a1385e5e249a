//! Test data beside the repository, and trees made of it.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::PathBuf;

use boltseal_ecosystem::Everything;
use boltseal_model::{File, FileMeta, Layer, Selector as _, Tree, Want};

/// The file at `path` below the shared data, or `None` with a printed reason; a failure where data is required.
pub fn file(path: &str) -> Option<Vec<u8>> {
    let fallback = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    let root = std::env::var_os("BOLTSEAL_SHARED").map_or_else(fallback, PathBuf::from);
    match std::fs::read(root.join(path)) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            skip(&format!("no ../shared/{path}: {error}"));
            None
        }
    }
}

/// Says why a test does nothing; a failure where `BOLTSEAL_TEST_PEERS=required`.
pub fn skip(why: &str) {
    assert!(std::env::var("BOLTSEAL_TEST_PEERS").as_deref() != Ok("required"), "required, but {why}");
    eprintln!("skipped: {why}");
}

/// Regular files of a `.tar.zst` or `.tar.gz` below the shared data.
pub fn archive(path: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let bytes = file(path)?;
    let mut tar = Vec::new();
    if bytes.starts_with(b"\x1f\x8b") {
        flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut tar).unwrap();
    } else {
        zstd::stream::copy_decode(&*bytes, &mut tar).unwrap();
    }
    Some(members(&tar).into_iter().map(|(path, _, bytes)| (path, bytes)).collect())
}

/// Path, mode and bytes of the regular files of a tar archive.
pub fn members(tar: &[u8]) -> Vec<(String, u32, Vec<u8>)> {
    let mut archive = tar::Archive::new(tar);
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.header().entry_type().is_file() {
            let path = entry.path().unwrap().to_string_lossy().trim_start_matches("./").to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap();
            files.push((path, entry.header().mode().unwrap(), bytes));
        }
    }
    files
}

/// A tree under construction, with the selector asked about every file as an image reader would.
#[derive(Default)]
pub struct Builder(Tree);

impl From<Tree> for Builder {
    fn from(tree: Tree) -> Self {
        Self(tree)
    }
}

impl Builder {
    /// Starts the next layer.
    pub fn layer(mut self) -> Self {
        let digest = Some(boltseal_model::Digest::of(&[u8::try_from(self.0.layers.len()).unwrap()]));
        self.0.layers.push(Layer { digest, diff_id: None, size: 0, created_by: None });
        self
    }

    /// Starts a plain folder, in which lock files count.
    pub fn folder(mut self) -> Self {
        self.0.layers = vec![Layer { digest: None, diff_id: None, size: 0, created_by: None }];
        self
    }

    /// Adds a file, or replaces the one of a lower layer.
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.with_mode(path, 0o644, content.as_ref())
    }

    /// Adds an executable.
    pub fn executable(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.with_mode(path, 0o755, content.as_ref())
    }

    /// Adds a file with permission bits.
    pub fn with_mode(mut self, path: &str, mode: u32, content: &[u8]) -> Self {
        let meta = FileMeta { size: content.len() as u64, mode, uid: 0, gid: 0 };
        let is_folder = self.0.layers.last().is_some_and(|layer| layer.digest.is_none());
        let want =
            if is_folder { Everything.want_in_folder(path, &meta) } else { Everything.want(path, &meta) };
        let kept = match want {
            Want::Skip | Want::Hashed => None,
            Want::Whole => Some(content.to_vec()),
            Want::Distilled => Everything.distill(path, content).unwrap(),
        };
        let layer = u32::try_from(self.0.layers.len().saturating_sub(1)).unwrap();
        let old = self.0.files.remove(path);
        if let Some(content) = kept {
            let earlier =
                old.map(|old| [vec![(old.layer, old.content)], old.earlier].concat()).unwrap_or_default();
            self.0.files.insert(path.into(), File { layer, meta, content: content.into(), earlier });
        }
        self
    }

    /// Adds a symbolic link.
    pub fn link(mut self, path: &str, target: &str) -> Self {
        self.0.links.insert(path.into(), target.into());
        self
    }

    /// The tree.
    pub fn tree(self) -> Tree {
        self.0
    }
}
