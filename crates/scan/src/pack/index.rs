//! The list of a pack's chunks.

use std::collections::HashSet;

use boltseal_model::{Digest, FeedInfo, Timestamp};
use serde::{Deserialize, Serialize};

use super::{MAX_CHUNK_BYTES, PackError, inflate};

/// Raised with every change of what an index or a chunk means.
const FORMAT: u32 = 1;

/// Chunks of one pack: ten times what all public feeds make.
pub const MAX_CHUNKS: usize = 50_000;

/// An index, compressed or not; 50,000 chunks take 8 MB.
pub const MAX_INDEX_BYTES: u64 = 16 << 20;

/// What a pack holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    format: u32,
    /// When the snapshot was built.
    pub built: Timestamp,
    /// Id of the snapshot that the records make.
    pub snapshot: String,
    /// Where they came from.
    pub feeds: Vec<FeedInfo>,
    /// In order.
    pub chunks: Vec<ChunkInfo>,
}

/// One chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkInfo {
    /// Of the bytes as they are stored.
    pub digest: Digest,
    /// How many those are.
    pub bytes: u64,
    /// How many they become.
    pub plain: u64,
}

impl Index {
    pub(super) fn new(
        built: Timestamp,
        snapshot: String,
        feeds: Vec<FeedInfo>,
        chunks: Vec<ChunkInfo>,
    ) -> Self {
        Self { format: FORMAT, built, snapshot, feeds, chunks }
    }

    /// As it is stored.
    pub fn encode(&self) -> Result<Vec<u8>, PackError> {
        let json = serde_json::to_vec(self).map_err(|error| PackError::Io(error.into()))?;
        Ok(zstd::bulk::compress(&json, 9)?)
    }

    /// What [`Index::encode`] made, if it is what `digest` promises.
    pub fn decode(bytes: &[u8], digest: &Digest) -> Result<Self, PackError> {
        const WHAT: &str = "the index of feeds";
        let form = |why: String| PackError::Form { what: WHAT, why };
        if Digest::of(bytes) != *digest {
            return Err(PackError::Digest { what: WHAT, digest: digest.clone() });
        }
        let json = inflate(bytes, MAX_INDEX_BYTES, WHAT)?;
        let index: Self = serde_json::from_slice(&json).map_err(|error| form(error.to_string()))?;
        if index.format != FORMAT {
            return Err(PackError::Format { found: index.format, known: FORMAT });
        }
        if index.chunks.len() > MAX_CHUNKS {
            return Err(form(format!("it lists more than {MAX_CHUNKS} chunks")));
        }
        let too_large = |chunk: &&ChunkInfo| chunk.bytes.max(chunk.plain) > MAX_CHUNK_BYTES;
        if let Some(chunk) = index.chunks.iter().find(too_large) {
            return Err(form(format!("chunk {} is larger than {MAX_CHUNK_BYTES} bytes", chunk.digest)));
        }
        Ok(index)
    }

    /// Bytes of all chunks, each counted once.
    pub fn bytes(&self) -> u64 {
        let mut seen = HashSet::new();
        self.chunks.iter().filter(|chunk| seen.insert(&chunk.digest)).map(|chunk| chunk.bytes).sum()
    }
}
