//! Upload sessions of this process: a file `uploads/<id>` and a running hash in memory.
//!
//! What has been acknowledged is in the facts ([`Facts::save_upload`](crate::Facts::save_upload)) with the state of the
//! hash; [`Local::restore`] cuts the file back to that and goes on.

use std::{
    fs::File,
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    time::{Duration, Instant},
};

use boltseal_model::{Algorithm, Digest, Hasher};

use super::{
    super::{MAX_SESSIONS, grow, same},
    Local,
    folder::Folder,
};
use crate::{Acknowledged, Error, Stored};

/// How much of a file is hashed at a time.
const PIECE: usize = 1 << 20;

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
    /// Open while a request writes, from its first bytes on: sessions may be many, open files not.
    file: Option<File>,
    /// Whether there is a file.
    made: bool,
    hasher: Hasher,
    size: u64,
    /// Hash and size of what is on disk for certain: a disk that fails takes it back to that.
    durable: (Hasher, u64),
}

/// A session checked out by one request. Dropped, it goes back, with all bytes written so far, and without its file open.
#[derive(Debug)]
pub(in crate::blobs) struct Upload {
    local: Local,
    id: String,
    repository: String,
    progress: Option<Progress>,
}

impl Local {
    pub(in crate::blobs) fn start_upload(&self, repository: &str) -> Result<String, Error> {
        let mut sessions = self.sessions();
        if sessions.len() >= MAX_SESSIONS {
            return Err(Error::TooManyUploads { limit: MAX_SESSIONS });
        }
        let id = uuid::Uuid::new_v4().to_string();
        let progress = Progress::new(Hasher::new(Algorithm::Sha256), 0, false);
        sessions.insert(id.clone(), Session::new(repository, Some(progress)));
        Ok(id)
    }

    pub(in crate::blobs) fn resume(&self, id: &str, repository: &str) -> Result<Upload, Error> {
        let mut sessions = self.sessions();
        let session = sessions
            .get_mut(id)
            .filter(|session| session.repository == repository)
            .ok_or_else(|| Error::NoUpload(id.to_owned()))?;
        let progress = session.progress.take().ok_or_else(|| Error::Busy(id.to_owned()))?;
        Ok(Upload {
            local: self.clone(),
            id: id.to_owned(),
            repository: repository.to_owned(),
            progress: Some(progress),
        })
    }

