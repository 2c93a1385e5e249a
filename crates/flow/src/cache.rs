//! Catalogs of images that were read before, so that an unchanged image is not read again.
//!
//! A catalog depends on the image's bytes and on this program, nothing else: feeds and policies come later. So it is
//! kept under the digest of the manifest, which names every layer, and under which program made it. Everything in the
//! folder can be deleted at any time; a damaged entry counts as absent.

use std::{
    ffi::OsString,
    fs,
    io::Write as _,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use boltseal_model::{Catalog, Digest, Layer};
use serde::{Deserialize, Serialize};

/// Bytes of all entries; the least recently used go first. About a thousand large images.
const MAX_TOTAL: u64 = 256 << 20;
/// Bytes of one entry when read; a larger one is damage, or an image too odd to be worth keeping.
const MAX_ENTRY: u64 = 64 << 20;

/// A folder of catalogs.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    program: Option<String>,
}

/// What was found in an image's layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// What is installed, and what could not be read.
    pub catalog: Catalog,
}

impl Cache {
    /// The cache below the data folder `data`, which need not exist.
    pub fn at(data: &Path) -> Self {
        Self { folder: data.join("cache"), program: program() }
    }

    /// What is known about the image whose manifest is `digest`.
    pub fn get(&self, digest: &Digest) -> Option<Known> {
        let path = self.path(digest)?;
        let size = fs::metadata(&path).ok()?.len();
        if size > MAX_ENTRY {
            return None;
        }
        let known = serde_json::from_slice(&fs::read(&path).ok()?).ok()?;
        let _used_lately = fs::File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        Some(known)
    }

    /// Remembers. That it could not is no reason to fail a scan, so nothing is said about it.
    pub fn put(&self, digest: &Digest, known: &Known) {
        let _kept = self.try_put(digest, known);
    }

    fn try_put(&self, digest: &Digest, known: &Known) -> Option<()> {
        let path = self.path(digest)?;
        let bytes = serde_json::to_vec(known).ok().filter(|bytes| bytes.len() as u64 <= MAX_ENTRY)?;
        fs::create_dir_all(&self.folder).ok()?;
        self.make_room(bytes.len() as u64);
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).ok()?;
        file.write_all(&bytes).ok()?;
        file.persist(path).ok()?;
        Some(())
    }

    fn make_room(&self, more: u64) {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let mut aged: Vec<(SystemTime, u64, OsString)> = entries
            .filter_map(|entry| {
                let meta = entry.metadata().ok()?;
                Some((meta.modified().ok()?, meta.len(), entry.file_name()))
            })
            .collect();
        aged.sort();
        let mut total = aged.iter().fold(more, |total, (_, size, _)| total.saturating_add(*size));
        for (_, size, name) in aged {
            if total <= MAX_TOTAL {
                break;
            }
            let _gone = fs::remove_file(self.folder.join(name));
            total = total.saturating_sub(size);
        }
    }

    fn path(&self, digest: &Digest) -> Option<PathBuf> {
        let program = self.program.as_ref()?;
        Some(self.folder.join(format!("{}-{}-{program}.json", digest.algorithm().name(), digest.hex())))
    }
}

/// Tells this build from every other: a newer one may find more. `None` (no cache) where the system does not say.
fn program() -> Option<String> {
    let meta = fs::metadata(std::env::current_exe().ok()?).ok()?;
    let words = format!("{} {} {} {}", meta.dev(), meta.ino(), meta.size(), meta.mtime_nsec());
    let made = format!("{words} {} {}", meta.mtime(), env!("CARGO_PKG_VERSION"));
    Some(Digest::of(made.as_bytes()).short())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(name: &str) -> Known {
        let gap = boltseal_model::Gap::new(boltseal_model::GapKind::FileNotParsed, name, "x");
        Known { layers: Vec::new(), catalog: Catalog { gaps: vec![gap], ..Catalog::default() } }
    }

    #[test]
    fn remembers_until_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        let [one, other] = [Digest::of(b"1"), Digest::of(b"2")];
        assert_eq!(cache.get(&one), None);
        cache.put(&one, &known("one"));
        assert_eq!(cache.get(&one), Some(known("one")));
        assert_eq!(cache.get(&other), None);
        fs::write(cache.path(&one).unwrap(), b"{\"layers\":[]").unwrap();
        assert_eq!(cache.get(&one), None);
        let newer = Cache { program: Some("another".to_owned()), ..cache.clone() };
        cache.put(&one, &known("one"));
        assert_eq!(newer.get(&one), None, "another build must look for itself");
    }

    #[test]
    fn the_oldest_make_room() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        cache.put(&Digest::of(b"kept"), &known("kept"));
        let filler = cache.folder.join("old");
        let file = fs::File::create(&filler).unwrap();
        file.set_len(MAX_TOTAL).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        cache.put(&Digest::of(b"new"), &known("new"));
        assert!(!filler.exists());
        assert!(cache.get(&Digest::of(b"kept")).is_some());
    }
}
