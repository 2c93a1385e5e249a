//! OTLP/JSON: `ExportLogsServiceRequest` of opentelemetry-proto 1.5, in the JSON mapping of OTLP 1.5 (64-bit numbers as
//! strings, names in lower camel case).

use super::{Item, text};
use crate::record::{Object, Severity};

/// Bytes of an attribute; the whole is in the body.
const MAX_VALUE: usize = 1024;

pub(super) fn write(items: &[Item<'_>], origin: &str, out: &mut Vec<u8>) {
    Object::write(out, |request| {
        request.list_of_one("resourceLogs", |logs| {
            logs.object("resource", |resource| {
                resource.list("attributes", resource_attributes(origin), |attribute, (key, value)| {
                    write_attribute(attribute, key, &value);
                });
            });
            logs.list_of_one("scopeLogs", |scope_logs| {
                scope_logs.list("logRecords", items, |log, item| write_record(log, *item));
                scope_logs.object("scope", |scope| {
                    scope.text("name", "boltseal.audit");
                    scope.text("version", env!("CARGO_PKG_VERSION"));
                });
            });
        });
    });
}

fn resource_attributes(origin: &str) -> [(&'static str, String); 3] {
    [
        ("service.name", "boltseal".to_owned()),
        ("service.version", env!("CARGO_PKG_VERSION").to_owned()),
        ("service.instance.id", text::clean(origin, MAX_VALUE)),
    ]
}

fn write_attribute(attribute: &mut Object<'_>, key: &str, value: &str) {
    attribute.text("key", key);
    attribute.object("value", |any| any.text("stringValue", value));
}

fn write_record(log: &mut Object<'_>, item: Item<'_>) {
    let record = item.record;
    let attributes = attributes(item).into_iter().filter(|(_, value)| !value.is_empty());
    log.list("attributes", attributes, |attribute, (key, value)| write_attribute(attribute, key, &value));
    // The entry as text, not taken apart: its bytes are what the log proves.
    log.object("body", |body| body.text("stringValue", &String::from_utf8_lossy(item.raw)));
    log.text("eventName", &format!("boltseal.audit.{}", record.activity.name()));
    let (number, _) = severity(record.severity);
    log.number("severityNumber", number);
    log.text("severityText", record.severity.ocsf().1);
    let nanos = u64::try_from(record.time.as_nanosecond()).unwrap_or(0);
    log.text("timeUnixNano", &nanos.to_string());
}

/// By OpenTelemetry's names where it has one.
fn attributes(item: Item<'_>) -> [(&'static str, String); 15] {
    let record = item.record;
    let (actor, source, subject) = (&record.actor, &record.source, &record.subject);
    let text = |text: &str| text::clean(text, MAX_VALUE);
    let optional = |value: &Option<String>| value.as_deref().map(text).unwrap_or_default();
    [
        ("boltseal.action", text(&record.action)),
        ("boltseal.alert", if record.alert { "true".to_owned() } else { String::new() }),
        ("boltseal.digest", subject.digest.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("boltseal.log.index", item.index.to_string()),
        ("boltseal.outcome", record.outcome.name().to_owned()),
        ("boltseal.scope", text(&subject.scope)),
        ("boltseal.subject", optional(&subject.name)),
        ("client.address", source.address.map(|address| address.to_string()).unwrap_or_default()),
        ("client.port", source.port.map(|port| port.to_string()).unwrap_or_default()),
        ("log.record.uid", record.id.map(|id| id.to_string()).unwrap_or_default()),
        ("session.id", optional(&actor.session)),
        ("user.id", text(&actor.id)),
        ("user.name", text(&actor.name)),
        ("user.roles", actor.kind.name().to_owned()),
        ("user_agent.original", optional(&source.agent)),
    ]
}

/// `SeverityNumber`, and its short name in the data model.
const fn severity(severity: Severity) -> (i64, &'static str) {
    match severity {
        Severity::Informational => (9, "INFO"),
        Severity::Low => (10, "INFO2"),
        Severity::Medium => (13, "WARN"),
        Severity::High => (17, "ERROR"),
        Severity::Critical => (21, "FATAL"),
    }
}
