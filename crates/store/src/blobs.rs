//! Bytes under their digest, in files laid out as in the OCI image layout: `blobs/sha256/<hex>`.

mod content;
mod folder;
mod upload;
mod writer;

use std::{
    collections::HashMap,
    io::Read as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use boltseal_model::{Algorithm, Digest};
use tokio::sync::OwnedMutexGuard;

use crate::{Error, Stored};
pub use content::Content;
use folder::Folder;
use upload::Session;
pub use upload::Upload;
pub use writer::Writer;

/// The largest blob taken. Real layers stay below 20 GB; a mistake or an attack should not fill the disk.
const MAX_BLOB: u64 = 64 << 30;
/// Locks over all digests. Two digests may share one; then one change waits for another, which is harmless.
const LOCKS: usize = 64;

/// The blob store of one folder. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    sha256: Folder,
    sha512: Folder,
    uploads: Folder,
    sessions: Mutex<HashMap<String, Session>>,
    locks: Vec<Arc<tokio::sync::Mutex<()>>>,
}

impl Blobs {
    /// Opens `folder/blobs` and `folder/uploads`, creating them as needed.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let inner = Inner {
            sha256: Folder::open(&folder.join("blobs").join("sha256"))?,
            sha512: Folder::open(&folder.join("blobs").join("sha512"))?,
            uploads: Folder::open(&folder.join("uploads"))?,
            sessions: Mutex::default(),
            locks: (0..LOCKS).map(|_| Arc::default()).collect(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Stores bytes that are in memory already; for manifests.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        self.put_as(bytes, &digest)?;
        Ok(digest)
    }

    /// The same under a digest the sender chose, which is checked.
    pub fn put_as(&self, bytes: &[u8], digest: &Digest) -> Result<Stored, Error> {
        if self.size(digest)? == Some(bytes.len() as u64) {
            writer::check(bytes, digest)?;
            return Ok(Stored { digest: digest.clone(), size: bytes.len() as u64, place: String::new() });
        }
        let mut writer = self.writer(digest.algorithm())?;
        writer.write(bytes)?;
        writer.finish(digest)
    }

    /// Takes a blob piece by piece.
    pub fn writer(&self, algorithm: Algorithm) -> Result<Writer, Error> {
        Writer::new(self.clone(), algorithm)
    }

    /// How many bytes a blob has; `None` when it is not here.
    pub fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        self.folder(digest.algorithm()).size(&digest.hex())
    }

    /// A blob for reading, and how many bytes it has.
    pub fn read(&self, digest: &Digest) -> Result<(Content, u64), Error> {
        let found = self.folder(digest.algorithm()).read(&digest.hex())?;
        let (file, size) = found.ok_or_else(|| Error::NoBlob(digest.clone()))?;
        Ok((Content::file(file), size))
    }

    /// A small blob whole; `limit` is what the caller takes for small.
    pub fn content(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        let (file, size) = self.read(digest)?;
        if size > limit {
            return Err(Error::TooLarge { limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        let path = || self.folder(digest.algorithm()).path(&digest.hex());
        file.take(limit).read_to_end(&mut bytes).map_err(|e| Error::file("read", path(), e))?;
        Ok(bytes)
    }

    /// Removes a blob that no repository has any more. Call it while holding [`Blobs::lock`].
    pub fn remove(&self, digest: &Digest) -> Result<(), Error> {
        self.folder(digest.algorithm()).remove(&digest.hex())
    }

    /// Held from looking at a blob to writing down who has it, so that nobody removes it in between.
    pub async fn lock(&self, digest: &Digest) -> OwnedMutexGuard<()> {
        let place = digest.bytes().first().map_or(0, |byte| usize::from(*byte)) % LOCKS;
        match self.0.locks.get(place) {
            Some(lock) => Arc::clone(lock).lock_owned().await,
            None => Arc::<tokio::sync::Mutex<()>>::default().lock_owned().await,
        }
    }

    fn folder(&self, algorithm: Algorithm) -> &Folder {
        match algorithm {
            Algorithm::Sha256 => &self.0.sha256,
            Algorithm::Sha512 => &self.0.sha512,
        }
    }

    fn sessions(&self) -> std::sync::MutexGuard<'_, HashMap<String, Session>> {
        self.0.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