    pub(in crate::blobs) fn restore(&self, acknowledged: &[Acknowledged]) -> Result<Vec<String>, Error> {
        let mut lost = Vec::new();
        for session in acknowledged {
            let Acknowledged { id, repository, .. } = session;
            match self.reopen(session)? {
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

    pub(in crate::blobs) fn expire_uploads(&self, age: Duration) -> Result<Vec<String>, Error> {
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

    fn reopen(&self, session: &Acknowledged) -> Result<Option<Progress>, Error> {
        let (id, size) = (&session.id, session.size);
        if self.0.uploads.size(id)?.is_none_or(|have| have < size) {
            return Ok(None);
        }
        let failed = |e: io::Error| Error::file("reopen", self.0.uploads.path(id), e);
        let mut file = self.0.uploads.write(id, false)?;
        file.set_len(size).map_err(failed)?;
        // Sessions saved by versions before the state was written down are read again.
        let state = hex::decode(&session.state).ok();
        let hasher = match state.and_then(|state| Hasher::restored(Algorithm::Sha256, &state)) {
            Some(hasher) => file.seek(SeekFrom::Start(size)).map(|_| hasher),
            None => hash(&mut file, Algorithm::Sha256),
        }
        .map_err(failed)?;
        Ok(Some(Progress::new(hasher, size, true)))
    }
}

impl Session {
    fn new(repository: &str, progress: Option<Progress>) -> Self {
        Self { repository: repository.to_owned(), touched: Instant::now(), progress }
    }
}

impl Progress {
    fn new(hasher: Hasher, size: u64, made: bool) -> Self {
        Self { file: None, made, durable: (hasher.clone(), size), hasher, size }
    }

    /// Its file, at the end of what it has.
    fn open(&mut self, folder: &Folder, id: &str) -> Result<&mut File, Error> {
        if self.file.is_none() {
            let mut file = folder.write(id, !self.made)?;
            self.made = true;
            let failed = |e: io::Error| Error::file("reopen", folder.path(id), e);
            file.seek(SeekFrom::Start(self.size)).map_err(failed)?;
            self.file = Some(file);
        }
        self.file.as_mut().ok_or_else(|| Error::NoUpload(id.to_owned()))
    }

    /// Makes its bytes durable.
    fn sync(&mut self, folder: &Folder, id: &str) -> Result<(), Error> {
        if let Err(error) = self.open(folder, id)?.sync_data() {
            // The system may have dropped what it could not write, and would not say so a second time.
            self.take_back();
            return Err(Error::file("sync", folder.path(id), error));
        }
        self.durable = (self.hasher.clone(), self.size);
        Ok(())
    }

    /// Back to what is on disk: what does not fit should not keep the disk full, and a write that failed half-way must not
    /// shift what follows.
    fn take_back(&mut self) {
        (self.hasher, self.size) = self.durable.clone();
        if let Some(file) = &mut self.file {
            let _the_next_write_fails_too = file.set_len(self.size);
            let _the_same = file.seek(SeekFrom::Start(self.size));
        }
    }
}

impl Upload {
    pub(in crate::blobs) fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::blobs) fn size(&self) -> u64 {
        self.progress.as_ref().map_or(0, |progress| progress.size)
    }

    pub(in crate::blobs) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let Some(progress) = &mut self.progress else { return Err(Error::NoUpload(self.id.clone())) };
        let folder = &self.local.0.uploads;
        let grown = grow(progress.size, bytes.len())?;
        if let Err(error) = progress.open(folder, &self.id)?.write_all(bytes) {
            progress.take_back();
            return Err(Error::file("write", folder.path(&self.id), error));
        }
        progress.hasher.update(bytes);
        progress.size = grown;
        Ok(())
    }

    pub(in crate::blobs) fn save(&mut self) -> Result<Acknowledged, Error> {
        let Some(progress) = &mut self.progress else { return Err(Error::NoUpload(self.id.clone())) };
        if progress.made {
            let folder = &self.local.0.uploads;
            progress.sync(folder, &self.id)?;
            folder.sync()?;
        }
        let state = hex::encode(progress.hasher.state());
        Ok(Acknowledged::new(&self.id, &self.repository, progress.size, state))
    }

    pub(in crate::blobs) fn finish(mut self, announced: &Digest) -> Result<Stored, Error> {
        let Some(mut progress) = self.progress.take() else { return Err(Error::NoUpload(self.id.clone())) };
        let done = self.publish(&mut progress, announced);
        if done.as_ref().is_err_and(Error::is_of_the_storage) {
            // The disk failed, not the bytes: the session stays, for the client to try again.
            self.progress = Some(progress);
            return done;
        }
        self.local.sessions().remove(&self.id);
        drop(progress);
        self.local.0.uploads.remove(&self.id)?;
        done
    }

    pub(in crate::blobs) fn discard(mut self) -> Result<(), Error> {
        self.progress = None;
        self.local.sessions().remove(&self.id);
        self.local.0.uploads.remove(&self.id)
    }

    fn publish(&self, progress: &mut Progress, announced: &Digest) -> Result<Stored, Error> {
        let folder = &self.local.0.uploads;
        let failed = |e: io::Error| Error::file("read", folder.path(&self.id), e);
        let hasher = match announced.algorithm() {
            Algorithm::Sha256 => progress.hasher.clone(),
            Algorithm::Sha512 => hash(progress.open(folder, &self.id)?, Algorithm::Sha512).map_err(failed)?,
        };
        same(hasher, announced)?;
        progress.sync(folder, &self.id)?;
        self.local.folder(announced.algorithm()).link_from(folder, &self.id, &announced.hex())?;
        Ok(Stored { digest: announced.clone(), size: progress.size, place: String::new() })
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(mut progress) = self.progress.take() else { return };
        progress.file = None;
        if let Some(session) = self.local.sessions().get_mut(&self.id) {
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
