//! Blobs in files laid out as in the OCI image layout: `blobs/sha256/<hex>`.

mod folder;
mod tidy;
mod upload;
mod writer;

use std::{
    collections::HashMap,
    fs::File,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use boltseal_model::{Algorithm, Digest};

use crate::Error;
use folder::Folder;
pub(super) use tidy::Walk;
use upload::Session;
pub(super) use upload::Upload;
pub(super) use writer::Writer;

/// The blobs of one folder.
#[derive(Clone, Debug)]
pub(super) struct Local(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sha256: Folder,
    sha512: Folder,
    uploads: Folder,
    sessions: Mutex<HashMap<String, Session>>,
}

impl Local {
    pub(super) fn open(folder: &Path) -> Result<Self, Error> {
        let inner = Inner {
            sha256: Folder::open(&folder.join("blobs").join("sha256"))?,
            sha512: Folder::open(&folder.join("blobs").join("sha512"))?,
            uploads: Folder::open(&folder.join("uploads"))?,
            sessions: Mutex::default(),
        };
        Ok(Self(Arc::new(inner)))
    }

    pub(super) fn writer(&self, algorithm: Algorithm) -> Result<Writer, Error> {
        Writer::new(self.clone(), algorithm)
    }

    pub(super) fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.folder(digest.algorithm()).size(&digest.hex())
    }

    pub(super) fn read(&self, digest: &Digest) -> Result<(File, u64), Error> {
        let found = self.folder(digest.algorithm()).read(&digest.hex())?;
        found.ok_or_else(|| Error::NoBlob(digest.clone()))
    }

    pub(super) fn remove(&self, digest: &Digest) -> Result<(), Error> {
        self.folder(digest.algorithm()).remove(&digest.hex())
    }

    fn folder(&self, algorithm: Algorithm) -> &Folder {
        match algorithm {
            Algorithm::Sha256 => &self.0.sha256,
            Algorithm::Sha512 => &self.0.sha512,
        }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<String, Session>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
