//! Proofs in a file: that an entry is in the log, for anybody, offline (`c2sp.org/tlog-proof@v1`).

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    bundle::MAX_ENTRY,
    checkpoint::{CheckpointError, SignedCheckpoint, number},
    error::Error,
    hash::{Hash, HashError},
    key::Verifier,
    note::{MAX_NOTE, Signed},
    reader::Reader,
    storage::Storage,
    tree::{MAX_PROOF, ProofError, verify_inclusion},
};

/// First line of the file.
const HEADER: &str = "c2sp.org/tlog-proof@v1\n";
/// The most extra data: an entry.
pub const MAX_EXTRA: usize = MAX_ENTRY;
/// The largest file: extra data and hashes in base64, and a note.
pub const MAX_PROOF_FILE: usize = MAX_EXTRA / 3 * 4 + 64 + MAX_PROOF * 45 + MAX_NOTE;

/// That an entry is in a log. Its text is the file, usually named `*.tlog-proof`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The entry, from 0.
    pub index: u64,
    /// From the leaf's sibling up.
    pub path: Vec<Hash>,
    /// The checkpoint whose root the path leads to.
    pub checkpoint: SignedCheckpoint,
    /// Whatever the maker put beside it; nothing vouches for it. Ours put the entry here, so that the file alone says
    /// what it proves; [`Proof::verify`] is given the entry all the same.
    pub extra: Option<Vec<u8>>,
}

/// Why bytes are not a proof, or prove nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// More than a proof may have.
    #[error("the proof has {found} bytes; at most {MAX_PROOF_FILE} are read")]
    TooLarge {
        /// Its bytes.
        found: usize,
    },
    /// Not this format.
    #[error("not a proof: its first line is not `c2sp.org/tlog-proof@v1`")]
    Header,
    /// The extra data is not base64, or too much.
    #[error("the extra data of the proof is not base64, or more than {MAX_EXTRA} bytes")]
    Extra,
    /// No line `index NUMBER` in its place.
    #[error("the proof has no line `index` with the number of the entry")]
    Index,
    /// No blank line between the path and the checkpoint.
    #[error("the proof has no blank line before its checkpoint")]
    Form,
    /// A line of the path is not a hash.
    #[error("hash {number} of the path: {source}")]
    Hash {
        /// From 1.
        number: usize,
        /// What is wrong.
        source: HashError,
    },
    /// More hashes than any tree needs.
    #[error("the path has more than {MAX_PROOF} hashes")]
    TooMany,
    /// The checkpoint in it is none, or is not trusted.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The path does not lead from the entry to the root.
    #[error("the entry is not number {index} of this log: {source}")]
    Path {
        /// The entry, from 0.
        index: u64,
        /// What is wrong.
        source: ProofError,
    },
}

impl Proof {
    /// Proves entry `index` under the newest checkpoint, and puts the entry beside it. The proof was checked.
    pub fn make<S: Storage>(reader: &Reader<S>, index: u64) -> Result<Self, Error> {
        Self::under(reader, index, reader.checkpoint()?)
    }

    /// The same under a checkpoint of the log that was kept, such as one that witnesses have cosigned.
    pub fn under<S: Storage>(
        reader: &Reader<S>,
        index: u64,
        checkpoint: SignedCheckpoint,
    ) -> Result<Self, Error> {
        checkpoint.verify(reader.verifier(), &[])?;
        let size = checkpoint.checkpoint().size;
        let path = reader.inclusion(index, size)?;
        let entry = reader.entry(index, size)?;
        verify_inclusion(index, size, &Hash::leaf(&entry), &path, &checkpoint.checkpoint().root)
            .map_err(|source| Error::Proof { index, source })?;
        Ok(Self { index, path, checkpoint, extra: Some(entry) })
    }

    /// Reads a proof without trusting it.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        if bytes.len() > MAX_PROOF_FILE {
            return Err(ProofFileError::TooLarge { found: bytes.len() });
        }
        let rest = bytes.strip_prefix(HEADER.as_bytes()).ok_or(ProofFileError::Header)?;
        let end = rest.windows(2).position(|pair| pair == b"\n\n").ok_or(ProofFileError::Form)?;
        let (head, checkpoint) = rest.split_at(end);
        let head = std::str::from_utf8(head).map_err(|_| ProofFileError::Index)?;
        let mut lines = head.split('\n').peekable();
        let extra = lines.next_if(|line| line.starts_with("extra "));
        let extra = extra.map(|line| read_extra(line).ok_or(ProofFileError::Extra)).transpose()?;
        let index = lines.next().and_then(|line| line.strip_prefix("index ")).and_then(number);
        let index = index.ok_or(ProofFileError::Index)?;
        let path = read_path(lines)?;
        let checkpoint = SignedCheckpoint::parse(checkpoint.get(2..).unwrap_or_default())?;
        Ok(Self { index, path, checkpoint, extra })
    }

    /// Checks that `entry` is in the log whose key this is, at [`index`](Self::index).
    pub fn verify(&self, entry: &[u8], log: &Verifier) -> Result<(), ProofFileError> {
        self.verify_cosigned(entry, log, &[]).map(drop)
    }

    /// The same, and gives the cosignatures by `witnesses` under it; how many are enough is the caller's policy.
    pub fn verify_cosigned(
        &self,
        entry: &[u8],
        log: &Verifier,
        witnesses: &[Verifier],
    ) -> Result<Vec<Signed>, ProofFileError> {
        let cosigned = self.checkpoint.verify(log, witnesses)?;
        let checkpoint = self.checkpoint.checkpoint();
        verify_inclusion(self.index, checkpoint.size, &Hash::leaf(entry), &self.path, &checkpoint.root)
            .map_err(|source| ProofFileError::Path { index: self.index, source })?;
        Ok(cosigned)
    }
}

fn read_extra(line: &str) -> Option<Vec<u8>> {
    let text = line.strip_prefix("extra ").filter(|text| text.len() <= MAX_EXTRA / 3 * 4 + 4)?;
    STANDARD.decode(text).ok().filter(|extra| extra.len() <= MAX_EXTRA)
}

/// Reads hashes, one a line.
fn read_path<'a>(lines: impl Iterator<Item = &'a str>) -> Result<Vec<Hash>, ProofFileError> {
    let mut path = Vec::new();
    for (number, line) in (1..).zip(lines) {
        if number > MAX_PROOF {
            return Err(ProofFileError::TooMany);
        }
        path.push(line.parse().map_err(|source| ProofFileError::Hash { number, source })?);
    }
    Ok(path)
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEADER)?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
