//! The hashes of a layer: of its stored bytes, of its archive, and of one file in it at a time.
//!
//! Two hashes at once cost little more than one (`boltseal_sys::Sha256`). So an archive is hashed only when its bytes are
//! let go of: until then a file that begins in them may ask for its own hash, and where none does, stored bytes that wait
//! for theirs keep it company.

use std::{collections::VecDeque, sync::mpsc::Sender};

use boltseal_model::{Algorithm, Digest, Hasher};
use boltseal_sys::Sha256;

use super::Chunk;

/// Stored chunks that wait for company; with more, too few would go round.
const MAX_WAITING: usize = 6;

/// See the [module](self).
pub struct Sums {
    stored: Sum,
    archive: Sum,
    /// The file that is hashed, and its bytes to come.
    file: Option<(Sum, u64)>,
    waiting: VecDeque<Chunk>,
    /// Bytes of the first one waiting that are hashed.
    at: usize,
    give_back: Sender<Chunk>,
}

/// A hash in the making.
enum Sum {
    Sha256(Sha256),
    Other(Hasher),
}

impl Sum {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha512 => Self::Other(Hasher::new(algorithm)),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Other(hash) => hash.update(bytes),
        }
    }

    fn update_both(&mut self, bytes: &[u8], other: &mut Self, others: &[u8]) {
        if let (Self::Sha256(hash), Self::Sha256(other)) = (&mut *self, &mut *other) {
            hash.update_both(bytes, other, others);
        } else {
            self.update(bytes);
            other.update(others);
        }
    }

    /// `None` never happens: a SHA-256 is 32 bytes long.
    fn finish(self) -> Option<Digest> {
        match self {
            Self::Sha256(hash) => Digest::of_sha256(&hash.finish()),
            Self::Other(hash) => Some(hash.finish()),
        }
    }
}

impl Sums {
    /// Of no bytes. Stored chunks go to `give_back` once they are hashed.
    pub fn new(stored: Algorithm, archive: Algorithm, give_back: Sender<Chunk>) -> Self {
        let (stored, archive) = (Sum::new(stored), Sum::new(archive));
        Self { stored, archive, file: None, waiting: VecDeque::new(), at: 0, give_back }
    }

    /// The next stored bytes.
    pub fn stored(&mut self, chunk: Chunk) {
        self.waiting.push_back(chunk);
        if self.waiting.len() > MAX_WAITING {
            self.hash_oldest();
        }
    }

    /// The next stored bytes, which are needed for something else too.
    pub fn stored_plain(&mut self, bytes: &[u8]) {
        self.stored.update(bytes);
    }

    /// The next bytes of the archive.
    pub fn archive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = self.with_file(bytes).unwrap_or_else(|| self.with_stored(bytes));
            bytes = bytes.get(taken..).unwrap_or_default();
        }
    }

    /// Hashes a file that begins with the next byte of the archive.
    pub fn begin_file(&mut self, length: u64) {
        self.file = Some((Sum::new(Algorithm::Sha256), length));
    }

    /// Bytes of the file that are still to come.
    pub fn file_left(&self) -> u64 {
        self.file.as_ref().map_or(0, |(_, left)| *left)
    }

    /// The hash of the file, if all of it came.
    pub fn end_file(&mut self) -> Option<Digest> {
        let (sum, left) = self.file.take()?;
        if left == 0 { sum.finish() } else { None }
    }

    /// The digests of all stored bytes and of the archive.
    pub fn finish(mut self) -> Option<(Digest, Digest)> {
        while !self.waiting.is_empty() {
            self.hash_oldest();
        }
        Some((self.stored.finish()?, self.archive.finish()?))
    }

    /// Hashes bytes of the archive that are bytes of the file too, if there are such, and says how many.
    fn with_file(&mut self, bytes: &[u8]) -> Option<usize> {
        let (sum, left) = self.file.as_mut().filter(|(_, left)| *left > 0)?;
        let taken = usize::try_from(*left).map_or(bytes.len(), |left| left.min(bytes.len()));
        let bytes = bytes.get(..taken)?;
        self.archive.update_both(bytes, sum, bytes);
        *left -= taken as u64;
        Some(taken)
    }

    /// Hashes bytes of the archive, and as many that wait, if any do.
    fn with_stored(&mut self, bytes: &[u8]) -> usize {
        let Some(waiting) = self.waiting.front().and_then(|chunk| chunk.filled().get(self.at..)) else {
            self.archive.update(bytes);
            return bytes.len();
        };
        let taken = waiting.len().min(bytes.len());
        let both = (bytes.get(..taken).unwrap_or_default(), waiting.get(..taken).unwrap_or_default());
        self.archive.update_both(both.0, &mut self.stored, both.1);
        self.at += taken;
        if taken == waiting.len() {
            self.let_go();
        }
        taken
    }

    fn hash_oldest(&mut self) {
        if let Some(rest) = self.waiting.front().and_then(|chunk| chunk.filled().get(self.at..)) {
            self.stored.update(rest);
        }
        self.let_go();
    }

    fn let_go(&mut self) {
        self.at = 0;
        if let Some(chunk) = self.waiting.pop_front() {
            // A producer that has ended takes nothing back; the chunk is freed then.
            let _ = self.give_back.send(chunk);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn chunk(bytes: &[u8]) -> Chunk {
        Chunk { bytes: bytes.into(), length: bytes.len() }
    }

    /// Stored chunks in every number, files at every place: the digests are those of the bytes, and every chunk comes back.
    #[test]
    fn whatever_comes_together_the_digests_are_right() {
        let bytes: Vec<u8> = (0..=250).cycle().take(3000).collect();
        for algorithm in [Algorithm::Sha256, Algorithm::Sha512] {
            for chunks in [0, 1, 5, MAX_WAITING, 20] {
                for (from, length) in [(0, 0), (0, 3000), (512, 1000), (100, 1), (2999, 1)] {
                    let (give_back, returned) = channel();
                    let mut sums = Sums::new(algorithm, Algorithm::Sha256, give_back);
                    (0..chunks).for_each(|_| sums.stored(chunk(&bytes[..333])));
                    sums.archive(&bytes[..from]);
                    sums.begin_file(length as u64);
                    for piece in bytes[from..].chunks(700) {
                        sums.archive(piece);
                        sums.stored(chunk(b"more"));
                    }
                    assert_eq!(sums.end_file(), Some(Digest::of(&bytes[from..from + length])));
                    let more = bytes[from..].chunks(700).count();
                    let mut stored = Hasher::new(algorithm);
                    (0..chunks).for_each(|_| stored.update(&bytes[..333]));
                    (0..more).for_each(|_| stored.update(b"more"));
                    assert_eq!(sums.finish(), Some((stored.finish(), Digest::of(&bytes))));
                    assert_eq!(returned.into_iter().count(), chunks + more);
                }
            }
        }
    }

    #[test]
    fn a_file_that_did_not_pass_has_no_hash() {
        let mut sums = Sums::new(Algorithm::Sha256, Algorithm::Sha256, channel().0);
        assert_eq!(sums.end_file(), None);
        sums.begin_file(10);
        sums.archive(b"123456789");
        assert_eq!((sums.file_left(), sums.end_file()), (1, None));
    }
}
