//! RFC 5424: one message, header, structured data and text.
//!
//! Framing is the transport's: octet counting in RFC 5425 and RFC 6587, a newline in files.

use super::{Item, text};
use crate::record::{Severity, Why, write_decimal};

/// "log audit", RFC 5424 section 6.2.1.
const FACILITY: u64 = 13;
/// Ours among structured data. 32473 is the number for those without one of their own (RFC 5612).
const ELEMENT: &str = "boltseal@32473";
/// UTF-8's mark, which says that the text is UTF-8 (section 6.4).
const BOM: &str = "\u{feff}";
/// Bytes of a value: a message of them all stays within what receivers should take over TLS, 8 KiB (RFC 5425 4.3.1).
const MAX_VALUE: usize = 512;
/// Section 6.2.4.
const MAX_HOST: usize = 255;

pub(super) fn write(item: Item<'_>, origin: &str, out: &mut Vec<u8>) {
    let Item { index, record, .. } = item;
    out.push(b'<');
    write_decimal(FACILITY * 8 + severity(record.severity, record.alert), out);
    out.extend_from_slice(b">1 ");
    text::write_time(record.time, out);
    out.push(b' ');
    let start = out.len();
    out.extend(text::host(origin).bytes().filter(u8::is_ascii_graphic).take(MAX_HOST));
    if out.len() == start {
        out.push(b'-');
    }
    out.extend_from_slice(b" boltseal - ");
    out.extend_from_slice(record.activity.name().as_bytes());
    out.extend_from_slice(b" [");
    out.extend_from_slice(ELEMENT.as_bytes());
    param("index", &index.to_string(), out);
    if let Some(id) = record.id {
        param("id", &id.to_string(), out);
    }
    params(item, out);
    out.extend_from_slice(b"] ");
    out.extend_from_slice(BOM.as_bytes());
    text::write_escaped(record.sentence().trim_start_matches(BOM), MAX_VALUE, |_| None, out);
}

fn params(item: Item<'_>, out: &mut Vec<u8>) {
    let record = item.record;
    let (actor, source, subject) = (&record.actor, &record.source, &record.subject);
    param("class", &record.activity.class().uid().to_string(), out);
    param("action", &record.action, out);
    param("outcome", record.outcome.name(), out);
    param("severity", record.severity.name(), out);
    param("actor", &actor.name, out);
    param("actorId", &actor.id, out);
    param("actorKind", actor.kind.name(), out);
    param("via", actor.via.name(), out);
    optional("session", actor.session.as_deref(), out);
    optional("source", source.address.map(|address| address.to_string()).as_deref(), out);
    optional("port", source.port.map(|port| port.to_string()).as_deref(), out);
    param("door", source.door.name(), out);
    optional("agent", source.agent.as_deref(), out);
    optional("reportedBy", source.host.as_deref(), out);
    param("scope", &subject.scope, out);
    optional("subject", subject.name.as_deref(), out);
    optional("digest", subject.digest.as_ref().map(ToString::to_string).as_deref(), out);
    match &record.why {
        Why::Unstated => {}
        Why::Granted { assignment, role, scope } => {
            param("assignment", assignment, out);
            param("role", role, out);
            param("assignedAt", scope, out);
        }
        Why::Rule(words) => param("rule", words, out),
        Why::Missing(words) => param("missing", words, out),
    }
    optional("status", record.status.as_deref(), out);
}

fn optional(name: &str, value: Option<&str>, out: &mut Vec<u8>) {
    param(name, value.unwrap_or_default(), out);
}

/// A parameter; none for an empty value. Escapes as in section 6.3.3.
fn param(name: &str, value: &str, out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    let escape = |c| match c {
        '"' => Some("\\\""),
        '\\' => Some("\\\\"),
        ']' => Some("\\]"),
        _ => None,
    };
    text::write_escaped(value, MAX_VALUE, escape, out);
    out.push(b'"');
}

/// Section 6.2.1, table 2: alert is 1, informational 6.
const fn severity(severity: Severity, alert: bool) -> u64 {
    match severity {
        _ if alert => 1,
        Severity::Critical => 2,
        Severity::High => 3,
        Severity::Medium => 4,
        Severity::Low => 5,
        Severity::Informational => 6,
    }
}
