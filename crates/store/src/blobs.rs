//! Bytes under their digest, behind one API: in files of this machine, or in an object store that servers share.
//!
//! Every call may wait for a disk or a network: make it where a thread may block.

mod content;
mod local;
mod objects;
mod tidy;
mod upload;
mod writer;

use std::{io::Read as _, path::Path, sync::Arc, time::Duration};

use boltseal_model::{Algorithm, Digest, Hasher};
use tokio::{runtime::Handle, sync::OwnedMutexGuard};

use crate::{Acknowledged, Condemned, Error, Facts, Stored};
pub use content::Content;
use local::Local;
use objects::Objects;
pub use tidy::{Condition, Disk, Found, Walk};
pub use upload::Upload;
pub use writer::Writer;

/// The largest blob taken. Real layers stay below 20 GB; a mistake or an attack should not fill the disk.
const MAX_BLOB: u64 = 64 << 30;
/// Upload sessions at the same time; each costs an id and a hash state. Beyond it a client must wait.
const MAX_SESSIONS: usize = 100_000;
/// Locks over all digests. Two digests may share one; then one change waits for another, which is harmless.
const LOCKS: usize = 64;

/// The blob store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Blobs {
    backend: Backend,
    locks: Arc<[Arc<tokio::sync::Mutex<()>>]>,
}

#[derive(Clone, Debug)]
enum Backend {
    Local(Local),
    Objects(Objects),
}

