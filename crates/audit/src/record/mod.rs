//! One thing that happened: who did what to which digest or scope, from where, with which outcome, and why it was
//! allowed.
//!
//! [`Record::entry`] writes it as an event of the [Open Cybersecurity Schema Framework](https://schema.ocsf.io) 1.8,
//! in the canonical JSON of RFC 8785, so that one record has one sequence of bytes and one leaf in the log;
//! [`Record::parse`] reads it back.
//!
//! ```
//! use boltseal_audit::record::{Activity, Actor, Outcome, Record, Source, Subject, Via, Why};
//!
//! let now = "2026-03-01T12:00:00Z".parse()?;
//! let record = Record::new(now, Activity::Read, "Microsoft.ContainerRegistry/registries/repositories/content/read")
//!     .actor(Actor::user("8f0c", "alice").via(Via::Token))
//!     .source(Source::https([192, 0, 2, 7], 51_820).agent("skopeo/1.18"))
//!     .subject(Subject::new("/registries/main/repositories/team/a").name("latest"))
//!     .outcome(Outcome::Success)
//!     .why(Why::granted("0c4d", "AcrPull", "/registries/main"));
//! let entry = record.entry();
//! assert!(entry.starts_with(br#"{"action":"Allowed","action_id":1,"activity_id":2,"activity_name":"Read","actor":{"#));
//! assert_eq!(Record::parse(&entry)?.actor.name, "alice");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! What OCSF has no place for stands under `unmapped`. Texts of strangers are bounded: what is too long is cut, and
//! [`Record::truncated`] names it with the SHA-256 of the whole. There is no field for a secret, a token or a value.

mod activity;
mod actor;
mod canonical;
mod entry;
mod json;
mod limit;
mod parse;
mod place;
mod sentence;
mod why;

use std::collections::BTreeMap;

use boltseal_model::{Digest, Timestamp};
use serde_json::Value;
use uuid::Uuid;

pub use activity::{Activity, Class};
pub use actor::{Actor, Kind, Via};
pub use canonical::canonical;
pub(crate) use canonical::{write_decimal, write_escaped};
pub(crate) use json::Object;
pub(crate) use limit::beginning;
pub use limit::{MAX_ENTRY, Truncated};
pub use parse::RecordError;
pub use place::{Door, Source, Subject};
pub use why::{Outcome, Severity, Why};

/// One thing that happened. A plain value: built by whoever did it, changed by nobody afterwards.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The name of this record, unique. `None` until written: then the time and a hash of the content in the layout
    /// of RFC 9562 version 7.
    pub id: Option<Uuid>,
    /// When, to the millisecond: OCSF has no finer time.
    pub time: Timestamp,
    /// What kind of thing.
    pub activity: Activity,
    /// The action that had to be authorised, such as `Boltseal/feeds/write`, or what another system calls it.
    pub action: String,
    /// Who.
    pub actor: Actor,
    /// From where.
    pub source: Source,
    /// To what.
    pub subject: Subject,
    /// Whether it was done.
    pub outcome: Outcome,
    /// A sentence about the outcome.
    pub status: Option<String>,
    /// Why it was allowed, or what was missing.
    pub why: Why,
    /// Facts of this activity, such as a tag before and after. Never secrets.
    pub detail: BTreeMap<String, Value>,
    /// How much it matters.
    pub severity: Severity,
    /// Whether somebody is to be told now.
    pub alert: bool,
    /// The id that the system it was ingested from gave it.
    pub original: Option<String>,
    /// What was too long and cut; filled by [`Record::parse`].
    pub truncated: Vec<Truncated>,
}

impl Record {
    /// Starts one: done by the system itself, with unknown outcome, until told otherwise.
    pub fn new(time: Timestamp, activity: Activity, action: impl Into<String>) -> Self {
        Self {
            id: None,
            time,
            activity,
            action: action.into(),
            actor: Actor::system(),
            source: Source::local(),
            subject: Subject::default(),
            outcome: Outcome::Unknown,
            status: None,
            why: Why::Unstated,
            detail: BTreeMap::new(),
            severity: Severity::Informational,
            alert: false,
            original: None,
            truncated: Vec::new(),
        }
    }

    /// Gives it a name that somebody already knows, such as a request's.
    #[must_use]
    pub const fn id(mut self, id: Uuid) -> Self {
        self.id = Some(id);
        self
    }

    /// Says who.
    #[must_use]
    pub fn actor(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// Says from where.
    #[must_use]
    pub fn source(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    /// Says to what.
    #[must_use]
    pub fn subject(mut self, subject: Subject) -> Self {
        self.subject = subject;
        self
    }

    /// Names the thing within its scope, such as a tag.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.subject.name = Some(name.into());
        self
    }

    /// The bytes that it is about.
    #[must_use]
    pub fn digest(mut self, digest: &Digest) -> Self {
        self.subject.digest = Some(digest.clone());
        self
    }

    /// Says whether it was done.
    #[must_use]
    pub const fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }

    /// Adds a sentence about the outcome.
    #[must_use]
    pub fn status(mut self, sentence: impl Into<String>) -> Self {
        self.status = Some(sentence.into());
        self
    }

    /// Says why it was allowed, or what was missing.
    #[must_use]
    pub fn why(mut self, why: Why) -> Self {
        self.why = why;
        self
    }

    /// Adds a fact; the last one of a name holds.
    #[must_use]
    pub fn detail(mut self, name: impl Into<String>, value: impl Into<Value>) -> Self {
        self.detail.insert(name.into(), value.into());
        self
    }

    /// Says how much it matters.
    #[must_use]
    pub const fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// Has somebody told now.
    #[must_use]
    pub const fn alert(mut self) -> Self {
        self.alert = true;
        self
    }

    /// Remembers the id that the system it comes from gave it.
    #[must_use]
    pub fn original(mut self, id: impl Into<String>) -> Self {
        self.original = Some(id.into());
        self
    }

    /// One entry of the log: an OCSF event in RFC 8785 canonical JSON, at most [`MAX_ENTRY`] bytes, without a newline.
    pub fn entry(&self) -> Vec<u8> {
        entry::write(self)
    }

    /// What happened, for people: who, what, to what, and how it went. Holds what strangers chose, unescaped.
    pub fn sentence(&self) -> String {
        sentence::of(self)
    }

    /// Reads an entry back. Fields that it does not know are passed over, as a newer server may have written them.
    pub fn parse(entry: &[u8]) -> Result<Self, RecordError> {
        parse::read(entry)
    }
}
