//! The log of what was done: records, proofs, state. The log itself is served as C2SP tiles below `/audit/`.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One record with its place in the log. `GET /api/v1/audit/records/{index}`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Number of the entry, from 0.
    pub index: u64,
    /// Whether a signed checkpoint covers it already; at the latest a second after it was written.
    pub sealed: bool,
    /// The entry: OCSF.
    pub record: serde_json::Value,
}

/// `GET /api/v1/audit/records`: newest first. The filters are query parameters: `who`, `action`, `activity`, `class`,
/// `since`, `until`, `subject`, `outcome`, `severity`, `alert`, `text`; `before` is the `next` of the page before,
/// `limit` at most 1,000.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Records {
    /// Those that match.
    pub records: Vec<Recorded>,
    /// Where the next page begins; absent at the beginning of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
    /// How many entries were looked at for this page. A page may be empty and still have a next one.
    pub scanned: u64,
}

/// `GET /api/v1/audit/status`: how the log stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// The log's name, as in its checkpoints.
    pub origin: String,
    /// The key that checkpoints are verified with: `name+hash+base64`.
    pub key: String,
    /// Entries that the newest checkpoint covers.
    pub size: u64,
    /// Root hash, base64.
    pub root: String,
    /// When that checkpoint was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<Timestamp>,
    /// Entries that are durable but not covered yet.
    pub waiting: u64,
    /// Entries before this one were archived: their hashes are here, they themselves elsewhere.
    #[serde(default)]
    pub archived: u64,
    /// What was found when the log was last verified from its beginning.
    pub verified: Verified,
    /// Why nothing is recorded any more, and so nothing changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<String>,
    /// Why the last try to seal entries failed, if it did; they wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing: Option<String>,
    /// Servers that cosigned the newest checkpoint.
    pub witnesses: Vec<Witness>,
}

/// What a verification of the whole log found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum Verified {
    /// Under way.
    Running {
        /// Entries checked so far.
        checked: u64,
    },
    /// Every entry, tile and signature is as it must be.
    Good {
        /// Entries checked.
        checked: u64,
        /// When it ended.
        at: Timestamp,
    },
    /// It is not: nothing is recorded any more, and so nothing changed.
    Broken {
        /// The first bad entry, and what is wrong with it.
        why: String,
    },
}

/// A server that cosigns our checkpoints.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness {
    /// Name of its key.
    pub name: String,
    /// The largest size it has cosigned.
    pub size: u64,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why it did not cosign the newest checkpoint, if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `POST /api/v1/audit/witnesses`: a server that shall cosign our checkpoints (C2SP tlog-witness).
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWitness {
    /// Where: `https://witness.example:8443/audit/witness`; `/add-checkpoint` comes behind it.
    pub url: String,
    /// The key that it cosigns with: `name+hash+base64`.
    pub key: String,
    /// What to send as `Authorization`, such as `Basic …` of a service principal there. Never shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// The authority of its certificate, as PEM, where the system does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
}

impl std::fmt::Debug for NewWitness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewWitness").field("url", &self.url).field("key", &self.key).finish_non_exhaustive()
    }
}

/// One of `GET /api/v1/audit/witnesses`. `DELETE /api/v1/audit/witnesses?name=NAME` takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessSetting {
    /// Name of its key.
    pub name: String,
    /// Where.
    pub url: String,
    /// The key that it cosigns with.
    pub key: String,
}

/// `POST /api/v1/audit/witnessed-logs`: another server's log that is cosigned here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewWitnessedLog {
    /// The log's key: `origin+hash+base64`.
    pub key: String,
}

/// `GET /api/v1/audit/witnessed-logs`. `DELETE /api/v1/audit/witnessed-logs?origin=ORIGIN` takes one away, and
/// forgets what was seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessedLogs {
    /// The key that they are cosigned with; the other server is configured with it.
    pub key: String,
    /// The logs.
    pub logs: Vec<WitnessedLog>,
}

/// A log that is cosigned here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WitnessedLog {
    /// Its name.
    pub origin: String,
    /// Its key.
    pub key: String,
    /// Entries of it when it was cosigned last; 0 for never.
    pub size: u64,
}

/// `POST /api/v1/audit/sinks`: another system that is sent every record. One with the same name is replaced, and goes on
/// where it was.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSink {
    /// Lower-case letters, digits and `-`.
    pub name: String,
    /// `https://…` is sent batches by POST; `syslog+tls://HOST:PORT` (RFC 5425) and `syslog://HOST:PORT` (TCP) are sent
    /// messages with their length before them.
    pub url: String,
    /// `ocsf`, `cef`, `syslog`, `cloudevents`, `otlp` or `azure`; over syslog, `syslog` only.
    pub format: String,
    /// What to send as `Authorization`. Never shown again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<String>,
    /// The authority of its certificate, as PEM, where the system does not know it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// The first entry to send; otherwise, for a new sink, those from now on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<u64>,
}

impl std::fmt::Debug for NewSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewSink").field("name", &self.name).field("url", &self.url).finish_non_exhaustive()
    }
}

/// One of `GET /api/v1/audit/sinks`. `DELETE /api/v1/audit/sinks?name=NAME` takes it away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sink {
    /// Its name.
    pub name: String,
    /// Where.
    pub url: String,
    /// In which format.
    pub format: String,
    /// The first entry that it was not sent yet.
    pub next: u64,
    /// Sealed entries that wait for it.
    pub waiting: u64,
    /// When it last took something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why it does not take what it is sent, if so; it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// `POST /api/v1/audit/archive`: moves entries out of the log's folder; their hashes stay. Answered with [`Archived`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archive {
    /// Entries before this one; whole bundles of 256 only.
    pub before: u64,
}

/// What was moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Archived {
    /// The first entry that is still in the log's folder.
    pub first: u64,
}

/// The answer to `POST /api/v1/audit/ingest/…`: everything in it is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Events in the batch.
    pub received: usize,
    /// Those that were new, and so became records.
    pub recorded: usize,
}
