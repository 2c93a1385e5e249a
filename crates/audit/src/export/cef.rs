//! `ArcSight` Common Event Format, version 0 (implementation standard, revision 25).
//!
//! In the header `|` and `\` are escaped, in the extension `=` and `\`; line breaks may stand, escaped, in extension
//! values only. Values end where the next ` key=` begins, so that `=` is the character that must never slip through.

use std::net::IpAddr;

use super::{Item, text};
use crate::record::{Severity, Why, write_decimal};

/// Longest values of the extension dictionary: names and texts 1,023 characters, addresses and actions fewer.
const MAX_VALUE: usize = 1023;
/// The dictionary's limit of `act` and `outcome`.
const MAX_SHORT: usize = 63;
/// The dictionary's limit of `dvchost`.
const MAX_HOST: usize = 100;
/// The standard's limit of the header's name.
const MAX_NAME: usize = 512;

pub(super) fn write(item: Item<'_>, origin: &str, out: &mut Vec<u8>) {
    let Item { index, record, .. } = item;
    out.extend_from_slice(b"CEF:0|Boltseal|Boltseal|");
    out.extend_from_slice(env!("CARGO_PKG_VERSION").as_bytes());
    out.push(b'|');
    write_decimal(record.activity.type_uid().into(), out);
    out.push(b'|');
    text::write_escaped(&record.sentence(), MAX_NAME, header_escape, out);
    out.push(b'|');
    out.extend_from_slice(severity(record.severity).as_bytes());
    out.push(b'|');
    let mut fields = Fields { out, first: true };
    fields.number("rt", u64::try_from(record.time.as_millisecond()).unwrap_or(0));
    fields.text("dvchost", text::host(origin), MAX_HOST);
    fields.number("cn1", index);
    fields.text("cn1Label", "logIndex", MAX_VALUE);
    fields.text("act", record.activity.name(), MAX_SHORT);
    fields.text("cat", &record.action, MAX_VALUE);
    fields.text("outcome", record.outcome.name(), MAX_SHORT);
    fields.text("suser", &record.actor.name, MAX_VALUE);
    fields.text("suid", &record.actor.id, MAX_VALUE);
    fields.text("spriv", record.actor.kind.name(), MAX_VALUE);
    match record.source.address {
        Some(IpAddr::V4(address)) => fields.text("src", &address.to_string(), MAX_VALUE),
        Some(IpAddr::V6(address)) => {
            fields.text("c6a2", &address.to_string(), MAX_VALUE);
            fields.text("c6a2Label", "Source IPv6 Address", MAX_VALUE);
        }
        None => {}
    }
    if let Some(port) = record.source.port {
        fields.number("spt", port.into());
    }
    rest(item, &mut fields);
}

/// Custom strings, each with its label, and texts.
fn rest(item: Item<'_>, fields: &mut Fields<'_>) {
    let record = item.record;
    fields.optional("requestClientApplication", record.source.agent.as_deref());
    fields.text("fname", record.subject.name.as_deref().unwrap_or_default(), MAX_VALUE);
    let digest = record.subject.digest.as_ref().map(ToString::to_string);
    fields.optional("fileHash", digest.as_deref());
    let why = why(&record.why);
    let custom = [
        ("cs1", "cs1Label", "scope", record.subject.scope.as_str()),
        ("cs2", "cs2Label", "why", why.as_str()),
        ("cs3", "cs3Label", "via", record.actor.via.name()),
        ("cs4", "cs4Label", "door", record.source.door.name()),
        ("cs5", "cs5Label", "session", record.actor.session.as_deref().unwrap_or_default()),
        ("cs6", "cs6Label", "reportedBy", record.source.host.as_deref().unwrap_or_default()),
    ];
    for (key, label_key, label, value) in custom {
        if !value.is_empty() {
            fields.text(key, value, MAX_VALUE);
            fields.text(label_key, label, MAX_VALUE);
        }
    }
    if let Some(id) = record.id {
        fields.text("externalId", &id.to_string(), MAX_VALUE);
    }
    fields.optional("msg", record.status.as_deref());
}

struct Fields<'a> {
    out: &'a mut Vec<u8>,
    first: bool,
}

impl Fields<'_> {
    fn key(&mut self, key: &str) {
        if !self.first {
            self.out.push(b' ');
        }
        self.first = false;
        self.out.extend_from_slice(key.as_bytes());
        self.out.push(b'=');
    }

    fn text(&mut self, key: &str, value: &str, limit: usize) {
        if !value.is_empty() {
            self.key(key);
            text::write_escaped(value, limit, extension_escape, self.out);
        }
    }

    fn optional(&mut self, key: &str, value: Option<&str>) {
        self.text(key, value.unwrap_or_default(), MAX_VALUE);
    }

    fn number(&mut self, key: &str, value: u64) {
        self.key(key);
        write_decimal(value, self.out);
    }
}

const fn header_escape(c: char) -> Option<&'static str> {
    match c {
        '|' => Some("\\|"),
        '\\' => Some("\\\\"),
        // Line breaks may not stand in the header, not even escaped.
        '\n' | '\r' => Some(" "),
        _ => None,
    }
}

const fn extension_escape(c: char) -> Option<&'static str> {
    match c {
        '=' => Some("\\="),
        '\\' => Some("\\\\"),
        '\n' => Some("\\n"),
        '\r' => Some("\\r"),
        _ => None,
    }
}

/// 0 to 3 are low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high.
const fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Informational => "1",
        Severity::Low => "3",
        Severity::Medium => "5",
        Severity::High => "8",
        Severity::Critical => "10",
    }
}

fn why(why: &Why) -> String {
    match why {
        Why::Unstated => String::new(),
        Why::Granted { assignment, role, scope } => format!("assignment {assignment} of {role} at {scope}"),
        Why::Rule(words) | Why::Missing(words) => words.clone(),
    }
}
