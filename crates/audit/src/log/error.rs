//! Why a log cannot be read or written.

use std::io;

use super::{
    bundle::EntryTooLong, checkpoint::CheckpointError, hash::Hash, key::KeyError, tile::TileError,
    tree::ProofError,
};

/// Every variant names the file, where it is about one.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage failed.
    #[error("{path}: {source}")]
    Storage {
        /// The file, by its path in the log.
        path: String,
        /// What it said.
        source: io::Error,
    },
    /// A file that must be there is not.
    #[error("{path} is missing: restore it from a copy of the log")]
    Missing {
        /// The file, by its path in the log.
        path: String,
    },
    /// There are entries, but the checkpoint over them is gone. This is no new log.
    #[error(
        "the checkpoint is missing, but {path} is there: restore it, or verify and archive the log first"
    )]
    NoCheckpoint {
        /// A file that shows it.
        path: String,
    },
    /// The checkpoint is not one, or not signed by the log's key.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// The bytes of a tile are not what its width says.
    #[error("{path}: {source}")]
    Tile {
        /// The file, by its path in the log.
        path: String,
        /// What is wrong with it.
        source: TileError,
    },
    /// The tiles at the right edge do not have the root that was signed.
    #[error(
        "the tiles of the {size} entries have the root {computed}, but {signed} was signed: verify the log"
    )]
    Root {
        /// Entries in the log.
        size: u64,
        /// The root in the checkpoint.
        signed: Hash,
        /// The root over the tiles.
        computed: Hash,
    },
    /// An entry at the right edge is not the one whose hash is in the tree.
    #[error("{path}: entry {index} is not the one that was logged: verify the log")]
    Entry {
        /// The entry, from 0.
        index: u64,
        /// The bundle it lies in.
        path: String,
    },
    /// An entry of a batch is too long; none of the batch was written.
    #[error("entry {number} of the batch: {source}")]
    TooLong {
        /// Its place in the batch, from 0.
        number: usize,
        /// How long it is.
        source: EntryTooLong,
    },
    /// There is no such entry.
    #[error("entry {index} is not in a log of {size} entries")]
    NoEntry {
        /// The entry asked for, from 0.
        index: u64,
        /// Entries in the log.
        size: u64,
    },
    /// The entry was archived: its hash is here, the entry itself is elsewhere.
    #[error("entry {index} was archived, as were all before {first}: look into the archive of the log")]
    Archived {
        /// The entry asked for, from 0.
        index: u64,
        /// The first entry that was not archived.
        first: u64,
    },
    /// A log has no more entries than it can count.
    #[error("the log is full")]
    Full,
    /// A write failed, and nobody knows how much of it is on disk.
    #[error("the log is stopped after a failed write: open it again to see what was written")]
    Stopped,
    /// A proof made from the tiles leads elsewhere: tiles were changed.
    #[error("the tiles give no valid proof for entry {index}: {source}: verify the log")]
    Proof {
        /// The entry, from 0.
        index: u64,
        /// What is wrong with the proof.
        source: ProofError,
    },
    /// The key could not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Error {
    pub(super) fn storage(path: impl ToString) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Storage { path: path.to_string(), source }
    }

    pub(super) fn tile(path: impl ToString) -> impl FnOnce(TileError) -> Self {
        move |source| Self::Tile { path: path.to_string(), source }
    }
}
