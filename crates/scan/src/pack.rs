//! What a snapshot was built from, in chunks that move well: a client that has most of them fetches the rest.
//!
//! A snapshot file is made for reading: one new name moves every reference behind it, so two files of two days have
//! hardly a block in common. A pack is the same content before it is linked: the records, sorted by feed and id, in
//! chunks that end where the hash of a record's id says so. A record that changes changes its own chunk, a new one
//! the chunk it falls into. Building is deterministic, so whoever puts the records of a pack into a [`Builder`] gets
//! the very snapshot that its [`Index`] names, provided that both are of the same version of this program.
//!
//! ```text
//! Index     zstd of JSON: when it was built, the snapshot's id, the feeds, and digest and sizes of every chunk in order
//! chunk     zstd of lines, each a Record as JSON
//! ```
//!
//! Who may say so is not decided here: whoever publishes signs the digest of the index, which has those of all chunks.
//!
//! [`Builder`]: crate::Builder

mod index;
mod packer;

use std::io::Read as _;

use boltseal_model::{Advisory, Digest, Enrichment};
use serde::{Deserialize, Serialize};

pub use index::{ChunkInfo, Index, MAX_CHUNKS, MAX_INDEX_BYTES};
pub use packer::Packer;

/// One chunk before compression. Chunks end near [`packer::TARGET`]; only a record that is larger itself makes one of this size.
pub const MAX_CHUNK_BYTES: u64 = 32 << 20;

/// One record of a pack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Record {
    /// A vulnerability as one feed describes it.
    Advisory(Box<Advisory>),
    /// What a feed adds to a CVE that others describe.
    Enrichment(Enrichment),
}

/// Why a pack is not usable.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// Bytes that are not what a digest promises.
    #[error("{what} is not what its digest promises ({digest}): it was changed, or damaged on its way")]
    Digest {
        /// The index or a chunk.
        what: &'static str,
        /// The digest.
        digest: Digest,
    },
    /// Not an index, or not a chunk.
    #[error("{what} cannot be read: {why}")]
    Form {
        /// The index or a chunk.
        what: &'static str,
        /// What is wrong.
        why: String,
    },
    /// Written by another version.
    #[error("the pack has format {found}, but this program reads format {known}: use a newer Boltseal")]
    Format {
        /// In the index.
        found: u32,
        /// What we read.
        known: u32,
    },
    /// The disk, or the temporary folder where records wait.
    #[error("writing the pack: {0}")]
    Io(#[from] std::io::Error),
}

/// Hands every record of the chunk `bytes` to `each`, after comparing it with what the index says about it.
pub fn read_chunk(bytes: &[u8], info: &ChunkInfo, each: &mut dyn FnMut(Record)) -> Result<(), PackError> {
    const WHAT: &str = "a chunk of feeds";
    if Digest::of(bytes) != info.digest {
        return Err(PackError::Digest { what: WHAT, digest: info.digest.clone() });
    }
    let plain = inflate(bytes, info.plain.min(MAX_CHUNK_BYTES), WHAT)?;
    for line in plain.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let record = serde_json::from_slice(line);
        each(record.map_err(|error| PackError::Form { what: WHAT, why: error.to_string() })?);
    }
    Ok(())
}

/// At most `limit` bytes from one zstd frame; more is an error.
fn inflate(bytes: &[u8], limit: u64, what: &'static str) -> Result<Vec<u8>, PackError> {
    let form = |why: String| PackError::Form { what, why };
    let mut plain = Vec::new();
    let mut decoder = zstd::Decoder::with_buffer(bytes).map_err(|error| form(error.to_string()))?;
    decoder.window_log_max(MAX_WINDOW_LOG).map_err(|error| form(error.to_string()))?;
    decoder.take(limit + 1).read_to_end(&mut plain).map_err(|error| form(error.to_string()))?;
    if plain.len() as u64 > limit {
        return Err(form(format!("it has more than {limit} bytes")));
    }
    Ok(plain)
}

/// Windows of the frames that we write are far below 8 MiB.
const MAX_WINDOW_LOG: u32 = 23;
