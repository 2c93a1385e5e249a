//! The log over HTTP: as C2SP tiles for any tool of that format, as JSON, and in other systems' formats.
//!
//! | file | what |
//! |---|---|
//! | `tiles` | `/audit/checkpoint` and `/audit/tile/…`: the files of the log itself (C2SP tlog-tiles) |
//! | `records` | single entries, pages of them, proofs |
//! | `standing` | how the log stands, and reading it again from its beginning |
//! | `export` | the log in other systems' formats, as a stream |
//! | `witness` | cosigning other logs, and having ours cosigned |
//! | `sinks` | other systems that are sent every record |
//! | `ingest` | what clusters and engines report about themselves |
//!
//! Whoever reads needs `Boltseal/audit/records/read`, and is recorded: once a minute, however
//! many requests that takes.

pub(crate) mod export;
pub(crate) mod ingest;
pub(crate) mod records;
pub(crate) mod sinks;
pub(crate) mod standing;
pub(crate) mod tiles;
pub(crate) mod witness;
