//! Why the log cannot be exchanged.

use boltseal_audit::log::{CheckpointError, KeyError};
use boltseal_identity::seal::SealError;

use crate::recorder;

/// Why something about sinks or witnesses did not work.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Asked(String),
    /// Something that is not there.
    #[error("there is no {what} `{name}` here")]
    Missing {
        /// What kind of thing.
        what: &'static str,
        /// What was asked for, shortened.
        name: String,
    },
    /// A setting that was changed by something else, or by a newer version.
    #[error("the setting {name} cannot be read: {why}")]
    Setting {
        /// Its name.
        name: String,
        /// Why not.
        why: String,
    },
    /// A secret could not be sealed or opened.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// Not a key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A checkpoint that was kept cannot be used.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The facts could not be asked or changed.
    #[error(transparent)]
    Store(#[from] boltseal_store::Error),
    /// The log could not be read or written.
    #[error(transparent)]
    Log(#[from] recorder::Error),
}

impl Error {
    pub(super) fn missing(what: &'static str, name: &str) -> Self {
        Self::Missing { what, name: name.chars().take(120).collect() }
    }
}
