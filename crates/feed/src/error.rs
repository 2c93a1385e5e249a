//! What can go wrong with a feed as a whole. A single bad record is not an error: see [`Sink`](crate::Sink).

use std::io;
use std::path::{Path, PathBuf};

use boltseal_wire::client;

/// Why a feed, or a file of it, is not usable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file system said no.
    #[error("{path}: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file that is not what it claims to be.
    #[error("{name}: not a usable {format} file: {why}; fetch it again")]
    Broken {
        /// The file, with the path inside its archive.
        name: String,
        /// The format it was taken for, or `zip`, `tar`, …
        format: &'static str,
        /// What is wrong, and where.
        why: String,
    },
    /// No format claims the file.
    #[error("{name}: not a vulnerability feed that is understood; known are {known}")]
    Unrecognised {
        /// The file.
        name: String,
        /// Ids of all formats.
        known: String,
    },
    /// A file that would take too much of something.
    #[error("{name}: {what} is more than the limit of {limit}; this is not a genuine feed")]
    Limit {
        /// The file, with the path inside its archive.
        name: String,
        /// What there is too much of.
        what: String,
        /// The limit.
        limit: u64,
    },
    /// A file with nothing in it that counts.
    #[error("{name}: no vulnerability record in it ({rejected} rejected); the older data is kept")]
    Empty {
        /// The file.
        name: String,
        /// Records that made no sense.
        rejected: u64,
    },
    /// Fetching failed.
    #[error(transparent)]
    Fetch(#[from] client::Error),
    /// Another process is at work in the same folder.
    #[error("{path}: feeds are being changed by another process; wait for it to end and try again")]
    Busy {
        /// The folder of raw feeds.
        path: PathBuf,
    },
    /// A feed that was asked for by name and does not exist.
    #[error("there is no feed `{id}`; known are {known}")]
    Unknown {
        /// As asked for.
        id: String,
        /// What there is.
        known: String,
    },
}

impl Error {
    /// For `map_err` on file operations.
    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { path, source }
    }

    pub(crate) fn broken(name: &str, format: &'static str, why: impl std::fmt::Display) -> Self {
        Self::Broken { name: name.to_owned(), format, why: why.to_string() }
    }

    pub(crate) fn limit(name: &str, what: impl Into<String>, limit: u64) -> Self {
        Self::Limit { name: name.to_owned(), what: what.into(), limit }
    }
}
