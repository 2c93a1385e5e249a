//! Files that nobody names, files that are not what they should be, and how full the disk is.

use std::{
    fs::{File, ReadDir},
    io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use boltseal_model::{Algorithm, Digest};

use super::Local;
use crate::{
    Error,
    blobs::tidy::{Disk, Found},
};

/// Where damaged files go, beside `blobs` and `uploads`.
const QUARANTINE: &str = "quarantine";

/// Goes through all blobs, in the order in which the file system gives them.
#[derive(Debug)]
pub(in super::super) struct Walk {
    left: Vec<(Algorithm, PathBuf)>,
    current: Option<(Algorithm, PathBuf, ReadDir)>,
}

impl Local {
    pub(in super::super) fn walk(&self) -> Walk {
        let left = [(Algorithm::Sha512, &self.0.sha512), (Algorithm::Sha256, &self.0.sha256)];
        Walk { left: left.map(|(algorithm, folder)| (algorithm, folder.path(""))).to_vec(), current: None }
    }

    /// Takes a damaged file out of the way; nothing when there is none. Call it while holding the lock of the digest.
    pub(in super::super) fn quarantine(&self, digest: &Digest) -> Result<Option<PathBuf>, Error> {
        let folder = self.folder(digest.algorithm());
        let from = folder.path(&digest.hex());
        let base = self.0.uploads.path("");
        let aside = base.parent().unwrap_or(Path::new(".")).join(QUARANTINE);
        let failed = |e: io::Error| Error::file("quarantine", &from, e);
        std::fs::create_dir_all(&aside).map_err(failed)?;
        let to =
            aside.join(format!("{}-{}-{}", digest.algorithm().name(), digest.hex(), uuid::Uuid::new_v4()));
        match std::fs::rename(&from, &to) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        File::open(&aside).and_then(|folder| folder.sync_all()).map_err(failed)?;
        folder.sync()?;
        Ok(Some(to))
    }

    /// Removes files of uploads that no session owns and nobody wrote to for `age`. Gives how many, and their bytes.
    pub(in super::super) fn sweep_uploads(&self, age: Duration) -> Result<(u64, u64), Error> {
        let (mut files, mut bytes) = (0, 0);
        for name in self.0.uploads.names()? {
            if self.sessions().contains_key(&name) {
                continue;
            }
            let path = self.0.uploads.path(&name);
            let Some((size, modified)) = looked_at(&path)? else { continue };
            if is_older(modified, age) && !self.sessions().contains_key(&name) {
                self.0.uploads.remove(&name)?;
                files += 1;
                bytes += size;
            }
        }
        Ok((files, bytes))
    }

    pub(in super::super) fn disk(&self) -> Result<Disk, Error> {
        let path = self.0.uploads.path("");
        let stat = rustix::fs::statvfs(&path).map_err(|e| Error::file("stat", &path, e))?;
        let block = stat.f_frsize;
        Ok(Disk { free: stat.f_bavail.saturating_mul(block), size: stat.f_blocks.saturating_mul(block) })
    }
}

impl Walk {
    /// Up to `limit` files that nobody wrote to for `age`; nothing at the end. The list may be empty before that.
    pub(in super::super) fn next(
        &mut self,
        limit: usize,
        age: Duration,
    ) -> Result<Option<Vec<Found>>, Error> {
        let mut found = Vec::with_capacity(limit);
        for _ in 0..limit {
            let Some((algorithm, name, path)) = self.file()? else {
                return Ok(Some(found).filter(|found| !found.is_empty()));
            };
            // What is not named like a blob was not put there by us.
            let Ok(digest) = format!("{}:{name}", algorithm.name()).parse::<Digest>() else { continue };
            if let Some((size, modified)) = looked_at(&path)?
                && is_older(modified, age)
            {
                found.push(Found { digest, size });
            }
        }
        Ok(Some(found))
    }

    fn file(&mut self) -> Result<Option<(Algorithm, String, PathBuf)>, Error> {
        loop {
            if self.current.is_none() {
                let Some((algorithm, path)) = self.left.pop() else { return Ok(None) };
                let entries = std::fs::read_dir(&path).map_err(|e| Error::file("list", &path, e))?;
                self.current = Some((algorithm, path, entries));
            }
            let Some((algorithm, path, entries)) = &mut self.current else { return Ok(None) };
            match entries.next() {
                Some(Ok(entry)) => {
                    let name = entry.file_name().to_string_lossy().into_owned();
                    return Ok(Some((*algorithm, name, entry.path())));
                }
                Some(Err(error)) => return Err(Error::file("list", path.clone(), error)),
                None => self.current = None,
            }
        }
    }
}

/// Bytes of a file, and when they were last changed; nothing when it is gone.
fn looked_at(path: &Path) -> Result<Option<(u64, SystemTime)>, Error> {
    match std::fs::symlink_metadata(path) {
        Ok(data) => {
            let modified = data.modified().map_err(|e| Error::file("stat", path, e))?;
            Ok(data.is_file().then_some((data.len(), modified)))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::file("stat", path, error)),
    }
}

/// A time in the future is the fault of a clock: such a file is young.
fn is_older(modified: SystemTime, age: Duration) -> bool {
    modified.elapsed().is_ok_and(|elapsed| elapsed >= age)
}
