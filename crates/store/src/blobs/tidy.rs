//! Keeping the blob store tidy: bytes that nobody names, bytes that are not what they should be, and how much room is
//! left.

use std::{io::Read as _, path::PathBuf, time::Duration};

use boltseal_model::{Digest, Hasher};

use super::{Backend, Blobs, local};
use crate::Error;

/// How much is read and hashed at a time.
const PIECE: usize = 1 << 20;

/// Bytes under a digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Under which.
    pub digest: Digest,
    /// How many.
    pub size: u64,
}

/// How full a disk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Disk {
    /// Bytes that we may still write.
    pub free: u64,
    /// Bytes of it.
    pub size: u64,
}

/// What reading bytes again found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// They are what their digest says.
    Whole,
    /// They are not; this is wrong with them.
    Rotten(String),
    /// Somebody said to stop before the end.
    Unfinished,
}

/// Goes through all blobs of this machine's disk.
#[derive(Debug)]
pub struct Walk(Option<local::Walk>);

impl Blobs {
    /// Goes through all blobs, in no order. An object store has nothing to go through: its places are in the facts
    /// before bytes come.
    pub fn walk(&self) -> Walk {
        match &self.backend {
            Backend::Local(local) => Walk(Some(local.walk())),
            Backend::Objects(_) => Walk(None),
        }
    }

    /// Reads bytes again and holds them against their digest. `heed` is called after each piece with its length, may
    /// take its time, and gives whether to go on.
    pub fn check(&self, digest: &Digest, mut heed: impl FnMut(u64) -> bool) -> Result<Condition, Error> {
        let mut content = match self.read(digest) {
            Ok((content, _)) => content,
            Err(Error::NoBlob(_)) => return Ok(Condition::Rotten("the bytes are missing".to_owned())),
            Err(error) => return Err(error),
        };
        let mut hasher = Hasher::new(digest.algorithm());
        let mut piece = vec![0; PIECE];
        loop {
            match content.read(&mut piece) {
                Ok(0) => break,
                Ok(read) => {
                    hasher.update(piece.get(..read).unwrap_or_default());
                    if !heed(read as u64) {
                        return Ok(Condition::Unfinished);
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // A sector that cannot be read is rot too.
                Err(error) => return Ok(Condition::Rotten(format!("the bytes cannot be read: {error}"))),
            }
        }
        let actual = hasher.finish();
        Ok(if actual == *digest {
            Condition::Whole
        } else {
            Condition::Rotten(format!("the bytes have digest {actual}"))
        })
    }

    /// Takes damaged bytes out of the way, for somebody to look at: into `quarantine/` beside the blobs. Nothing where
    /// there are none, and in an object store, where they stay at their place and nobody asks for it any more. Call it
    /// while holding [`Blobs::lock`].
    pub fn quarantine(&self, digest: &Digest) -> Result<Option<PathBuf>, Error> {
        match &self.backend {
            Backend::Local(local) => local.quarantine(digest),
            Backend::Objects(_) => Ok(None),
        }
    }

    /// Removes what uploads left that no session owns and nobody wrote to for `age`. Gives how many files, and their
    /// bytes.
    pub fn sweep_uploads(&self, age: Duration) -> Result<(u64, u64), Error> {
        match &self.backend {
            Backend::Local(local) => local.sweep_uploads(age),
            // How many bytes they had nobody wrote down.
            Backend::Objects(objects) => objects.sweep_age(age).map(|objects| (objects, 0)),
        }
    }

    /// How full the disk is, where it is this machine's.
    pub fn disk(&self) -> Result<Option<Disk>, Error> {
        match &self.backend {
            Backend::Local(local) => local.disk().map(Some),
            Backend::Objects(_) => Ok(None),
        }
    }
}

impl Walk {
    /// Up to `limit` of those that nobody wrote to for `age`; nothing at the end. Before that, a list may be empty.
    pub fn next(&mut self, limit: usize, age: Duration) -> Result<Option<Vec<Found>>, Error> {
        match &mut self.0 {
            Some(walk) => walk.next(limit, age),
            None => Ok(None),
        }
    }
}
