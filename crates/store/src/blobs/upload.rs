//! Upload sessions: a blob that comes in several requests, and goes on after a crash where it was acknowledged.
//!
//! A session is a file `uploads/<id>` and a running hash in memory. What has been acknowledged is in the facts
//! ([`Facts::save_upload`](crate::Facts::save_upload)); [`Blobs::restore`] cuts the file back to that and hashes it anew.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    time::{Duration, Instant},
};

use boltseal_model::{Algorithm, Digest, Hasher};

use super::{Blobs, writer::grow};
use crate::{Error, Stored};

/// How much of a file is hashed at a time.
const PIECE: usize = 1 << 20;
/// Sessions at the same time; each costs an id and a hash state. Beyond it a client must wait.
const MAX_SESSIONS: usize = 100_000;

/// What is remembered of a session between two requests.
#[derive(Debug)]
pub(super) struct Session {
    repository: String,
    touched: Instant,
    /// Absent while a request is writing.
    progress: Option<Progress>,
}

#[derive(Debug)]
struct Progress {
    /// Opened with the first bytes.
    file: Option<File>,
    hasher: Hasher,
    size: u64,
}

/// A session checked out by one request. Dropped, it goes back, with all bytes written so far.
#[derive(Debug)]
pub struct Upload {
    blobs: Blobs,
    id: String,
    progress: Option<Progress>,
}

impl Blobs {
    /// Starts a session. Nothing is stored until bytes come.
    pub fn start_upload(&self, repository: &str) -> Result<String, Error> {
        let mut sessions = self.sessions();
        if sessions.len() >= MAX_SESSIONS {
            return Err(Error::TooManyUploads { limit: MAX_SESSIONS });
        }
        let id = uuid::Uuid::new_v4().to_string();
        let progress = Progress { file: None, hasher: Hasher::new(Algorithm::Sha256), size: 0 };
        sessions.insert(id.clone(), Session::new(repository, Some(progress)));
        Ok(id)
    }

    /// Checks a session out; only one request can have it.
    pub fn resume(&self, id: &str, repository: &str) -> Result<Upload, Error> {
        let mut sessions = self.sessions();
        let session = sessions
            .get_mut(id)
            .filter(|session| session.repository == repository)
            .ok_or_else(|| Error::NoUpload(id.to_owned()))?;
        let progress = session.progress.take().ok_or_else(|| Error::Busy(id.to_owned()))?;
        Ok(Upload { blobs: self.clone(), id: id.to_owned(), progress: Some(progress) })
    }

    /// Bytes a session has.
    pub fn upload_size(&self, id: &str, repository: &str) -> Result<u64, Error> {
        let sessions = self.sessions();
        let session = sessions.get(id).filter(|session| session.repository == repository);
        let session = session.ok_or_else(|| Error::NoUpload(id.to_owned()))?;
        session.progress.as_ref().map(|p| p.size).ok_or_else(|| Error::Busy(id.to_owned()))
    }

    /// Ends a session and removes its bytes.
    pub fn cancel_upload(&self, id: &str, repository: &str) -> Result<(), Error> {
        self.resume(id, repository)?.discard()
    }

    /// Brings back the sessions that had acknowledged bytes when the last process ended: `(id, repository, bytes)`.
    /// Removes what no session owns. Gives the ids whose bytes are lost.
    pub fn restore(&self, acknowledged: &[(String, String, u64)]) -> Result<Vec<String>, Error> {
        let mut lost = Vec::new();
        for (id, repository, size) in acknowledged {
            match self.reopen(id, *size)? {
                Some(progress) => {
                    self.sessions().insert(id.clone(), Session::new(repository, Some(progress)));
                }
                None => lost.push(id.clone()),
            }
        }
        for name in self.0.uploads.names()? {
            if !self.sessions().contains_key(&name) {
                self.0.uploads.remove(&name)?;
            }
        }
        Ok(lost)
    }

    /// Ends sessions that nobody touched for `age`. Gives their ids.
    pub fn expire_uploads(&self, age: Duration) -> Result<Vec<String>, Error> {
        let mut sessions = self.sessions();
        let idle = |session: &Session| session.progress.is_some() && session.touched.elapsed() >= age;
        let ended: Vec<String> =
            sessions.iter().filter(|(_, session)| idle(session)).map(|(id, _)| id.clone()).collect();
        for id in &ended {
            sessions.remove(id);
            self.0.uploads.remove(id)?;
        }
        Ok(ended)
    }

