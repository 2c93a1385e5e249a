//! `CloudEvents` 1.0.2, JSON event format: the OCSF event is the data, as JSON.

use super::{Item, text};
use crate::record::{Class, Object};

/// Bytes of `subject`: attributes should stay small, as transports put them into headers.
const MAX_SUBJECT: usize = 1024;

pub(super) fn write(item: Item<'_>, origin: &str, out: &mut Vec<u8>) {
    let Item { index, record, raw } = item;
    let mut time = Vec::with_capacity(24);
    text::write_time(record.time, &mut time);
    let mut source = b"//".to_vec();
    text::write_uri(origin, &mut source);
    let class = match record.activity.class() {
        Class::Account => "account_change",
        Class::Authentication => "authentication",
        Class::Access => "user_access",
        Class::Lifecycle => "application_lifecycle",
        Class::Api => "api_activity",
    };
    Object::write(out, |event| {
        event.with("data", |out| text::write_json(raw, out));
        event.text("datacontenttype", "application/json");
        event.text("dataschema", &format!("https://schema.ocsf.io/1.8.0/classes/{class}"));
        // Source and id name an event. The index is unique in a log, whoever chose the record's id.
        event.text("id", &index.to_string());
        if let Some(id) = record.id {
            event.text("recordid", &id.to_string());
        }
        event.text("source", &String::from_utf8_lossy(&source));
        event.text("specversion", "1.0");
        if !record.subject.scope.is_empty() {
            event.text("subject", &text::clean(&record.subject.scope, MAX_SUBJECT));
        }
        event.text("time", &String::from_utf8_lossy(&time));
        event.text("type", &format!("boltseal.audit.{}", record.activity.name()));
    });
}
