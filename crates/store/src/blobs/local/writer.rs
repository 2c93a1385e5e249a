//! One blob on its way into a file that has its name only at the end.

use std::{
    fs::File,
    io::{self, Write as _},
};

use boltseal_model::{Algorithm, Digest, Hasher};

use super::{
    super::{grow, same},
    Local,
};
use crate::{Error, Stored};

/// A blob on its way in.
#[derive(Debug)]
pub(in crate::blobs) struct Writer {
    local: Local,
    file: File,
    /// Its name in the upload folder, where the file system has no nameless files.
    name: Option<String>,
    hasher: Hasher,
    size: u64,
}

impl Writer {
    pub(super) fn new(local: Local, algorithm: Algorithm) -> Result<Self, Error> {
        let (file, name) = if let Some(file) = local.folder(algorithm).nameless()? {
            (file, None)
        } else {
            let name = format!("part-{}", uuid::Uuid::new_v4());
            (local.0.uploads.write(&name, true)?, Some(name))
        };
        Ok(Self { local, file, name, hasher: Hasher::new(algorithm), size: 0 })
    }

    pub(in crate::blobs) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size = grow(self.size, bytes.len())?;
        self.file.write_all(bytes).map_err(|e| self.failed("write", e))?;
        self.hasher.update(bytes);
        Ok(())
    }

    pub(in crate::blobs) fn finish(self, announced: &Digest) -> Result<Stored, Error> {
        same(self.hasher.clone(), announced)?;
        self.file.sync_data().map_err(|e| self.failed("sync", e))?;
        let folder = self.local.folder(announced.algorithm());
        match &self.name {
            None => folder.link_nameless(&self.file, &announced.hex())?,
            Some(name) => folder.link_from(&self.local.0.uploads, name, &announced.hex())?,
        }
        Ok(Stored { digest: announced.clone(), size: self.size, place: String::new() })
    }

    fn failed(&self, what: &'static str, source: io::Error) -> Error {
        Error::file(what, self.local.0.uploads.path(self.name.as_deref().unwrap_or("a new blob")), source)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            let _litter_is_swept_at_the_next_start = self.local.0.uploads.remove(name);
        }
    }
}
