//! OSV records: one JSON object each, alone, as JSON lines, or in an array.
//!
//! Source: the OSV schema 1.7, <https://ossf.github.io/osv-schema/>. Exports of osv.dev are archives of such records,
//! <https://google.github.io/osv.dev/data/>.

use boltseal_model::{Advisory, Timestamp};
use serde_json::value::RawValue;

use super::{Bundle, Document, Format, Tally};
use crate::{Error, Sink, limits};

mod identity;
mod range;
mod record;
mod severity;

use record::Record;
pub(super) use severity::vector;

/// The format.
pub struct Osv;

const ID: &str = "osv";

impl Format for Osv {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "OSV records: exports of osv.dev (all.zip), folders, single files, JSON lines"
    }

    fn bundle(&self) -> Bundle {
        Bundle::Lines
    }

    fn recognises(&self, name: &str, head: &[u8]) -> bool {
        let json =
            head.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| b"{[".contains(byte));
        let has = |key: &[u8]| super::has(head, key);
        // `modified` and `id` are what every record must have, but a long text may stand before them.
        let told = has(b"\"id\"")
            && [&b"\"modified\""[..], b"\"affected\"", b"\"schema_version\"", b"\"details\""]
                .iter()
                .any(|key| has(key));
        let named = std::path::Path::new(name)
            .extension()
            .is_some_and(|extension| extension == "json" || extension == "jsonl" || extension == "ndjson");
        json && (told || (named && (has(b"\"affected\"") || has(b"\"schema_version\""))))
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let mut line = Vec::new();
        let mut first = true;
        while document.line(&mut line, limits::MAX_RECORD_BYTES, ID)? {
            if line.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let mut read = each(&line, document.name, feed, sink, &mut tally);
            if first && read.is_err() {
                // A record over several lines: then it is the only one.
                line.push(b'\n');
                line.extend(document.whole(limits::MAX_RECORD_BYTES, ID)?);
                read = each(&line, document.name, feed, sink, &mut tally);
            }
            read.map_err(|error| Error::broken(document.name, ID, error))?;
            first = false;
        }
        Ok(tally)
    }
}

/// Reads one JSON value: a record, or an array of them. An error means that `text` is not (whole) JSON; a record that
/// makes no sense is rejected in `tally`.
fn each(
    text: &[u8],
    name: &str,
    feed: &str,
    sink: &mut dyn Sink,
    tally: &mut Tally,
) -> Result<(), serde_json::Error> {
    if text.trim_ascii_start().starts_with(b"[") {
        let values: Vec<&RawValue> = serde_json::from_slice(text)?;
        for value in values {
            each_record(value.get().as_bytes(), name, feed, sink, tally)?;
        }
        return Ok(());
    }
    each_record(text, name, feed, sink, tally)
}

fn each_record(
    text: &[u8],
    name: &str,
    feed: &str,
    sink: &mut dyn Sink,
    tally: &mut Tally,
) -> Result<(), serde_json::Error> {
    match serde_json::from_slice::<Record>(text) {
        Ok(record) => one(&record, name, feed, sink, tally),
        Err(error) if error.is_data() => {
            // The fields have the wrong types; is the rest at least JSON?
            serde_json::from_slice::<serde::de::IgnoredAny>(text)?;
            tally.reject(sink, name, &error.to_string());
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

fn one(record: &Record, name: &str, feed: &str, sink: &mut dyn Sink, tally: &mut Tally) {
    if record.id.is_empty() || record.id.len() > limits::MAX_NAME_BYTES {
        return tally.reject(sink, name, "no id");
    }
    tally.published = tally.published.max(moment(record.modified.as_deref()));
    if record.withdrawn.is_some() {
        return tally.skip("withdrawn");
    }
    match range::affected(record, sink, tally) {
        range::Affects::Some(affected) => {
            tally.records += 1;
            for one in &affected {
                if !tally.spaces.contains(&one.space) {
                    tally.spaces.insert(one.space.clone());
                }
            }
            for advisory in identity::split(record, advisory(record, feed, affected)) {
                sink.advisory(advisory);
            }
        }
        range::Affects::Unsupported => tally.skip("of ecosystems not supported yet"),
        range::Affects::Nothing => tally.skip("without package versions"),
        range::Affects::Rejected => {}
    }
}

fn advisory(record: &Record, feed: &str, affected: Vec<boltseal_model::Affected>) -> Advisory {
    let details = super::cut(&record.details, limits::MAX_DETAILS_BYTES);
    let summary = if record.summary.trim().is_empty() {
        record
            .details
            .lines()
            .map(|line| line.trim_start_matches('#').trim())
            .find(|line| !line.is_empty())
            .unwrap_or_default()
    } else {
        record.summary.trim()
    };
    Advisory {
        id: record.id.clone(),
        aliases: identity::aliases(record),
        feed: feed.to_owned(),
        summary: super::cut(summary, limits::MAX_SUMMARY_BYTES),
        details,
        published: moment(record.published.as_deref()),
        modified: moment(record.modified.as_deref()),
        severity: severity::word(record),
        cvss: severity::vectors(record),
        references: record
            .references
            .iter()
            .map(|reference| reference.url.clone())
            .take(limits::MAX_REFERENCES)
            .collect(),
        affected,
    }
}

/// A time of a record. Records that were never published properly carry year 1; that is none.
fn moment(text: Option<&str>) -> Option<Timestamp> {
    text?.parse::<Timestamp>().ok().filter(|moment| moment.as_second() > 0)
}
