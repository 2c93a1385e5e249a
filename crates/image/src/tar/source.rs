//! Where an archive's bytes come from.

use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, Seek as _, SeekFrom},
};

use boltseal_model::Digest;

/// Bytes that come in pieces, without a copy between the pieces and the walker.
pub trait Source {
    /// The bytes at hand; empty only at the end.
    fn fill(&mut self) -> io::Result<&[u8]>;

    /// Forgets the first `count` of the bytes at hand.
    fn consume(&mut self, count: usize);

    /// Passes over `count` bytes, or as many as there are, and says how many.
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let mut left = count;
        while left > 0 {
            let at_hand = self.fill()?.len();
            if at_hand == 0 {
                break;
            }
            let take = usize::try_from(left).map_or(at_hand, |left| left.min(at_hand));
            self.consume(take);
            left -= take as u64;
        }
        Ok(count - left)
    }

    /// Hashes the next `count` bytes as they pass, where it can.
    fn hash_next(&mut self, count: u64) {
        let _ = count;
    }

    /// The SHA-256 of the bytes that [`Source::hash_next`] was called for, once they have passed or are at hand.
    fn hashed(&mut self) -> Option<Digest> {
        None
    }
}

impl Source for &[u8] {
    fn fill(&mut self) -> io::Result<&[u8]> {
        Ok(self)
    }

    fn consume(&mut self, count: usize) {
        *self = self.get(count..).unwrap_or_default();
    }
}

/// A file, where passing over is a seek.
pub struct Seekable {
    reader: BufReader<File>,
    length: u64,
}

impl Seekable {
    /// Starts at the beginning of `file`.
    pub fn new(mut file: File) -> io::Result<Self> {
        file.seek(SeekFrom::Start(0))?;
        let length = file.metadata()?.len();
        Ok(Self { reader: BufReader::with_capacity(64 << 10, file), length })
    }
}

impl Source for Seekable {
    fn fill(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.reader.consume(count);
    }

    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let left = self.length.saturating_sub(self.reader.stream_position()?);
        let skipped = count.min(left);
        self.reader.seek_relative(i64::try_from(skipped).map_err(io::Error::other)?)?;
        Ok(skipped)
    }
}
