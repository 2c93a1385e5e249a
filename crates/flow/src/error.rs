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
    /// Published feeds could not be fetched or stored.
    #[error("feeds at {place}: {source}")]
    Shelf {
        /// Where they are.
        place: String,
        /// What whoever keeps them said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Published feeds that are not signed by who should have.
    #[error("feeds at {place}: {source}")]
    Announcement {
        /// Where they are.
        place: String,
        /// What is wrong.
        source: Box<crate::feeds::AnnouncementError>,
    },
    /// Published feeds that are not what was signed, or cannot be read.
    #[error("feeds at {place}: {source}")]
    Pack {
        /// Where they are.
        place: String,
        /// What is wrong.
        source: boltseal_scan::pack::PackError,
    },
    /// Published feeds that are older than those in use: an old copy, or somebody who puts one back.
    #[error(
        "feeds at {place} are of {offered}, older than those in use, of {used}: wait for newer ones, or say `--allow-older`"
    )]
    Older {
        /// Where they are.
        place: String,
        /// When those were built.
        offered: jiff::Timestamp,
        /// When these were.
        used: jiff::Timestamp,
    },
    /// Somebody else is changing the feeds.
    #[error("another boltseal is changing the feeds in {path}: wait until it is done, then try again")]
    Busy {
        /// The folder of feeds.
        path: PathBuf,
    },
    /// A VEX document that the user gave cannot be read.
    #[error(transparent)]
    Vex(#[from] boltseal_scan::vex::Error),
    /// A registry did not give what is attached to the image.
    #[error(transparent)]
    Registry(#[from] boltseal_image::remote::Error),
    /// Attachments of an image that is in no registry.
    #[error("{reference} is in no registry, so nothing is attached to it: give files with --vex")]
    NoRegistry {
        /// As the user named it.
        reference: String,
    },
    /// A trust policy of Notary Project that nobody can follow.
    #[error(transparent)]
    Notary(crate::notary::NotaryError),
    /// More signatures than anybody reads.
    #[error("{what} has {found} signatures and attestations, more than {limit}: remove those of old keys")]
    TooManySignatures {
        /// The image.
        what: String,
        /// How many there are.
        found: usize,
        /// How many are looked at.
        limit: usize,
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
