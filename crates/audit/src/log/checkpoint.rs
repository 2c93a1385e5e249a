//! Checkpoints: how large a log is and which root its tree has, in a note (C2SP tlog-checkpoint).

use std::{fmt, str::FromStr};

use super::{
    hash::{Hash, HashError},
    key::{KeyError, Signer, Verifier},
    note::{Note, NoteError, Signature, Signed},
    tree::ProofError,
};

/// The largest tree: sizes of other implementations are signed 64-bit numbers.
pub const MAX_SIZE: u64 = i64::MAX as u64;
/// Most lines after the root. Nobody audits them, so we write none, and others may have a few.
const MAX_EXTENSIONS: usize = 64;

/// The head of a tree: origin, size, root. Its text is the text of the note, without signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Entries in it.
    pub size: u64,
    /// Root of the tree over them.
    pub root: Hash,
    /// Lines after the root; opaque. Ours have none.
    pub extensions: Vec<String>,
}

/// Why a text is not a checkpoint, or not one to trust.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Not a note, or not signed by whom we know.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Fewer than three lines, an empty one, or no line end.
    #[error("a checkpoint has an origin, a size, a root and perhaps more lines, none of them empty")]
    Form,
    /// The second line is not a number as a checkpoint writes it.
    #[error("the second line of a checkpoint is the number of entries, without leading zeros, below 2^63")]
    Size,
    /// The third line is not a hash.
    #[error("the third line of a checkpoint: {0}")]
    Root(#[from] HashError),
    /// It is about another log.
    #[error("the checkpoint is of the log `{found}`, not of `{wanted}`")]
    Origin {
        /// Its origin.
        found: String,
        /// The name of the key.
        wanted: String,
    },
    /// Signed, but not by the log itself.
    #[error("the checkpoint carries no signature of the log `{origin}` itself")]
    Unsigned {
        /// Its origin.
        origin: String,
    },
}

/// Reads a number as checkpoints write it: digits only, no leading zeros.
pub(super) fn number(text: &str) -> Option<u64> {
    let plain = text == "0" || (!text.starts_with('0') && text.bytes().all(|b| b.is_ascii_digit()));
    text.parse().ok().filter(|number| plain && *number <= MAX_SIZE)
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Form)?.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next()) else {
            return Err(CheckpointError::Form);
        };
        let extensions: Vec<String> = lines.by_ref().take(MAX_EXTENSIONS).map(str::to_owned).collect();
        if lines.next().is_some() || origin.is_empty() || extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Form);
        }
        let size = number(size).ok_or(CheckpointError::Size)?;
        Ok(Self { origin: origin.to_owned(), size, root: root.parse()?, extensions })
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root)?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint with its signatures, as it is kept and sent. Its text is the whole note.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    pub(super) note: Note,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// Reads one without trusting it.
    pub fn parse(bytes: &[u8]) -> Result<Self, CheckpointError> {
        let note = Note::parse(bytes)?;
        Ok(Self { checkpoint: note.text().parse()?, note })
    }

    /// Reads one and checks that it is of the log whose key this is.
    pub fn open(bytes: &[u8], log: &Verifier) -> Result<Self, CheckpointError> {
        let signed = Self::parse(bytes)?;
        signed.verify(log, &[])?;
        Ok(signed)
    }

    /// Signs a checkpoint of one's own log.
    pub fn sign(checkpoint: Checkpoint, signer: &Signer) -> Result<Self, KeyError> {
        let text = checkpoint.to_string();
        let signatures = vec![signer.sign(&text)?];
        Ok(Self { note: Note { text, signatures }, checkpoint })
    }

    /// Checks that it is of the log whose key this is. Gives the cosignatures by `witnesses` it also carries, at most
    /// one for each; how many are enough is the caller's policy.
    pub fn verify(&self, log: &Verifier, witnesses: &[Verifier]) -> Result<Vec<Signed>, CheckpointError> {
        if self.checkpoint.origin != log.name() {
            let (found, wanted) = (self.checkpoint.origin.clone(), log.name().to_owned());
            return Err(CheckpointError::Origin { found, wanted });
        }
        // One call for each key: a witness may have the name of the log.
        self.note.verify(std::slice::from_ref(log)).map_err(|error| match error {
            NoteError::Unsigned { .. } => {
                CheckpointError::Unsigned { origin: self.checkpoint.origin.clone() }
            }
            other => CheckpointError::Note(other),
        })?;
        match self.note.verify(witnesses) {
            Err(NoteError::Unsigned { .. }) => Ok(Vec::new()),
            result => Ok(result?),
        }
    }

    /// The same with the cosignatures that a witness answered with: signature lines (C2SP tlog-witness).
    ///
    /// Only those by `witnesses` are taken; one of them must be there.
    pub fn cosigned(&self, answer: &[u8], witnesses: &[Verifier]) -> Result<Self, CheckpointError> {
        let mut bytes = self.note.text.clone().into_bytes();
        bytes.push(b'\n');
        bytes.extend_from_slice(answer);
        let answered = Note::parse(&bytes)?;
        if answered.text != self.note.text {
            return Err(CheckpointError::Note(NoteError::Form));
        }
        answered.verify(witnesses)?;
        let mut cosigned = self.clone();
        for signature in answered.signatures {
            if witnesses.iter().any(|witness| witness.is_named_by(&signature)) {
                cosigned.replace(signature);
            }
        }
        Ok(cosigned)
    }

    /// What it says.
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The note it is.
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// Adds a signature in place of an older one by the same key.
    fn replace(&mut self, signature: Signature) {
        let is_same = |other: &Signature| other.id == signature.id && other.name == signature.name;
        self.note.signatures.retain(|other| !is_same(other));
        self.note.signatures.push(signature);
    }
}

impl fmt::Display for SignedCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// Why two checkpoints are not of one log that only grew.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Inconsistent {
    /// The newer one has fewer entries.
    #[error("the log had {had} entries and has {has} now")]
    Shrunk {
        /// Entries before.
        had: u64,
        /// Entries now.
        has: u64,
    },
    /// As large as it was, with another root.
    #[error("the log of {size} entries had the root {had} and has {has} now")]
    Changed {
        /// Entries of both.
        size: u64,
        /// The root before.
        had: Hash,
        /// The root now.
        has: Hash,
    },
    /// Larger, but what was there before is not its beginning.
    #[error("the log of {has} entries does not begin with the {had} entries that were seen before: {source}")]
    Forked {
        /// Entries before.
        had: u64,
        /// Entries now.
        has: u64,
        /// Why the proof fails.
        source: ProofError,
    },
}

impl Checkpoint {
    /// Whether `self` may be a later state of the log that was `size` entries long under `root`, as `proof` shows.
    pub(super) fn continues(&self, size: u64, root: &Hash, proof: &[Hash]) -> Result<(), Inconsistent> {
        if self.size < size {
            return Err(Inconsistent::Shrunk { had: size, has: self.size });
        }
        if size == self.size && self.root != *root {
            return Err(Inconsistent::Changed { size, had: *root, has: self.root });
        }
        let checked = if size == 0 {
            // Everything begins with nothing: no proof is needed, and none may be sent.
            let wrong = ProofError::Length { found: proof.len(), size: self.size };
            if proof.is_empty() { Ok(()) } else { Err(wrong) }
        } else {
            super::tree::verify_consistency(size, self.size, root, &self.root, proof)
        };
        checked.map_err(|source| Inconsistent::Forked { had: size, has: self.size, source })
    }
}
