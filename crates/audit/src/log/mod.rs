//! The tree, its tiles, checkpoints and proofs: a C2SP `tlog-tiles` log that any tool for that format can read.
//!
//! In reading order:
//!
//! | module | what |
//! |---|---|
//! | `hash`, `tree` | SHA-256 as RFC 6962 uses it; roots, and paths that prove |
//! | `tile`, `bundle` | how hashes and entries lie in files, and at which paths |
//! | `key`, `keyfile`, `note`, `checkpoint` | who signs, what is signed, and how both are written |
//! | `storage`, `folder` | where the files are: in memory or on disk |
//! | `append`, `edge` | [`Log`]: adding entries under a new checkpoint |
//! | `reader`, `proof`, `verify` | [`Reader`]: entries and proofs; [`Proof`]: a file for others; [`verify`]: every byte |
//! | `witness`, `anchor` | that nobody was shown another log, and that nobody put back an old one |
//!
//! What holds:
//!
//! - An entry is acknowledged when [`Log::append`] returns: entries, tiles and then the checkpoint are on disk. A crash
//!   before that leaves the old checkpoint with all it needs.
//! - Nothing but a proof is believed: [`Proof::make`] checks what it hands out, [`Log::open`] checks the right edge
//!   against the signed root, and [`verify`] recomputes everything.
//! - Whoever holds the key can sign another history. Witnesses, who cosign, and an [`Anchor`] outside the folder are
//!   what tells.
//!
//! Limits: entries of 65,535 bytes, notes of 256 KiB with 64 signatures, 64 hashes in a proof, sizes below 2⁶³; each is
//! a named constant with its reason.
//!
//! The format is fixed by C2SP tlog-tiles, signed-note, tlog-checkpoint, tlog-proof, tlog-cosignature (Ed25519) and
//! tlog-witness, as of 2026.

mod anchor;
mod append;
mod bundle;
mod checkpoint;
mod edge;
mod error;
mod folder;
mod hash;
mod key;
mod keyfile;
mod note;
mod proof;
mod reader;
mod storage;
mod tile;
pub mod tree;
mod verify;
mod witness;

pub use anchor::{Anchor, Rollback};
pub use append::Log;
pub use bundle::{Bundle, EntryTooLong, MAX_ENTRY, ReadEntries, push_entry, read_entries};
pub use checkpoint::{Checkpoint, CheckpointError, Inconsistent, MAX_SIZE, SignedCheckpoint};
pub use error::Error;
pub use folder::Folder;
pub use hash::{HASH_BYTES, Hash, HashError};
pub use key::{Cosigner, KeyError, KeyKind, MAX_NAME, Signer, Verifier};
pub use keyfile::{KeyFileError, write_private};
pub use note::{MAX_NOTE, MAX_SIGNATURES, Note, NoteError, Signature, Signed};
pub use proof::{MAX_EXTRA, MAX_PROOF_FILE, Proof, ProofFileError};
pub use reader::{CHECKPOINT, Entries, Reader};
pub use storage::{Memory, Storage};
pub use tile::{Kind, MAX_LEVEL, TILE_WIDTH, Tile, TileError, read_hashes, write_hashes};
pub use verify::{Broken, Verified, verify};
pub use witness::{AddCheckpoint, Cosigned, MAX_REQUEST, Refusal, RequestError, SIZE_MEDIA_TYPE, Seen};
