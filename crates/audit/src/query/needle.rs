//! Bytes that an entry must have to be meant, so that most entries are passed over unread.

use boltseal_model::Timestamp;
use memchr::memmem::Finder;
use serde_json::Value;

use super::Filter;
use crate::record::{Record, Why, write_escaped};

/// What follows from a filter for the bytes of an entry.
#[derive(Clone, Debug, Default)]
pub(super) struct Needles {
    finders: Vec<Finder<'static>>,
    text: Option<Vec<u8>>,
    since: Option<i64>,
    until: Option<i64>,
}

impl Needles {
    pub(super) fn of(filter: &Filter) -> Self {
        let mut finders = Vec::new();
        let mut find = |bytes: Vec<u8>| finders.push(Finder::new(&bytes).into_owned());
        if let Some(activity) = filter.activity {
            find(format!("\"type_uid\":{},", activity.type_uid()).into_bytes());
        } else if let Some(class) = filter.class {
            find(format!("\"class_uid\":{},", class.uid()).into_bytes());
        }
        if filter.alert {
            find(b"\"is_alert\":true".to_vec());
        }
        if let Some(outcome) = filter.outcome {
            find(format!("\"status_id\":{},", outcome.status().0).into_bytes());
        }
        if let Some(who) = &filter.who {
            find(quoted(who));
        }
        if let Some(pattern) = &filter.action {
            let mut bytes = quoted(&pattern.start);
            if pattern.open {
                bytes.pop();
            }
            find(bytes);
        }
        if let Some(subject) = &filter.subject {
            let mut bytes = Vec::new();
            write_escaped(subject.trim_end_matches('/'), &mut bytes);
            find(bytes);
        }
        let text = filter.text.as_ref().map(|text| {
            let mut bytes = Vec::new();
            write_escaped(text, &mut bytes);
            bytes.make_ascii_lowercase();
            bytes
        });
        // Entries hold whole milliseconds.
        let millis = |time: Timestamp| time.as_millisecond();
        Self { finders, text, since: filter.since.map(millis), until: filter.until.map(millis) }
    }

    pub(super) fn may_match(&self, entry: &[u8]) -> bool {
        self.fits_time(entry)
            && self.finders.iter().all(|finder| finder.find(entry).is_some())
            && self.text.as_ref().is_none_or(|text| contains(entry, text))
    }

    fn fits_time(&self, entry: &[u8]) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let Some(time) = time(entry) else { return true };
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time <= until)
    }
}

/// The time of an entry as [`Record::entry`] writes it. Keys are in order, and no object before it has this key.
fn time(entry: &[u8]) -> Option<i64> {
    const KEY: &[u8] = b",\"time\":";
    let at = memchr::memmem::find(entry, KEY)? + KEY.len();
    let rest = entry.get(at..)?;
    let end = rest.iter().position(|b| *b == b',')?;
    std::str::from_utf8(rest.get(..end)?).ok()?.parse().ok()
}

fn quoted(text: &str) -> Vec<u8> {
    let mut bytes = vec![b'"'];
    write_escaped(text, &mut bytes);
    bytes.push(b'"');
    bytes
}

/// Whether `text` (in lower case) is in `bytes`, whatever the case of ASCII letters.
fn contains(bytes: &[u8], text: &[u8]) -> bool {
    let Some((first, _)) = text.split_first() else { return true };
    let candidates = memchr::memchr2_iter(*first, first.to_ascii_uppercase(), bytes);
    candidates
        .into_iter()
        .any(|at| bytes.get(at..at + text.len()).is_some_and(|window| window.eq_ignore_ascii_case(text)))
}

/// Whether `text` is in one of the record's texts, whatever the case of ASCII letters.
pub(super) fn is_anywhere(record: &Record, text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    let mut found = false;
    each_text(record, &mut |one| found = found || contains(one.as_bytes(), text.as_bytes()));
    found
}

fn each_text(record: &Record, see: &mut impl FnMut(&str)) {
    let (actor, source, subject) = (&record.actor, &record.source, &record.subject);
    let optional =
        [&actor.session, &source.agent, &source.host, &subject.name, &record.status, &record.original];
    for text in [&record.action, &actor.id, &actor.name, &subject.scope]
        .into_iter()
        .chain(optional.into_iter().flatten())
    {
        see(text);
    }
    match &record.why {
        Why::Unstated => {}
        Why::Granted { assignment, role, scope } => {
            for text in [assignment, role, scope] {
                see(text);
            }
        }
        Why::Rule(words) | Why::Missing(words) => see(words),
    }
    for text in [source.address.map(|ip| ip.to_string()), subject.digest.as_ref().map(ToString::to_string)]
        .into_iter()
        .flatten()
    {
        see(&text);
    }
    for (key, value) in &record.detail {
        see(key);
        each_value(value, see);
    }
}

fn each_value(value: &Value, see: &mut impl FnMut(&str)) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => see(&number.to_string()),
        Value::String(text) => see(text),
        Value::Array(items) => items.iter().for_each(|item| each_value(item, see)),
        Value::Object(map) => {
            for (key, value) in map {
                see(key);
                each_value(value, see);
            }
        }
    }
}
