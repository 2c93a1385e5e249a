//! Why a log cannot be used.

use std::{
    io,
    path::{Path, PathBuf},
};

use boltseal_audit::log::{self, KeyError, KeyFileError, Rollback};

/// Why a log cannot be used. Every variant says what to do, since somebody stands before a server that will not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The log could not be read or written.
    #[error("audit log: {0}")]
    Log(#[from] log::Error),
    /// It is not what was signed.
    #[error(
        "audit log: {0}; somebody changed it, or the disk did: restore the `audit` folder from a copy, and find out \
         with `boltseal audit verify`"
    )]
    Broken(String),
    /// It does not continue what was seen of it.
    #[error(
        "audit log: {source} (seen before: {})\n  next: if this is a backup that you restored on purpose, start once \
         with --accept-restored-log REASON; otherwise keep the folder as evidence", anchor.display()
    )]
    Rollback {
        /// Where the earlier checkpoint is remembered.
        anchor: PathBuf,
        /// How it differs.
        source: Rollback,
    },
    /// The facts are older than the log.
    #[error(
        "audit log: it has {log} entries, but facts.db knows of {facts} only: the database was put back to an older \
         state\n  next: restore the whole data folder from one backup, or start once with --accept-restored-log REASON"
    )]
    OldFacts {
        /// Entries in the log.
        log: u64,
        /// Entries that the facts have numbered.
        facts: u64,
    },
    /// The log is older than the facts.
    #[error(
        "audit log: entries {log} to {facts} are missing: the `audit` folder was put back to an older state, or \
         entries were dropped\n  next: restore the whole data folder from one backup"
    )]
    OldLog {
        /// Entries in the log.
        log: u64,
        /// The first entry that the facts still have.
        facts: u64,
    },
    /// The log's key cannot be used.
    #[error("audit log: its key {}: {source}", path.display())]
    Key {
        /// The key file.
        path: PathBuf,
        /// Why not.
        source: KeyError,
    },
    /// The log is there, and its key is not.
    #[error(
        "audit log: there are entries, but the key {} that signs them is missing\n  next: restore it from a backup of \
         the data folder", path.display()
    )]
    NoKey {
        /// The key file.
        path: PathBuf,
    },
    /// The file system said no.
    #[error("audit log: {}: {source}", path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// What it said.
        source: io::Error,
    },
    /// An entry that is durable, but that no checkpoint covers yet.
    #[error("entry {index} is not sealed yet: try again in a second")]
    Unsealed {
        /// The entry, from 0.
        index: u64,
    },
    /// The facts could not be asked.
    #[error("audit log: {0}")]
    Facts(boltseal_store::Error),
    /// A background task ended unexpectedly.
    #[error("{0} ended unexpectedly; see the log")]
    Task(&'static str),
}

impl From<KeyFileError> for Error {
    fn from(wrong: KeyFileError) -> Self {
        match wrong {
            KeyFileError::Io { path, source } => Self::File { path, source },
            KeyFileError::Key { path, source } => Self::Key { path, source },
        }
    }
}

impl Error {
    pub(super) fn file(path: &Path, source: io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(super) const fn facts(source: boltseal_store::Error) -> Self {
        Self::Facts(source)
    }
}
