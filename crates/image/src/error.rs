//! What can go wrong between an image's bytes and its tree, always with the layer and the path it happened at.

use std::{fmt, io};

use boltseal_model::{Digest, Platform, ReferenceError};

use crate::remote;

/// Why an image could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The text does not name an image.
    #[error("`{target}` does not name an image: {why}")]
    Target {
        /// As given.
        target: String,
        /// What is wrong with it and what to write instead.
        why: String,
    },
    /// A bare text that is neither an existing path nor a reference.
    #[error("`{target}` is neither a file or folder here nor an image reference: {source}")]
    Reference {
        /// As given.
        target: String,
        /// What the reference grammar says.
        source: ReferenceError,
    },
    /// The place is there, the image is not.
    #[error("{place}: no image `{wanted}`; {found}")]
    NotFound {
        /// Which layout, archive or registry.
        place: String,
        /// Tag, digest or name that was asked for.
        wanted: String,
        /// What there is instead.
        found: String,
    },
    /// A file or folder could not be read.
    #[error("{what}: {source}")]
    Io {
        /// Path, and what was done with it.
        what: String,
        /// What the system says.
        source: io::Error,
    },
    /// The source has no such blob.
    #[error("blob {digest} is missing from {place}")]
    NoBlob {
        /// Which blob.
        digest: Digest,
        /// Where it should be.
        place: String,
    },
    /// The source failed while it handed out a blob.
    #[error("blob {digest} could not be read: {source}")]
    Blob {
        /// Which blob.
        digest: Digest,
        /// What the source says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A registry said no, or something that is not an answer.
    #[error(transparent)]
    Remote(Box<remote::Error>),
    /// A manifest, index, configuration or archive list breaks its format.
    #[error("{what}: {why}")]
    Malformed {
        /// Which document.
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// No image in an index fits the platform.
    #[error("{what} has no image for {wanted}; choose with --platform: {offered}")]
    Platform {
        /// Which index.
        what: String,
        /// What was asked for.
        wanted: Platform,
        /// The platforms there are.
        offered: String,
    },
    /// Bytes that are not what their digest promises: damage or a forgery.
    #[error("{what}: digest is {found}, expected {expected}: the content is damaged or was replaced")]
    Digest {
        /// Which content.
        what: String,
        /// Promised.
        expected: Digest,
        /// Computed.
        found: Digest,
    },
    /// A layer that cannot be unpacked.
    #[error("layer {layer}{at}: {why}")]
    Layer {
        /// Which layer.
        layer: LayerName,
        /// Where in it.
        at: At,
        /// What is wrong.
        why: String,
    },
    /// More of something than we are willing to read.
    #[error("layer {layer}{at}: more than {limit} {what}; the limit guards against archive bombs")]
    Limit {
        /// Which layer.
        layer: LayerName,
        /// Where in it.
        at: At,
        /// Of what.
        what: &'static str,
        /// How much is allowed.
        limit: u64,
    },
}

/// How messages name a layer: its digest, or its place where it has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LayerName {
    /// Of the blob.
    Digest(Digest),
    /// A file name.
    Place(String),
}

impl fmt::Display for LayerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Digest(digest) => fmt::Display::fmt(digest, f),
            Self::Place(place) => f.write_str(place),
        }
    }
}

/// Where in a layer: at an entry, or at a byte of the uncompressed archive, or unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// The path of an entry.
    Entry(String),
    /// An offset in the uncompressed archive.
    Byte(u64),
    /// The layer as a whole.
    Whole,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Entry(path) => write!(f, ", entry {}", shown(path)),
            Self::Byte(offset) => write!(f, ", byte {offset}"),
            Self::Whole => Ok(()),
        }
    }
}

impl Error {
    /// For implementations of [`crate::Blobs`]: the blob is there but cannot be read.
    pub fn blob(digest: &Digest, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Blob { digest: digest.clone(), source: source.into() }
    }

    pub(crate) fn malformed(what: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::Malformed { what: what.into(), why: why.to_string() }
    }

    pub(crate) fn io(what: impl Into<String>, source: io::Error) -> Self {
        Self::Io { what: what.into(), source }
    }

    pub(crate) fn target(target: &str, why: impl Into<String>) -> Self {
        Self::Target { target: shown(target), why: why.into() }
    }
}

/// A wrong digest is one wherever the bytes come from.
impl From<remote::Error> for Error {
    fn from(error: remote::Error) -> Self {
        match error {
            remote::Error::Digest { what, expected, found } => {
                Self::Digest { what, expected: *expected, found: *found }
            }
            other => Self::Remote(Box::new(other)),
        }
    }
}

/// Quotes move no cursor.
fn escaped(sign: char) -> impl Iterator<Item = char> {
    let is_plain = matches!(sign, '\'' | '"');
    let as_it_is = is_plain.then_some(sign);
    as_it_is.into_iter().chain(sign.escape_debug().filter(move |_| !is_plain))
}

/// Longest foreign text in a message: enough to find it, too little to flood a terminal.
const MAX_SHOWN: usize = 300;

/// Foreign text made fit for a message: short, and without control characters that would move a terminal's cursor.
pub(crate) fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(MAX_SHOWN).flat_map(escaped).collect();
    if text.chars().nth(MAX_SHOWN).is_some() {
        out.push('…');
    }
    out
}
