//! What other systems report about themselves, as records.
//!
//! ```
//! use boltseal_audit::ingest::{Seen, kubernetes};
//!
//! let event = br#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","auditID":"7f3f","stage":"ResponseComplete",
//!     "verb":"create","user":{"username":"admin"},"objectRef":{"resource":"pods","subresource":"exec",
//!     "namespace":"shop","name":"web"},"responseStatus":{"code":101},
//!     "stageTimestamp":"2026-03-01T12:00:00.000000Z"}"#;
//! let mut seen = Seen::new(10_000);
//! let records = seen.fresh(kubernetes(event, "east")?);
//! assert_eq!(records[0].status.as_deref(), Some("exec into pod shop/web"));
//! assert!(seen.fresh(kubernetes(event, "east")?).is_empty());
//! # Ok::<(), boltseal_audit::ingest::IngestError>(())
//! ```
//!
//! Reporters repeat themselves: API servers send a batch again that was not answered in time, and Docker repeats what
//! `since` asks for. [`Seen`] remembers the last keys.
//!
//! One event that cannot be read refuses its batch, by number: nothing is left out in silence. What a command line or a
//! request holds besides names (arguments, bodies, environment) is not taken over, because secrets are written there.
//!
//! Limits: 16 MiB and 10,000 events a batch.

mod commands;
mod docker;
mod error;
mod kubernetes;
mod node;
mod seen;

pub use commands::docker_commands;
pub use docker::docker;
pub use error::IngestError;
pub use kubernetes::kubernetes;
pub use node::node;
pub use seen::{Key, Seen};

use crate::Record;

/// An event, as a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Ingested {
    /// What makes it the same event when it is reported again.
    pub key: Key,
    /// What happened.
    pub record: Record,
}

/// Bytes of a batch: an API server's is 400 events, of which one may carry an object of 1.5 MiB.
pub const MAX_BYTES: usize = 16 << 20;
/// Events of a batch; API servers send 400, and a backlog of Docker's is read in pieces.
pub const MAX_EVENTS: usize = 10_000;

/// The JSON values in `bytes`, one after another with or without white space between them.
fn values(bytes: &[u8]) -> Result<Vec<&serde_json::value::RawValue>, IngestError> {
    if bytes.len() > MAX_BYTES {
        return Err(IngestError::TooLarge { found: bytes.len() });
    }
    let mut values = Vec::new();
    for value in serde_json::Deserializer::from_slice(bytes).into_iter() {
        let number = values.len() + 1;
        values.push(value.map_err(|error| IngestError::event(number, &error.to_string()))?);
        if values.len() > MAX_EVENTS {
            return Err(IngestError::TooMany { limit: MAX_EVENTS });
        }
    }
    Ok(values)
}
