//! Why the story stopped.

use std::{io, path::PathBuf};

/// Every variant says what, where, and the next step.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The image could not be read.
    #[error(transparent)]
    Image(#[from] boltseal_image::Error),
    /// Feeds could not be read or fetched.
    #[error(transparent)]
    Feed(#[from] boltseal_feed::Error),
    /// The snapshot in the data folder cannot be used.
    #[error("feeds in {path}: {source}")]
    Snapshot {
        /// The snapshot file.
        path: PathBuf,
        /// What is wrong with it.
        source: boltseal_scan::Error,
    },
    /// There is nothing to build a snapshot from.
    #[error("no feeds in {path}: run `boltseal feeds update`, or `boltseal feeds import PATH`")]
    NoFeeds {
        /// The folder of raw feeds.
        path: PathBuf,
    },
    /// Somebody else is changing the feeds.
    #[error("another boltseal is changing the feeds in {path}: wait until it is done, then try again")]
    Busy {
        /// The folder of feeds.
        path: PathBuf,
    },
    /// A file or folder of ours.
    #[error("{what} {path}: {source}")]
    Io {
        /// What was done.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}
