//! Anchors: what is remembered of a log outside of its folder, so that an old copy of the folder is noticed.

use std::fmt;

use super::{
    checkpoint::{Checkpoint, CheckpointError, Inconsistent, SignedCheckpoint},
    error::Error,
    key::Verifier,
    reader::Reader,
    storage::Storage,
};

/// The last checkpoint that was seen of a log. Its text is that checkpoint, signed.
///
/// Keep it where whoever can put back the log's folder cannot put it back too: another disk, another server, a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    checkpoint: SignedCheckpoint,
}

/// The log is not a continuation of what the anchor remembers.
#[derive(Debug, thiserror::Error)]
pub enum Rollback {
    /// It is an older state, or another log.
    #[error("{0}: this folder is an older copy, or was rewritten; do not append to it")]
    Inconsistent(#[from] Inconsistent),
    /// It cannot be read as far as needed to tell.
    #[error("the log cannot be compared with what was seen of it: {0}")]
    Unreadable(#[from] Error),
}

impl Anchor {
    /// Remembers a checkpoint whose signature was checked.
    pub const fn new(checkpoint: SignedCheckpoint) -> Self {
        Self { checkpoint }
    }

    /// Reads one that was kept, and checks that it is of the log whose key this is.
    pub fn open(bytes: &[u8], log: &Verifier) -> Result<Self, CheckpointError> {
        SignedCheckpoint::open(bytes, log).map(Self::new)
    }

    /// What it remembers.
    pub const fn checkpoint(&self) -> &Checkpoint {
        self.checkpoint.checkpoint()
    }

    /// Checks that the log still begins with what is remembered. Costs a few tiles, however large the log is.
    pub fn check<S: Storage>(&self, reader: &Reader<S>) -> Result<(), Rollback> {
        let newest = reader.checkpoint()?;
        let (had, has) = (self.checkpoint(), newest.checkpoint());
        let proof = if had.size < has.size { reader.consistency(had.size, has.size)? } else { Vec::new() };
        has.continues(had.size, &had.root, &proof)?;
        Ok(())
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.checkpoint.fmt(f)
    }
}
