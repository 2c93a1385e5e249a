//! The real data beside the workspace.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use crate::skip;

/// Names another place for the data than beside the workspace.
const SHARED: &str = "BOLTSEAL_SHARED";

/// The file or folder `path` below `../shared` (or `$BOLTSEAL_SHARED`), or `None` after saying that it is missing.
///
/// # Panics
/// Where it is missing and `BOLTSEAL_TEST_PEERS=required`.
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = env::var_os(SHARED).map_or_else(beside, PathBuf::from);
    let found = root.join(path).canonicalize().ok();
    if found.is_none() {
        skip(&format!("no ../shared/{path}"));
    }
    found
}

/// A fixture archive, unpacked for the life of this value.
#[derive(Debug)]
pub struct Unpacked(TempDir);

impl Unpacked {
    /// The file or folder `inside` the archive.
    pub fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    /// The folder the archive was unpacked into.
    pub fn root(&self) -> &Path {
        self.0.path()
    }
}

/// Unpacks the `.tar.zst` at `path` below `../shared` into a folder that goes away with the value.
///
/// # Panics
/// Where the archive is damaged, or missing and `BOLTSEAL_TEST_PEERS=required`.
#[expect(clippy::expect_used, reason = "a damaged fixture fails the test that wants it")]
pub fn unpacked(path: &str) -> Option<Unpacked> {
    let file = fs::File::open(shared(path)?).expect("a readable fixture");
    let folder = TempDir::new().expect("a temporary folder");
    let plain = zstd::Decoder::new(io::BufReader::new(file)).expect("a zstd stream");
    tar::Archive::new(plain).unpack(folder.path()).expect("a tar archive");
    Some(Unpacked(folder))
}

/// The content of the `.zst` file at `path` below `../shared`.
///
/// # Panics
/// Where the file is damaged, or missing and `BOLTSEAL_TEST_PEERS=required`.
#[expect(clippy::expect_used, reason = "a damaged fixture fails the test that wants it")]
pub fn unzstd(path: &str) -> Option<Vec<u8>> {
    let file = fs::File::open(shared(path)?).expect("a readable fixture");
    Some(zstd::decode_all(file).expect("a zstd stream"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unpacks() {
        let Some(schemas) = unpacked("data/fixtures/schemas.tar.zst") else { return };
        let found: Vec<_> =
            fs::read_dir(schemas.root()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(!found.is_empty());
    }

    #[test]
    fn decompresses() {
        let Some(list) = unzstd("data/vulns/native/debian/DSA.list.zst") else { return };
        assert!(list.starts_with(b"["), "a DSA entry starts with its date");
    }
}
