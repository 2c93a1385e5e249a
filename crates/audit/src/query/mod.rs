//! Filters over records: who, what, when, which subject.
//!
//! ```
//! use boltseal_audit::query::Filter;
//!
//! let filter = Filter::parse([("who", "alice"), ("activity", "delete"), ("since", "2026-03-01T00:00:00Z")])?;
//! let entry = br#"{"time":1}"#;
//! assert!(!filter.may_match(entry));
//! # Ok::<(), boltseal_audit::query::FilterError>(())
//! ```
//!
//! Scanning a log asks [`Filter::may_match`] about the bytes of each entry, and reads only those entries as records
//! that may be meant.

mod needle;
mod parse;

use boltseal_model::Timestamp;

use crate::record::{Activity, Class, Outcome, Record, Severity};
use needle::Needles;

pub use parse::FilterError;

/// What to look for. Everything that is given must hold; an empty one matches every record.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    who: Option<String>,
    action: Option<Pattern>,
    activity: Option<Activity>,
    class: Option<Class>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
    subject: Option<String>,
    outcome: Option<Outcome>,
    severity: Option<Severity>,
    alert: bool,
    text: Option<String>,
    needles: Needles,
}

/// An action, or a beginning of actions.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    start: String,
    open: bool,
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        if self.open { text.starts_with(&self.start) } else { text == self.start }
    }
}

impl Filter {
    /// Reads a filter from pairs, as a query string or the command line gives them. An empty value is no condition.
    ///
    /// | name | value |
    /// |---|---|
    /// | `who` | a principal's id or name |
    /// | `action` | an action; a `*` at the end stands for any rest |
    /// | `activity` | an [`Activity::name`] |
    /// | `class` | a [`Class::name`] or OCSF number |
    /// | `since`, `until` | RFC 3339 moments or dates (UTC); `until` is the first moment that is not meant |
    /// | `subject` | a scope and everything below it, a name, or a digest |
    /// | `outcome` | an [`Outcome::name`] |
    /// | `severity` | a [`Severity::name`]; it and worse |
    /// | `alert` | `true`: alerts only |
    /// | `text` | anywhere in the record, whatever the case of ASCII letters |
    pub fn parse<K: AsRef<str>, V: AsRef<str>>(
        pairs: impl IntoIterator<Item = (K, V)>,
    ) -> Result<Self, FilterError> {
        parse::read(pairs)
    }

    /// Whether it has no condition.
    pub fn is_empty(&self) -> bool {
        self.pairs().is_empty()
    }

    /// The first moment that is meant.
    pub const fn since(&self) -> Option<Timestamp> {
        self.since
    }

    /// The first moment that is not meant any more.
    pub const fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// The pairs that [`Filter::parse`] makes this filter of, for links.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        parse::pairs(self)
    }

    /// Whether `record` is meant.
    pub fn matches(&self, record: &Record) -> bool {
        let activity = record.activity;
        self.activity.is_none_or(|wanted| wanted == activity)
            && self.class.is_none_or(|wanted| wanted == activity.class())
            && self.outcome.is_none_or(|wanted| wanted == record.outcome)
            && self.severity.is_none_or(|least| record.severity >= least)
            && (record.alert || !self.alert)
            && self.since.is_none_or(|since| record.time >= since)
            && self.until.is_none_or(|until| record.time < until)
            && self.who.as_ref().is_none_or(|who| *who == record.actor.id || *who == record.actor.name)
            && self.action.as_ref().is_none_or(|pattern| pattern.fits(&record.action))
            && self.subject.as_ref().is_none_or(|subject| is_about(record, subject))
            && self.text.as_ref().is_none_or(|text| needle::is_anywhere(record, text))
    }

    /// Whether the entry may be meant: false only where reading it as a record and asking [`Filter::matches`] would
    /// say no as well. For entries as [`Record::entry`] writes them.
    pub fn may_match(&self, entry: &[u8]) -> bool {
        self.needles.may_match(entry)
    }
}

/// Whether a record is about a scope or something below it, a name, or a digest.
fn is_about(record: &Record, wanted: &str) -> bool {
    let subject = &record.subject;
    let scope = wanted.trim_end_matches('/');
    let below =
        subject.scope.strip_prefix(scope).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    below
        || subject.name.as_deref() == Some(wanted)
        || subject.digest.as_ref().is_some_and(|digest| digest.to_string() == wanted)
}
