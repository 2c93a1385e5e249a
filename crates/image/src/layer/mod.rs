//! One layer as a stream: read, inflated, hashed, on two threads.
//!
//! The producer reads the stored blob and inflates it; the consumer hashes both forms and hands the archive to a
//! walker. That splits the work nearly in half: of a gzip layer, inflating costs two parts, hashing (the stored bytes
//! and the archive) and walking one. Chunks go round in a fixed set of buffers, so memory does not depend on the
//! layer. When the consumer ends early the producer notices at its next chunk.
//!
//! Formats: gzip (RFC 1952, any number of members), zstd (RFC 8878, any number of frames), plain. Which one it is,
//! the first bytes tell, as in every container runtime; media types lie.

mod gzip;
mod inflate;
mod stream;
mod sums;

pub use stream::{Budget, Part, Totals, read};

/// Bytes of a chunk: large enough that handing over costs nothing, small enough to stay in the cache in between.
const CHUNK: usize = 256 << 10;
/// Chunks in flight, of both forms together: 4 MiB.
const CHUNKS: usize = 16;

/// A piece of a layer: a buffer and how much of it counts.
struct Chunk {
    bytes: Box<[u8]>,
    length: usize,
}

impl Chunk {
    fn new() -> Self {
        Self { bytes: vec![0; CHUNK].into_boxed_slice(), length: 0 }
    }

    fn filled(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// What the producer says.
enum Message {
    /// Stored bytes that were inflated or are about to be.
    Stored(Chunk),
    /// Bytes of the archive.
    Archive(Chunk),
    /// Bytes that are both, of a layer stored plain.
    Both(Chunk),
    /// There are no more.
    End,
    /// There is no going on.
    Failed(crate::Error),
}
