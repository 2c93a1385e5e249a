//! Upload sessions that any server can go on with: all there is to know of them is in the facts.
//!
//! Bytes that fill parts are stored as parts. What is left over, the tail, is an object of its own as soon as the
//! session is saved; if nothing follows it becomes the blob, or its last part.

use std::{fmt, time::Duration};

use boltseal_model::{Algorithm, Digest, Hasher, Timestamp};
use serde::{Deserialize, Serialize};

use super::{
    super::{MAX_SESSIONS, grow, same},
    Objects,
    stream::{Begun, PART, Stream},
};
use crate::{Acknowledged, Error, Stored};

/// How long a request has a session without renewing it.
const CLAIM: Duration = Duration::from_mins(1);
/// Sessions that end at once. More end the next time.
const ENDING: u64 = 10_000;
/// How much of an object is read and hashed at a time.
const PIECE: usize = 1 << 20;

/// A session checked out by one request.
pub(in crate::blobs) struct Upload {
    objects: Objects,
    id: String,
    repository: String,
    /// What this request calls itself.
    claimant: String,
    until: Timestamp,
    stream: Stream,
    hasher: Hasher,
    size: u64,
    tail: Option<Tail>,
    /// The facts were told, or will be: the session need not be given back.
    settled: bool,
}

/// The bytes that fill no part, as an object.
struct Tail {
    place: String,
    /// They are in the stream's buffer too.
    loaded: bool,
}

/// How to go on.
#[derive(Default, Deserialize, Serialize)]
struct State {
    /// State of the hash, as hexadecimal digits.
    sha256: String,
    /// Bytes of a part.
    part: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    place: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    multipart: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    parts: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tail: Option<String>,
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Upload").field("id", &self.id).field("size", &self.size).finish_non_exhaustive()
    }
}

impl Objects {
    pub(in crate::blobs) fn start_upload(&self, repository: &str) -> Result<String, Error> {
        let id = uuid::Uuid::new_v4().to_string();
        let (facts, name, repository) = (self.0.facts.clone(), id.clone(), repository.to_owned());
        self.wait(async move { facts.begin_upload(&name, &repository, MAX_SESSIONS).await })?;
        Ok(id)
    }

    pub(in crate::blobs) fn resume(&self, id: &str, repository: &str) -> Result<Upload, Error> {
        let claimant = uuid::Uuid::new_v4().to_string();
        let until = Timestamp::now() + CLAIM;
        let (facts, name, of, by) =
            (self.0.facts.clone(), id.to_owned(), repository.to_owned(), claimant.clone());
        let known = self.wait(async move { facts.claim_upload(&name, &of, &by, until).await })?;
        let mut upload = Upload {
            objects: self.clone(),
            id: id.to_owned(),
            repository: repository.to_owned(),
            claimant,
            until,
            stream: Stream::new(self.clone(), Some(id.to_owned())),
            hasher: Hasher::new(Algorithm::Sha256),
            size: known.size,
            tail: None,
            settled: false,
        };
        if !known.state.is_empty() {
            upload.go_on(&known.state)?;
        }
        Ok(upload)
    }

    pub(in crate::blobs) fn expire_uploads(&self, age: Duration) -> Result<Vec<String>, Error> {
        self.sweep()?;
        let facts = self.0.facts.clone();
        self.wait(async move { facts.idle_uploads(facts.before(age), ENDING).await })
    }
}

impl Upload {
    pub(in crate::blobs) fn id(&self) -> &str {
        &self.id
    }

    pub(in crate::blobs) const fn size(&self) -> u64 {
        self.size
    }

