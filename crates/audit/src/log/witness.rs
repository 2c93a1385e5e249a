//! Witnesses: another server states that it saw a log only grow (C2SP tlog-witness, `add-checkpoint`).
//!
//! Everything here is a decision over plain values. The witness keeps one [`Seen`] for each log, and must have the new
//! one on disk, in place of the old one that was decided on, before it answers.

use std::fmt;

use boltseal_model::Timestamp;

use super::{
    checkpoint::{Checkpoint, CheckpointError, Inconsistent, SignedCheckpoint, number},
    hash::{Hash, HashError},
    key::{Cosigner, KeyError, Verifier},
    note::{MAX_NOTE, Signature},
};

/// Most hashes that a request may bring; the protocol fixes it.
const MAX_HASHES: usize = 63;
/// The largest request: the line with the size, hashes in base64, and a note.
pub const MAX_REQUEST: usize = 64 + MAX_HASHES * 45 + MAX_NOTE;
/// Media type of a [`Refusal::Conflict`]'s body; other bodies are plain text.
pub const SIZE_MEDIA_TYPE: &str = "text/x.tlog.size";

/// A request to cosign a checkpoint. Its text is the body of `POST add-checkpoint`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the log believes the witness to have seen last.
    pub old: u64,
    /// That the tree of that size is the beginning of the new one.
    pub proof: Vec<Hash>,
    /// What shall be cosigned.
    pub checkpoint: SignedCheckpoint,
}

/// Why a request cannot be read. The answer is 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// More than a request may have.
    #[error("the request has {found} bytes; at most {MAX_REQUEST} are read")]
    TooLarge {
        /// Its bytes.
        found: usize,
    },
    /// The first line is not `old SIZE`, or there is no blank line before the checkpoint.
    #[error("a request is `old SIZE`, hashes, a blank line and a checkpoint")]
    Form,
    /// A line of the proof is not a hash.
    #[error("hash {number} of the proof: {source}")]
    Hash {
        /// From 1.
        number: usize,
        /// What is wrong.
        source: HashError,
    },
    /// More hashes than may be sent.
    #[error("the proof has more than {MAX_HASHES} hashes")]
    TooMany,
    /// The checkpoint is none.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
}

/// The checkpoint of a log that a witness has cosigned last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Entries in it.
    pub size: u64,
    /// Root of its tree.
    pub root: Hash,
}

/// That a checkpoint was cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// Goes into the answer: its text is the body.
    pub signature: Signature,
    /// To be remembered, on disk, before the answer is sent.
    pub seen: Seen,
}

/// Why a witness does not cosign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 404: it does not watch this log.
    #[error("the log `{origin}` is not known here")]
    UnknownLog {
        /// Its origin.
        origin: String,
    },
    /// 403: the checkpoint is not by the log's key.
    #[error(transparent)]
    Untrusted(CheckpointError),
    /// 400: the old size is above the new one.
    #[error("the old size {old} is above the size {size} of the checkpoint")]
    Backwards {
        /// The old size in the request.
        old: u64,
        /// Entries in the checkpoint.
        size: u64,
    },
    /// 409: the witness has seen another size last; ask again from there.
    #[error("{seen} entries were seen last, not {old}")]
    Conflict {
        /// Entries seen last.
        seen: u64,
        /// The old size in the request.
        old: u64,
    },
    /// 422: an empty tree with a root that is not that of an empty tree.
    #[error("a log without entries has the root {found}")]
    EmptyRoot {
        /// The root in the checkpoint.
        found: Hash,
    },
    /// 422: the checkpoint does not continue what was seen. Keep the request: it may prove that the log misbehaves.
    #[error(transparent)]
    Inconsistent(#[from] Inconsistent),
    /// 500: the witness could not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Refusal {
    /// The HTTP status that the protocol wants.
    pub const fn status(&self) -> u16 {
        match self {
            Self::Backwards { .. } => 400,
            Self::Untrusted(_) => 403,
            Self::UnknownLog { .. } => 404,
            Self::Conflict { .. } => 409,
            Self::EmptyRoot { .. } | Self::Inconsistent(_) => 422,
            Self::Key(_) => 500,
        }
    }

    /// The body of the answer. For a conflict it is the size seen last, of type [`SIZE_MEDIA_TYPE`].
    pub fn body(&self) -> String {
        match self {
            Self::Conflict { seen, .. } => format!("{seen}\n"),
            other => format!("{other}\n"),
        }
    }
}

impl AddCheckpoint {
    /// Reads the body of a request.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > MAX_REQUEST {
            return Err(RequestError::TooLarge { found: body.len() });
        }
        let end = body.windows(2).position(|pair| pair == b"\n\n").ok_or(RequestError::Form)?;
        let (head, checkpoint) = body.split_at(end);
        let head = std::str::from_utf8(head).map_err(|_| RequestError::Form)?;
        let mut lines = head.split('\n');
        let old = lines.next().and_then(|line| line.strip_prefix("old ")).and_then(number);
        let old = old.ok_or(RequestError::Form)?;
        let mut proof = Vec::new();
        for (number, line) in (1..).zip(lines) {
            if number > MAX_HASHES {
                return Err(RequestError::TooMany);
            }
            proof.push(line.parse().map_err(|source| RequestError::Hash { number, source })?);
        }
        let checkpoint = SignedCheckpoint::parse(checkpoint.get(2..).unwrap_or_default())?;
        Ok(Self { old, proof, checkpoint })
    }

    /// What the request is about, to look up the key and what was seen of the log.
    pub const fn checkpoint(&self) -> &Checkpoint {
        self.checkpoint.checkpoint()
    }

    /// Decides as a witness. `log` is the key that is trusted for the checkpoint's origin, if any; `seen` is what was
    /// cosigned last of it.
    pub fn decide(
        &self,
        log: Option<&Verifier>,
        seen: Option<&Seen>,
        cosigner: &Cosigner,
        now: Timestamp,
    ) -> Result<Cosigned, Refusal> {
        let new = self.checkpoint();
        let unknown = || Refusal::UnknownLog { origin: new.origin.clone() };
        let log = log.filter(|log| log.name() == new.origin).ok_or_else(unknown)?;
        self.checkpoint.verify(log, &[]).map_err(Refusal::Untrusted)?;
        if self.old > new.size {
            return Err(Refusal::Backwards { old: self.old, size: new.size });
        }
        let (size, root) = seen.map_or((0, Hash::empty()), |seen| (seen.size, seen.root));
        if self.old != size {
            return Err(Refusal::Conflict { seen: size, old: self.old });
        }
        if new.size == 0 && new.root != Hash::empty() {
            return Err(Refusal::EmptyRoot { found: new.root });
        }
        new.continues(size, &root, &self.proof)?;
        let signature = cosigner.cosign(self.checkpoint.note().text(), now)?;
        Ok(Cosigned { signature, seen: Seen { size: new.size, root: new.root } })
    }
}

impl fmt::Display for AddCheckpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
