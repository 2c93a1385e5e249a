//! How long each text of a record may be, and what is left of one that is longer.

use std::{borrow::Cow, collections::BTreeMap};

use boltseal_model::Digest;
use serde_json::Value;

use super::{Record, Why, canonical};

/// Bytes of an entry: its length is 16 bits wide in the log's entry bundles (C2SP `tlog-tiles`).
pub const MAX_ENTRY: usize = 65_535;

// The bounds below add up: all texts at their longest, each byte escaped to six, stay under `MAX_ENTRY`. A test holds
// that.

/// Ids, actions, role names: longer ones are nobody's.
const MAX_WORD: usize = 256;
/// Names and User-Agents: long enough for real ones, short enough that strangers cannot fill the log with them.
const MAX_NAME: usize = 512;
/// Scopes and sentences.
const MAX_SENTENCE: usize = 1024;
/// Bytes of `detail` in canonical JSON: before and after of a change, not whole documents.
const MAX_DETAIL: usize = 8 * 1024;
/// Bytes of one value of a `detail` that is too large as a whole.
const MAX_DETAIL_VALUE: usize = 512;
/// Levels of values in `detail`: facts are flat.
const MAX_DEPTH: usize = 16;

/// The detail of an access record that names the role; OCSF wants it in `privileges` as well.
const ROLE: &str = "role";

/// A text that was too long: the record holds its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Truncated {
    /// Which one; one of a fixed list of names, such as `agent`.
    pub field: &'static str,
    /// Bytes of the whole.
    pub bytes: u64,
    /// SHA-256 of the whole, so that it can be recognised.
    pub digest: Digest,
}

/// The names in [`Truncated::field`].
pub(super) const FIELDS: [&str; 14] = [
    "action",
    "actor.id",
    "actor.name",
    "actor.session",
    "agent",
    "detail",
    "host",
    "original",
    "scope",
    "status",
    "subject",
    "why.assignment",
    "why.role",
    "why",
];

/// The texts of a record, each short enough.
pub(super) struct Fitted<'a> {
    pub(super) action: &'a str,
    pub(super) actor_id: &'a str,
    pub(super) actor_name: &'a str,
    pub(super) session: Option<&'a str>,
    pub(super) agent: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    pub(super) original: Option<&'a str>,
    pub(super) scope: &'a str,
    pub(super) subject: Option<&'a str>,
    pub(super) status: Option<&'a str>,
    pub(super) assignment: &'a str,
    pub(super) role: &'a str,
    /// The scope of an assignment, or the words of a rule.
    pub(super) why: &'a str,
    /// The role that was given or taken, of an access record.
    pub(super) privilege: Option<&'a str>,
    /// `detail` in canonical JSON; empty where there is none.
    pub(super) detail: Vec<u8>,
    pub(super) truncated: Cow<'a, [Truncated]>,
}

impl<'a> Fitted<'a> {
    pub(super) fn of(record: &'a Record) -> Self {
        let mut cut = Cut(Cow::Borrowed(&record.truncated));
        let (assignment, role, why) = match &record.why {
            Why::Unstated => ("", "", ""),
            Why::Granted { assignment, role, scope } => (assignment.as_str(), role.as_str(), scope.as_str()),
            Why::Rule(words) | Why::Missing(words) => ("", "", words.as_str()),
        };
        let (actor, source, subject) = (&record.actor, &record.source, &record.subject);
        let (detail, has_role) = cut.detail(&record.detail);
        let privilege = record.detail.get(ROLE).filter(|_| has_role).and_then(Value::as_str);
        Self {
            action: cut.text("action", &record.action, MAX_WORD),
            actor_id: cut.text("actor.id", &actor.id, MAX_WORD),
            actor_name: cut.text("actor.name", &actor.name, MAX_NAME),
            session: actor.session.as_deref().map(|text| cut.text("actor.session", text, MAX_WORD)),
            agent: source.agent.as_deref().map(|text| cut.text("agent", text, MAX_NAME)),
            detail,
            host: source.host.as_deref().map(|text| cut.text("host", text, MAX_WORD)),
            original: record.original.as_deref().map(|text| cut.text("original", text, MAX_WORD)),
            scope: cut.text("scope", &subject.scope, MAX_SENTENCE),
            status: record.status.as_deref().map(|text| cut.text("status", text, MAX_SENTENCE)),
            subject: subject.name.as_deref().map(|text| cut.text("subject", text, MAX_NAME)),
            assignment: cut.text("why.assignment", assignment, MAX_WORD),
            role: cut.text("why.role", role, MAX_WORD),
            why: cut.text("why", why, MAX_SENTENCE),
            privilege: privilege.map(|role| beginning(role, MAX_WORD)),
            truncated: cut.0,
        }
    }
}

struct Cut<'a>(Cow<'a, [Truncated]>);

impl Cut<'_> {
    fn text<'t>(&mut self, field: &'static str, text: &'t str, limit: usize) -> &'t str {
        if text.len() > limit {
            self.note(field, text.as_bytes());
        }
        beginning(text, limit)
    }

    fn note(&mut self, field: &'static str, whole: &[u8]) {
        let bytes = u64::try_from(whole.len()).unwrap_or(u64::MAX);
        let list = self.0.to_mut();
        list.retain(|one| one.field != field);
        list.push(Truncated { field, bytes, digest: Digest::of(whole) });
    }

    /// Canonical JSON, and whether [`ROLE`] may be in it. The small values stay; the digest is of the whole.
    fn detail(&mut self, detail: &BTreeMap<String, Value>) -> (Vec<u8>, bool) {
        let mut out = Vec::new();
        if detail.is_empty() {
            return (out, false);
        }
        let shallow = detail.values().all(|value| is_shallow(value, MAX_DEPTH));
        if shallow {
            write_detail(detail.iter(), &mut out);
            if out.len() <= MAX_DETAIL {
                return (out, true);
            }
        }
        self.note("detail", &out);
        let mut room = MAX_DETAIL;
        let small = detail.iter().filter(|(key, value)| {
            if !is_shallow(value, MAX_DEPTH) {
                return false;
            }
            let mut bytes = canonical(value);
            canonical::write_string(key, &mut bytes);
            let fits = bytes.len() <= MAX_DETAIL_VALUE && bytes.len() + 3 <= room;
            if fits {
                room -= bytes.len() + 2;
            }
            fits
        });
        let small: Vec<_> = small.collect();
        let has_role = small.iter().any(|(key, _)| *key == ROLE);
        out.clear();
        write_detail(small.into_iter(), &mut out);
        (out, has_role)
    }
}

fn write_detail<'a>(entries: impl Iterator<Item = (&'a String, &'a Value)>, out: &mut Vec<u8>) {
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by(|(a, _), (b, _)| a.encode_utf16().cmp(b.encode_utf16()));
    out.push(b'{');
    for (index, (key, value)) in entries.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        canonical::write_string(key, out);
        out.push(b':');
        canonical::write(value, out);
    }
    out.push(b'}');
}

fn is_shallow(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| is_shallow(item, levels - 1)),
        Value::Object(map) => levels > 0 && map.values().all(|item| is_shallow(item, levels - 1)),
        _ => true,
    }
}

/// At most `limit` bytes of `text`, whole characters.
pub(crate) fn beginning(text: &str, limit: usize) -> &str {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text)
}
