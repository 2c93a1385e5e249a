//! Records of what happened, in a log that anybody can check.
//!
//! Whoever does something describes it as a [`Record`]; its canonical JSON is one entry of an append-only Merkle tree
//! (RFC 6962), kept as tiles that any tool for C2SP `tlog-tiles` can read, under a checkpoint signed as a C2SP
//! `signed-note`. A proof shows, without us and offline, that an entry is in the log; the log shows that nothing was
//! changed, dropped or put in between.
//!
//! In reading order:
//!
//! - [`record`]: who did what to which digest or scope, from where, with which outcome, and why it was allowed;
//!   written in OCSF classes as RFC 8785 canonical JSON.
//! - [`log`]: tree, tiles, checkpoints, proofs, verification, witnesses. Bytes in, bytes out, over a [`log::Storage`].
//! - [`query`]: filters over records: who, what, when, which subject.
//! - [`export`]: the same records as OCSF, CEF, syslog, `CloudEvents`, OTLP and Azure's diagnostic format.
//! - [`ingest`]: what Kubernetes, Docker and our own nodes report about themselves, as records.
//!
//! Rules:
//!
//! - Names, paths and digests in clear. Secrets, tokens and values never: [`record`] has no field for them.
//! - Nothing here reads the clock or draws randomness except to make a key; callers hand in the time.
//! - Everything read back is untrusted: tiles, notes and proofs are parsed with limits and typed errors.
//!
//! This crate must not know: who may do what, HTTP, databases, threads, terminals.

pub mod export;
pub mod ingest;
pub mod log;
pub mod query;
pub mod record;

pub use record::Record;
