//! What was read before, so that nothing is read again that has not changed: catalogs of images, and what single layers
//! gave, which other images with the same layers begin with.
//!
//! Both depend on bytes and on this program, nothing else: feeds and policies come later. So a catalog is kept under the
//! digest of the image's manifest, which names every layer, the [extract](Extracts) of a layer under the digest of its
//! archive, and both under which program made them. Several processes may use one folder: entries appear whole or not
//! at all. Everything in it can be deleted at any time; a damaged entry counts as absent.

use std::{
    ffi::OsString,
    fs,
    io::{Read as _, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use boltseal_check::secret::FingerprintKey;
use boltseal_image::Extracts;
use boltseal_model::{Catalog, Digest, Layer};
use serde::{Deserialize, Serialize};

/// Bytes of all entries; the least recently used go first. A catalog of a large image has 300 KB, the extract of a Debian
/// system 2 MB, that of an application mostly less: about a thousand images on a hundred bases.
const MAX_TOTAL: u64 = 512 << 20;
/// Entries, so that looking for the oldest takes no longer than some milliseconds.
const MAX_ENTRIES: usize = 5000;
/// Bytes of one entry when read; a larger one is damage, or an image too odd to be worth keeping.
const MAX_ENTRY: u64 = 64 << 20;

/// A folder of catalogs and extracts.
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

    /// The same folder, for what is seen with this key: fingerprints in it are of no other.
    #[must_use]
    pub fn recognising(self, key: &FingerprintKey) -> Self {
        Self { program: self.program.map(|program| format!("{program}-{}", key.id())), ..self }
    }

    /// What is known about the image whose manifest is `digest`.
    pub fn get(&self, digest: &Digest) -> Option<Known> {
        serde_json::from_slice(&read(&self.path("", digest, ".json")?)?).ok()
    }

    /// Remembers. That it could not is no reason to fail a scan, so nothing is said about it.
    pub fn put(&self, digest: &Digest, known: &Known) {
        if let (Some(path), Ok(bytes)) = (self.path("", digest, ".json"), serde_json::to_vec(known)) {
            let _kept = self.write(path, &bytes);
        }
    }

    fn write(&self, path: PathBuf, bytes: &[u8]) -> Option<()> {
        let size = Some(bytes.len() as u64).filter(|size| *size <= MAX_ENTRY)?;
        fs::create_dir_all(&self.folder).ok()?;
        self.make_room(size);
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).ok()?;
        file.write_all(bytes).ok()?;
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
        let count = aged.len();
        for (at, (_, size, name)) in aged.into_iter().enumerate() {
            if total <= MAX_TOTAL && count - at < MAX_ENTRIES {
                break;
            }
            let _gone = fs::remove_file(self.folder.join(name));
            total = total.saturating_sub(size);
        }
    }

    fn path(&self, kind: &str, digest: &Digest, end: &str) -> Option<PathBuf> {
        let (program, algorithm) = (self.program.as_ref()?, digest.algorithm().name());
        Some(self.folder.join(format!("{kind}{algorithm}-{}-{program}{end}", digest.hex())))
    }
}

/// Of layers, as `look` with what is built in sees them.
impl Extracts for Cache {
    fn get(&self, diff_id: &Digest) -> Option<Vec<u8>> {
        read(&self.path("layer-", diff_id, "")?)
    }

    fn put(&self, diff_id: &Digest, extract: &[u8]) {
        if let Some(path) = self.path("layer-", diff_id, "") {
            let _kept = self.write(path, extract);
        }
    }
}

/// The bytes of an entry, which counts as used now.
fn read(path: &Path) -> Option<Vec<u8>> {
    let file = fs::File::open(path).ok()?;
    let mut bytes = Vec::new();
    (&file).take(MAX_ENTRY + 1).read_to_end(&mut bytes).ok()?;
    let _used_lately = file.set_modified(SystemTime::now());
    (bytes.len() as u64 <= MAX_ENTRY).then_some(bytes)
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
        fs::write(cache.path("", &one, ".json").unwrap(), b"{\"layers\":[]").unwrap();
        assert_eq!(cache.get(&one), None);
        let newer = Cache { program: Some("another".to_owned()), ..cache.clone() };
        cache.put(&one, &known("one"));
        assert_eq!(newer.get(&one), None, "another build must look for itself");
        let keyed = cache.clone().recognising(&FingerprintKey::new(&[1; 32]));
        assert_eq!(keyed.get(&one), None, "whoever has a key must look for itself");
        keyed.put(&one, &known("keyed"));
        assert_eq!((cache.get(&one), keyed.get(&one)), (Some(known("one")), Some(known("keyed"))));
        assert_eq!(cache.recognising(&FingerprintKey::new(&[2; 32])).get(&one), None, "another key");
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

    #[test]
    fn there_are_not_too_many() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::at(folder.path());
        fs::create_dir_all(&cache.folder).unwrap();
        for number in 0..MAX_ENTRIES {
            fs::write(cache.folder.join(format!("old-{number}")), b"").unwrap();
        }
        for content in [&b"one"[..], b"two"] {
            Extracts::put(&cache, &Digest::of(content), content);
        }
        assert_eq!(fs::read_dir(&cache.folder).unwrap().count(), MAX_ENTRIES);
        assert_eq!(Extracts::get(&cache, &Digest::of(b"one")), Some(b"one".to_vec()));
    }
}