    pub(in crate::blobs) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        let grown = grow(self.size, bytes.len())?;
        self.renew()?;
        self.load_tail()?;
        (self.tail, self.settled) = (None, false);
        self.stream.push(bytes)?;
        self.hasher.update(bytes);
        self.size = grown;
        Ok(())
    }

    pub(in crate::blobs) fn save(&mut self) -> Result<Acknowledged, Error> {
        self.stream.settle()?;
        if self.tail.is_none() && !self.stream.buffer.is_empty() {
            let place = self.objects.announce(Some(&self.id))?;
            let bytes = bytes::Bytes::from(std::mem::take(&mut self.stream.buffer));
            let stored = self.objects.put(&place, bytes.clone());
            self.stream.buffer = bytes.into();
            stored?;
            self.tail = Some(Tail { place, loaded: true });
        }
        let begun = self.stream.begun.clone();
        let tail = self.tail.as_ref().map(|tail| tail.place.clone());
        let (place, multipart) = begun.map(|begun| (begun.place, begun.multipart)).unzip();
        let places = place.iter().chain(&tail).cloned().collect();
        let sha256 = hex::encode(self.hasher.state());
        let state = State {
            sha256,
            part: self.stream.part,
            place,
            multipart,
            parts: self.stream.parts.clone(),
            tail,
        };
        let state = serde_json::to_string(&state).map_err(|e| Error::corrupt("uploads.state", &e))?;
        // An empty one is given back as it was.
        self.settled = self.size > 0;
        let claimant = Some(self.claimant.clone());
        Ok(Acknowledged {
            claimant,
            places,
            ..Acknowledged::new(&self.id, &self.repository, self.size, state)
        })
    }

    pub(in crate::blobs) fn finish(mut self, announced: &Digest) -> Result<Stored, Error> {
        let stored = self.publish(announced);
        if stored.as_ref().is_err_and(Error::is_of_the_storage) {
            // Dropped, it goes back as it was last saved, for the client to try again.
            self.settled = false;
            return stored;
        }
        // Either the facts hear of the blob now, or the session is of no use.
        self.settled = true;
        if stored.is_err() {
            self.end()?;
        }
        stored
    }

    pub(in crate::blobs) fn discard(mut self) -> Result<(), Error> {
        self.settled = true;
        self.end()
    }

    fn publish(&mut self, announced: &Digest) -> Result<Stored, Error> {
        self.renew()?;
        if announced.algorithm() == Algorithm::Sha256 {
            same(self.hasher.clone(), announced)?;
        }
        let place = match &self.tail {
            Some(tail) if self.stream.begun.is_none() => tail.place.clone(),
            _ => {
                self.load_tail()?;
                self.stream.finish()?
            }
        };
        if announced.algorithm() != Algorithm::Sha256 {
            // Nobody said so before. Nothing names the object yet, so it can be read again.
            self.check(&place, announced)?;
        }
        Ok(Stored { digest: announced.clone(), size: self.size, place })
    }

    fn check(&self, place: &str, announced: &Digest) -> Result<(), Error> {
        use std::io::Read as _;
        let mut reading = super::Reading::new(self.objects.clone(), place.to_owned(), self.size);
        let mut hasher = Hasher::new(announced.algorithm());
        let mut piece = vec![0; PIECE];
        loop {
            let read = reading.read(&mut piece).map_err(|e| Error::file("read", place, e))?;
            if read == 0 {
                return same(hasher, announced);
            }
            hasher.update(piece.get(..read).unwrap_or_default());
        }
    }

    fn go_on(&mut self, state: &str) -> Result<(), Error> {
        let unreadable = |what: &str| Error::corrupt("uploads.state", what);
        let state: State = serde_json::from_str(state).map_err(|e| unreadable(&e.to_string()))?;
        let sha256 = hex::decode(&state.sha256).ok();
        self.hasher = sha256
            .and_then(|sha256| Hasher::restored(Algorithm::Sha256, &sha256))
            .ok_or_else(|| unreadable("not the state of a hash"))?;
        self.stream.part = if state.part == 0 { PART } else { state.part };
        self.stream.parts = state.parts;
        self.stream.begun =
            state.place.zip(state.multipart).map(|(place, multipart)| Begun { place, multipart });
        self.tail = state.tail.map(|place| Tail { place, loaded: false });
        Ok(())
    }

    /// Brings the tail back into memory, for more to follow it.
    fn load_tail(&mut self) -> Result<(), Error> {
        let Some(tail) = self.tail.as_mut().filter(|tail| !tail.loaded) else { return Ok(()) };
        let whole = (self.stream.parts.len() as u64).saturating_mul(self.stream.part as u64);
        let bytes = self.objects.get(&tail.place, 0..self.size.saturating_sub(whole))?;
        tail.loaded = true;
        self.stream.push(&bytes)
    }

    fn renew(&mut self) -> Result<(), Error> {
        if self.until > Timestamp::now() + CLAIM / 2 {
            return Ok(());
        }
        let until = Timestamp::now() + CLAIM;
        let (facts, id, by) = (self.objects.0.facts.clone(), self.id.clone(), self.claimant.clone());
        self.objects.wait(async move { facts.renew_upload(&id, &by, until).await })?;
        self.until = until;
        Ok(())
    }

    /// Forgets the session and what it stored.
    fn end(&mut self) -> Result<(), Error> {
        let (facts, id) = (self.objects.0.facts.clone(), self.id.clone());
        self.objects.wait(async move { facts.remove_upload(&id).await })?;
        self.objects.abandon(Vec::new(), self.stream.pending.take());
        Ok(())
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        let (facts, id, by) = (self.objects.0.facts.clone(), self.id.clone(), self.claimant.clone());
        self.objects.0.runtime.spawn(async move {
            if let Err(error) = facts.give_back_upload(&id, &by).await {
                tracing::warn!(%error, id, "giving an upload session back; its claim runs out");
            }
        });
    }
}