impl Blobs {
    /// Opens `folder/blobs` and `folder/uploads`, creating them as needed.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        Ok(Self::over(Backend::Local(Local::open(folder)?)))
    }

    /// Blobs in an object store that servers share, and `facts` know where: `s3://BUCKET/PREFIX` (and what speaks the
    /// language of S3: `?endpoint=https://HOST&region=NAME`, `virtual-host=true`), `az://CONTAINER/PREFIX`
    /// (`?account=NAME`), `gs://BUCKET/PREFIX`. Credentials come from the environment, as the tools of each cloud read
    /// them. Requests run on `runtime`, while the threads that call wait: they must not be all of its threads.
    pub fn connect(address: &str, facts: &Facts, runtime: Handle) -> Result<Self, Error> {
        let objects = Objects::connect(address, facts.clone(), runtime)?;
        Ok(Self::over(Backend::Objects(objects)))
    }

    fn over(backend: Backend) -> Self {
        Self { backend, locks: (0..LOCKS).map(|_| Arc::default()).collect() }
    }

    /// Stores bytes that are in memory already. In an object store nobody finds them until
    /// [`Facts`](crate::Facts) know their place: use [`Blobs::put_as`] there.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let digest = Digest::of(bytes);
        self.put_as(bytes, &digest)?;
        Ok(digest)
    }

    /// Stores bytes that are in memory already, under a digest the sender chose, which is checked; for manifests.
    pub fn put_as(&self, bytes: &[u8], digest: &Digest) -> Result<Stored, Error> {
        match &self.backend {
            Backend::Local(local) if local.size(digest)? == Some(bytes.len() as u64) => {
                check(bytes, digest)?;
                Ok(Stored { digest: digest.clone(), size: bytes.len() as u64, place: String::new() })
            }
            Backend::Local(_) => {
                let mut writer = self.writer(digest.algorithm())?;
                writer.write(bytes)?;
                writer.finish(digest)
            }
            Backend::Objects(objects) => objects.put_as(bytes, digest),
        }
    }

    /// Takes a blob piece by piece.
    pub fn writer(&self, algorithm: Algorithm) -> Result<Writer, Error> {
        match &self.backend {
            Backend::Local(local) => local.writer(algorithm).map(Writer::local),
            Backend::Objects(objects) => Ok(Writer::objects(objects.writer(algorithm))),
        }
    }

    /// How many bytes a blob has; `None` when it is not here.
    pub fn size(&self, digest: &Digest) -> Result<Option<u64>, Error> {
        match &self.backend {
            Backend::Local(local) => local.size(digest),
            Backend::Objects(objects) => objects.size(digest),
        }
    }

    /// A blob for reading, and how many bytes it has.
    pub fn read(&self, digest: &Digest) -> Result<(Content, u64), Error> {
        match &self.backend {
            Backend::Local(local) => local.read(digest).map(|(file, size)| (Content::file(file), size)),
            Backend::Objects(objects) => {
                objects.read(digest).map(|(reading, size)| (Content::object(reading), size))
            }
        }
    }

    /// A small blob whole; `limit` is what the caller takes for small.
    pub fn content(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, Error> {
        let (content, size) = self.read(digest)?;
        if size > limit {
            return Err(Error::TooLarge { limit });
        }
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
        content
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|e| Error::file("read", digest.to_string(), e))?;
        Ok(bytes)
    }

    /// Removes bytes that no repository has any more. Where digests are names ([`Condemned::place`] is empty), call it
    /// while holding [`Blobs::lock`].
    pub fn remove(&self, contents: &Condemned) -> Result<(), Error> {
        match &self.backend {
            Backend::Local(local) => local.remove(&contents.digest),
            Backend::Objects(objects) => objects.remove(contents),
        }
    }

    /// Held from looking at a blob to writing down who has it, so that nobody removes it in between.
    pub async fn lock(&self, digest: &Digest) -> OwnedMutexGuard<()> {
        let place = digest.bytes().first().map_or(0, |byte| usize::from(*byte)) % LOCKS;
        match self.locks.get(place) {
            Some(lock) => Arc::clone(lock).lock_owned().await,
            None => Arc::<tokio::sync::Mutex<()>>::default().lock_owned().await,
        }
    }

    /// Starts an upload session: a blob that comes in several requests. Gives its id.
    pub fn start_upload(&self, repository: &str) -> Result<String, Error> {
        match &self.backend {
            Backend::Local(local) => local.start_upload(repository),
            Backend::Objects(objects) => objects.start_upload(repository),
        }
    }

    /// Checks a session out; only one request can have it.
    pub fn resume(&self, id: &str, repository: &str) -> Result<Upload, Error> {
        match &self.backend {
            Backend::Local(local) => local.resume(id, repository).map(Upload::local),
            Backend::Objects(objects) => objects.resume(id, repository).map(Upload::objects),
        }
    }

    /// Ends a session and removes its bytes.
    pub fn cancel_upload(&self, id: &str, repository: &str) -> Result<(), Error> {
        self.resume(id, repository)?.discard()
    }

    /// Brings back the sessions that had acknowledged bytes when the last process ended, and removes what no session
    /// owns. Gives the ids whose bytes are lost.
    pub fn restore(&self, acknowledged: &[Acknowledged]) -> Result<Vec<String>, Error> {
        match &self.backend {
            Backend::Local(local) => local.restore(acknowledged),
            // Whichever request has one goes on with it.
            Backend::Objects(_) => Ok(Vec::new()),
        }
    }

    /// Ends sessions that nobody touched for `age`, and removes what crashes left. Gives the ids of the sessions, for
    /// [`Facts::remove_upload`](crate::Facts::remove_upload).
    pub fn expire_uploads(&self, age: Duration) -> Result<Vec<String>, Error> {
        match &self.backend {
            Backend::Local(local) => local.expire_uploads(age),
            Backend::Objects(objects) => objects.expire_uploads(age),
        }
    }
}

/// Whether `bytes` have `announced` as their digest.
fn check(bytes: &[u8], announced: &Digest) -> Result<(), Error> {
    let mut hasher = Hasher::new(announced.algorithm());
    hasher.update(bytes);
    same(hasher, announced)
}

/// Whether what was hashed has `announced` as its digest.
fn same(hasher: Hasher, announced: &Digest) -> Result<(), Error> {
    let actual = hasher.finish();
    if actual == *announced {
        return Ok(());
    }
    Err(Error::DigestMismatch { announced: announced.clone(), actual })
}

/// The size after `more` bytes, within the limit.
fn grow(size: u64, more: usize) -> Result<u64, Error> {
    let grown = size.saturating_add(more as u64);
    if grown > MAX_BLOB { Err(Error::TooLarge { limit: MAX_BLOB }) } else { Ok(grown) }
}
