//! What a publisher signs: a note of five lines (C2SP signed-note).
//!
//! ```text
//! boltseal feeds v1
//! 2026-11-25T06:00:00Z
//! 5f0c…                        id of the snapshot
//! sha256:ab12…                 digest of the index
//! 123456                       its bytes
//!
//! — feeds.example.com AbCd…
//! ```

use boltseal_audit::log::{Note, NoteError, Signer, Verifier};
use boltseal_model::{Digest, Timestamp};

/// The first line: a key that signs other notes too signs no feeds by accident.
const KIND: &str = "boltseal feeds v1";

/// What the format of notes allows.
pub(super) const MAX_NOTE_BYTES: u64 = boltseal_audit::log::MAX_NOTE as u64;

/// What a note says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Announcement {
    pub built: Timestamp,
    pub snapshot: String,
    pub index: Digest,
    pub bytes: u64,
}

/// Why a note is not to be trusted, or not about feeds.
#[derive(Debug, thiserror::Error)]
pub enum AnnouncementError {
    /// Not a note, not signed by a known key, or forged.
    #[error("{0}; are these the feeds, and is this the key, of whom you mean?")]
    Note(#[from] NoteError),
    /// A note about something else.
    #[error("the note is signed, but it is not about feeds")]
    Other,
    /// The key could not sign.
    #[error("signing: {0}")]
    Key(#[from] boltseal_audit::log::KeyError),
}

impl Announcement {
    pub(super) fn sign(&self, signer: &Signer) -> Result<String, AnnouncementError> {
        let Self { built, snapshot, index, bytes } = self;
        let text = format!("{KIND}\n{built}\n{snapshot}\n{index}\n{bytes}\n");
        let signature = signer.sign(&text)?;
        Ok(format!("{text}\n{signature}"))
    }

    /// What `note` says, if one of `keys` signed it.
    pub(super) fn open(note: &[u8], keys: &[Verifier]) -> Result<Self, AnnouncementError> {
        let note = Note::parse(note)?;
        note.verify(keys)?;
        Self::of_text(note.text()).ok_or(AnnouncementError::Other)
    }

    /// What a note says that was checked when it came.
    pub(super) fn of_known(note: &[u8]) -> Result<Self, AnnouncementError> {
        Self::of_text(Note::parse(note)?.text()).ok_or(AnnouncementError::Other)
    }

    fn of_text(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut next = || lines.next();
        if next()? != KIND {
            return None;
        }
        let built = next()?.parse().ok()?;
        let snapshot = next()?.to_owned();
        let (index, bytes) = (next()?.parse().ok()?, next()?.parse().ok()?);
        next().is_none().then_some(Self { built, snapshot, index, bytes })
    }
}
