//! One blob, written and hashed as it streams by, that appears only when all of it is there.

use std::{
    fs::File,
    io::{self, Write as _},
};

use boltseal_model::{Algorithm, Digest, Hasher};

use super::{Blobs, MAX_BLOB};
use crate::{Error, Stored};

/// A blob on its way in. Dropped before [`Writer::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Writer {
    blobs: Blobs,
    file: File,
    /// Its name in the upload folder, where the file system has no nameless files.
    name: Option<String>,
    hasher: Hasher,
    size: u64,
}

impl Writer {
    pub(super) fn new(blobs: Blobs, algorithm: Algorithm) -> Result<Self, Error> {
        let (file, name) = if let Some(file) = blobs.folder(algorithm).nameless()? {
            (file, None)
        } else {
            let name = format!("part-{}", uuid::Uuid::new_v4());
            (blobs.0.uploads.write(&name, true)?, Some(name))
        };
        Ok(Self { blobs, file, name, hasher: Hasher::new(algorithm), size: 0 })
    }

    /// Adds the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size = grow(self.size, bytes.len())?;
        self.file.write_all(bytes).map_err(|e| self.failed("write", e))?;
        self.hasher.update(bytes);
        Ok(())
    }

    /// Checks the digest and makes the blob visible and durable under it.
    pub fn finish(self, announced: &Digest) -> Result<Stored, Error> {
        let actual = self.hasher.clone().finish();
        if actual != *announced {
            return Err(Error::DigestMismatch { announced: announced.clone(), actual });
        }
        self.file.sync_data().map_err(|e| self.failed("sync", e))?;
        let folder = self.blobs.folder(announced.algorithm());
        match &self.name {
            None => folder.link_nameless(&self.file, &announced.hex())?,
            Some(name) => folder.link_from(&self.blobs.0.uploads, name, &announced.hex())?,
        }
        Ok(Stored { digest: announced.clone(), size: self.size, place: String::new() })
    }

    fn failed(&self, what: &'static str, source: io::Error) -> Error {
        Error::file(what, self.blobs.0.uploads.path(self.name.as_deref().unwrap_or("a new blob")), source)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _litter_is_swept_at_the_next_start = self.blobs.0.uploads.remove(name);
        }
    }
}

/// Whether `bytes` have `announced` as their digest.
pub(super) fn check(bytes: &[u8], announced: &Digest) -> Result<(), Error> {
    let mut hasher = Hasher::new(announced.algorithm());
    hasher.update(bytes);
    let actual = hasher.finish();
    if actual == *announced {
        return Ok(());
    }
    Err(Error::DigestMismatch { announced: announced.clone(), actual })
}

/// The size after `more` bytes, within the limit.
pub(super) fn grow(size: u64, more: usize) -> Result<u64, Error> {
    let grown = size.saturating_add(more as u64);
    if grown > MAX_BLOB { Err(Error::TooLarge { limit: MAX_BLOB }) } else { Ok(grown) }
}
