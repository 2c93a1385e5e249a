//! What can go wrong with a snapshot file.

use std::io;

/// Why a snapshot could not be written, opened or read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file is not a snapshot at all.
    #[error(
        "not a Boltseal snapshot ({0}): build one with `boltseal feeds import` or `boltseal feeds update`"
    )]
    NotASnapshot(&'static str),
    /// Written by another version.
    #[error(
        "snapshot format {found}, but this program reads format {known}: rebuild it with `boltseal feeds update`"
    )]
    Format {
        /// In the file.
        found: u32,
        /// What we read.
        known: u32,
    },
    /// Bytes that no builder writes.
    #[error(
        "snapshot damaged in section `{section}` at offset {offset}: {what}; rebuild it with `boltseal feeds update`"
    )]
    Damaged {
        /// Which part of the file.
        section: &'static str,
        /// Where in it, or an index for sections of records.
        offset: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// A section does not have the hash that the header says.
    #[error("snapshot section `{section}` does not match its hash: rebuild it with `boltseal feeds update`")]
    Hash {
        /// Which part of the file.
        section: &'static str,
    },
    /// More of something than the format can count.
    #[error("snapshot has more than {limit} {what}: import fewer feeds")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// The most there can be.
        limit: u64,
    },
    /// A catalog from the store that is not one.
    #[error("stored catalog cannot be read: {0}; scan the image again")]
    Catalog(String),
    /// The disk, or the temporary folder where texts wait.
    #[error("writing the snapshot: {0}")]
    Io(#[from] io::Error),
}