    fn reopen(&self, id: &str, size: u64) -> Result<Option<Progress>, Error> {
        if self.0.uploads.size(id)?.is_none_or(|have| have < size) {
            return Ok(None);
        }
        let failed = |e: io::Error| Error::file("reopen", self.0.uploads.path(id), e);
        let mut file = self.0.uploads.write(id, false)?;
        file.set_len(size).map_err(failed)?;
        let hasher = hash(&mut file, Algorithm::Sha256).map_err(failed)?;
        Ok(Some(Progress { file: Some(file), hasher, size }))
    }
}

impl Session {
    fn new(repository: &str, progress: Option<Progress>) -> Self {
        Self { repository: repository.to_owned(), touched: Instant::now(), progress }
    }
}

impl Upload {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Bytes it has.
    pub fn size(&self) -> u64 {
        self.progress.as_ref().map_or(0, |progress| progress.size)
    }

    /// Adds the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(progress) = &mut self.progress else { return Err(Error::NoUpload(self.id.clone())) };
        let folder = &self.blobs.0.uploads;
        let grown = grow(progress.size, bytes.len())?;
        if progress.file.is_none() {
            progress.file = Some(folder.write(&self.id, true)?);
        }
        let Some(file) = &mut progress.file else { return Err(Error::NoUpload(self.id.clone())) };
        if let Err(error) = file.write_all(bytes) {
            // A write that failed half-way must not shift what follows.
            let _the_next_write_fails_too = file.set_len(progress.size);
            let _the_same = file.seek(SeekFrom::Start(progress.size));
            return Err(Error::file("write", folder.path(&self.id), error));
        }
        progress.hasher.update(bytes);
        progress.size = grown;
        Ok(())
    }

    /// Makes what was written durable; acknowledge it after writing the size down in the facts. Gives the size.
    pub fn save(&self) -> Result<u64, Error> {
        let Some(progress) = &self.progress else { return Err(Error::NoUpload(self.id.clone())) };
        if let Some(file) = &progress.file {
            let folder = &self.blobs.0.uploads;
            file.sync_data().map_err(|e| Error::file("sync", folder.path(&self.id), e))?;
            folder.sync()?;
        }
        Ok(progress.size)
    }

    /// Checks the digest and makes the blob visible and durable under it; the session ends. With a wrong digest the
    /// session ends too, as the bytes are of no use.
    pub fn finish(mut self, announced: &Digest) -> Result<Stored, Error> {
        let Some(mut progress) = self.progress.take() else { return Err(Error::NoUpload(self.id.clone())) };
        let done = self.publish(&mut progress, announced);
        self.blobs.sessions().remove(&self.id);
        drop(progress);
        self.blobs.0.uploads.remove(&self.id)?;
        done
    }

    /// Ends the session and removes its bytes.
    pub fn discard(mut self) -> Result<(), Error> {
        self.progress = None;
        self.blobs.sessions().remove(&self.id);
        self.blobs.0.uploads.remove(&self.id)
    }

    fn publish(&self, progress: &mut Progress, announced: &Digest) -> Result<Stored, Error> {
        let folder = &self.blobs.0.uploads;
        let failed = |e: io::Error| Error::file("finish", folder.path(&self.id), e);
        if progress.file.is_none() {
            progress.file = Some(folder.write(&self.id, true)?);
        }
        let Some(file) = &mut progress.file else { return Err(Error::NoUpload(self.id.clone())) };
        let hasher = match announced.algorithm() {
            Algorithm::Sha256 => progress.hasher.clone(),
            Algorithm::Sha512 => hash(file, Algorithm::Sha512).map_err(failed)?,
        };
        let actual = hasher.finish();
        if actual != *announced {
            return Err(Error::DigestMismatch { announced: announced.clone(), actual });
        }
        file.sync_data().map_err(failed)?;
        self.blobs.folder(announced.algorithm()).link_from(folder, &self.id, &announced.hex())?;
        Ok(Stored { digest: announced.clone(), size: progress.size, place: String::new() })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(progress) = self.progress.take() else { return };
        if let Some(session) = self.blobs.sessions().get_mut(&self.id) {
            session.touched = Instant::now();
            session.progress = Some(progress);
        }
    }
}

/// Hashes a file from its beginning and leaves it at its end.
fn hash(file: &mut File, algorithm: Algorithm) -> io::Result<Hasher> {
    file.seek(SeekFrom::Start(0))?;
    let mut hasher = Hasher::new(algorithm);
    let mut piece = vec![0; PIECE];
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            return Ok(hasher);
        }
        hasher.update(piece.get(..read).unwrap_or_default());
    }
}
