//! Records in other formats. What they should look like lies in `export/`, a line for each record; after a change that
//! is meant, `BOLTSEAL_BLESS=1 cargo test` rewrites it, and the difference is reviewed like code.

use std::collections::BTreeMap;

use boltseal_audit::{
    Record,
    export::{self, Format, Gap, Item},
    record::Severity,
};
use proptest::prelude::*;
use serde_json::Value;

use crate::samples::{any_record, samples};

const ORIGIN: &str = "boltseal.example/audit";

fn line(format: Format, index: u64, record: &Record) -> String {
    let mut out = Vec::new();
    export::write(format, index, ORIGIN, record, &record.entry(), &mut out);
    String::from_utf8(out).unwrap()
}

/// The text, with the version of this build left out, against the file.
fn check(name: &str, found: &str) {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/export").join(name);
    let found = found.replace(concat!("\"", env!("CARGO_PKG_VERSION"), "\""), "\"VERSION\"");
    let found = found.replace(concat!("|", env!("CARGO_PKG_VERSION"), "|"), "|VERSION|");
    if std::env::var_os("BOLTSEAL_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, found).unwrap();
        return;
    }
    let wanted = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    for (found, wanted) in found.lines().zip(wanted.lines()) {
        assert_eq!(found, wanted, "{name}");
    }
    assert_eq!(found.lines().count(), wanted.lines().count(), "{name}");
}

#[test]
fn every_record_in_every_format_is_as_reviewed() {
    for format in Format::ALL {
        let lines = (0..).zip(samples()).map(|(index, (_, record))| line(format, index, &record) + "\n");
        check(&format!("{}.txt", format.name()), &lines.collect::<String>());
        assert_eq!(Format::named(format.name()), Some(format));
        assert!(!format.description().is_empty() && format.media_type().contains('/'));
    }
}

#[test]
fn batches_are_what_receivers_want() {
    let records: Vec<(Record, Vec<u8>)> =
        samples().into_iter().map(|(_, record)| (record.clone(), record.entry())).collect();
    let items: Vec<Item<'_>> =
        (100..).zip(&records).map(|(index, (record, raw))| Item { index, record, raw }).collect();
    for format in Format::ALL {
        let mut out = Vec::new();
        export::batch(format, ORIGIN, &[], &mut out);
        assert!(out.is_empty());
        export::batch(format, ORIGIN, &items, &mut out);
        let text = String::from_utf8(out).unwrap();
        let count = match format {
            Format::Ocsf | Format::Cef | Format::Syslog => {
                assert!(text.ends_with('\n'));
                text.lines().count()
            }
            Format::CloudEvents => json(&text).as_array().unwrap().len(),
            Format::Otlp => {
                let logs = &json(&text)["resourceLogs"][0]["scopeLogs"][0]["logRecords"];
                logs.as_array().unwrap().len()
            }
            Format::Azure => json(&text)["records"].as_array().unwrap().len(),
        };
        assert_eq!(count, records.len(), "{}", format.name());
    }
}

#[test]
fn gaps_are_told_in_every_format() {
    let gap = Gap { from: 500, to: 1_500, reason: "the sink was away for too long".to_owned() };
    let mut lines = String::new();
    for format in Format::ALL {
        let mut out = Vec::new();
        let record = gap.record("2026-03-01T12:00:00Z".parse().unwrap());
        assert_eq!((record.severity, record.alert), (Severity::High, true));
        gap.write(format, ORIGIN, record.time, &mut out);
        lines.push_str(&String::from_utf8(out).unwrap());
        lines.push('\n');
    }
    assert_eq!(lines.lines().count(), Format::ALL.len());
    for line in lines.lines() {
        assert!(line.contains("1000 records from index 500 on were not sent: the sink was away"), "{line}");
    }
}

#[test]
fn json_that_is_not_on_one_line_is_put_on_one() {
    let record = &samples()[0].1;
    let pretty = serde_json::to_vec_pretty(&json(&String::from_utf8(record.entry()).unwrap())).unwrap();
    assert_eq!(Record::parse(&pretty).unwrap(), *record);
    for format in Format::ALL {
        let mut out = Vec::new();
        export::write(format, 1, ORIGIN, record, &pretty, &mut out);
        assert!(!out.contains(&b'\n'), "{}", format.name());
    }
}

#[test]
fn strange_origins_stay_in_their_fields() {
    let record = &samples()[0].1;
    for (origin, host) in
        [("", "-"), ("a b\nc/x", "abc"), ("é.example/x", ".example"), ("h|=\"]/x", "h|=\"]")]
    {
        let mut out = Vec::new();
        export::write(Format::Syslog, 1, origin, record, &record.entry(), &mut out);
        assert_eq!(syslog(&String::from_utf8(out).unwrap()).host, host);
        let mut out = Vec::new();
        export::write(Format::CloudEvents, 1, origin, record, &record.entry(), &mut out);
        let event = json(&String::from_utf8(out).unwrap());
        assert!(event["source"].as_str().unwrap().bytes().all(|b| b.is_ascii_graphic()), "{event}");
    }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

/// A CEF line as its readers take it apart: header fields, and the extension by keys.
fn cef(line: &str) -> (Vec<String>, BTreeMap<String, String>) {
    let (mut header, mut field) = (Vec::new(), String::new());
    let mut chars = line.chars();
    while header.len() < 7 {
        match chars.next().expect("seven header fields") {
            '\\' => field.push(chars.next().unwrap()),
            '|' => header.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    // A key is the word in front of a `=` that is not escaped.
    let rest: Vec<char> = chars.collect();
    let mut equals: Vec<usize> = Vec::new();
    let mut escaped = false;
    for (at, c) in rest.iter().enumerate() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '=' => equals.push(at),
            _ => {}
        }
    }
    let key_start = |equal: usize| rest[..equal].iter().rposition(|c| *c == ' ').map_or(0, |at| at + 1);
    let mut fields = BTreeMap::new();
    for (number, equal) in equals.iter().enumerate() {
        let end = equals.get(number + 1).map_or(rest.len(), |next| key_start(*next) - 1);
        let (mut value, mut raw) = (String::new(), rest[equal + 1..end].iter());
        while let Some(c) = raw.next() {
            match (c, if *c == '\\' { raw.next() } else { None }) {
                ('\\', Some('n')) => value.push('\n'),
                ('\\', Some('r')) => value.push('\r'),
                ('\\', Some(other)) => value.push(*other),
                (c, _) => value.push(*c),
            }
        }
        let key: String = rest[key_start(*equal)..*equal].iter().collect();
        assert!(key.bytes().all(|b| b.is_ascii_alphanumeric()), "key `{key}` of {line}");
        assert!(fields.insert(key, value).is_none(), "a key twice: {line}");
    }
    (header, fields)
}

#[derive(Debug)]
struct Syslog {
    priority: u32,
    time: String,
    host: String,
    message_id: String,
    params: BTreeMap<String, String>,
    text: String,
}

/// An RFC 5424 message as its readers take it apart.
fn syslog(line: &str) -> Syslog {
    let (priority, rest) = line.strip_prefix('<').unwrap().split_once(">1 ").unwrap();
    let header: Vec<&str> = rest.splitn(6, ' ').collect();
    let [time, host, app, process, message_id, rest] = header[..] else { panic!("{line}") };
    assert_eq!((app, process), ("boltseal", "-"));
    let data = rest.strip_prefix("[boltseal@32473").unwrap();
    let (mut params, mut chars) = (BTreeMap::new(), data.chars());
    loop {
        match chars.next().unwrap() {
            ']' => break,
            c => assert_eq!(c, ' ', "{line}"),
        }
        let name: String = chars.by_ref().take_while(|c| *c != '=').collect();
        assert!(name.bytes().all(|b| b.is_ascii_alphanumeric()) && name.len() <= 32, "{name}");
        assert_eq!(chars.next(), Some('"'));
        let mut value = String::new();
        loop {
            match chars.next().unwrap() {
                '"' => break,
                '\\' => value.push(chars.next().unwrap()),
                c => value.push(c),
            }
        }
        assert!(params.insert(name, value).is_none());
    }
    let text = chars.as_str().strip_prefix(" \u{feff}").expect("a BOM").to_owned();
    let (time, host, message_id) = (time.to_owned(), host.to_owned(), message_id.to_owned());
    Syslog { priority: priority.parse().unwrap(), time, host, message_id, params, text }
}

/// What a line may hold of `text`.
fn plain(text: &str, limit: usize, keeps_breaks: bool) -> String {
    let cut = &text[..text.floor_char_boundary(limit)];
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    cut.chars()
        .map(|c| if breaks(c) && !(keeps_breaks && matches!(c, '\n' | '\r')) { '\u{fffd}' } else { c })
        .collect()
}

fn check_cef(record: &Record) -> Result<(), TestCaseError> {
    let (header, fields) = cef(&line(Format::Cef, 7, record));
    prop_assert_eq!(&header[..3], ["CEF:0", "Boltseal", "Boltseal"]);
    prop_assert_eq!(&header[4], &record.activity.type_uid().to_string());
    let get = |key: &str| fields.get(key).cloned().unwrap_or_default();
    let text = |text: &str| plain(text, 1023, true);
    prop_assert_eq!(get("suser"), text(&record.actor.name));
    prop_assert_eq!(get("suid"), text(&record.actor.id));
    prop_assert_eq!(get("cat"), text(&record.action));
    prop_assert_eq!(get("cs1"), text(&record.subject.scope));
    prop_assert_eq!(get("msg"), text(record.status.as_deref().unwrap_or_default()));
    prop_assert_eq!(
        get("requestClientApplication"),
        text(record.source.agent.as_deref().unwrap_or_default())
    );
    prop_assert_eq!(get("cn1"), "7");
    Ok(())
}

fn check_syslog(record: &Record) -> Result<(), TestCaseError> {
    let message = syslog(&line(Format::Syslog, 7, record));
    prop_assert_eq!(message.priority / 8, 13);
    prop_assert_eq!(message.host, "boltseal.example");
    prop_assert_eq!(message.message_id, record.activity.name());
    prop_assert!(message.time.len() == 24 && message.time.ends_with('Z'), "{}", message.time);
    prop_assert!(!message.text.is_empty());
    let get = |name: &str| message.params.get(name).cloned().unwrap_or_default();
    let text = |text: &str| plain(text, 512, false);
    prop_assert_eq!(get("actor"), text(&record.actor.name));
    prop_assert_eq!(get("scope"), text(&record.subject.scope));
    prop_assert_eq!(get("agent"), text(record.source.agent.as_deref().unwrap_or_default()));
    prop_assert_eq!(get("status"), text(record.status.as_deref().unwrap_or_default()));
    prop_assert_eq!(get("index"), "7");
    Ok(())
}

fn check_json(record: &Record) -> Result<(), TestCaseError> {
    let entry: Value = serde_json::from_slice(&record.entry()).unwrap();
    prop_assert_eq!(&json(&line(Format::Ocsf, 7, record)), &entry);
    let event = json(&line(Format::CloudEvents, 7, record));
    prop_assert_eq!(&event["data"], &entry);
    for required in ["id", "source", "specversion", "type"] {
        prop_assert!(event[required].as_str().is_some_and(|text| !text.is_empty()), "{}", required);
    }
    for (name, value) in event.as_object().unwrap() {
        prop_assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()) && name.len() <= 20);
        prop_assert!(value.as_str().is_none_or(|text| !text.contains(char::is_control)));
    }
    let logs = json(&line(Format::Otlp, 7, record));
    let log = &logs["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
    let body = log["body"]["stringValue"].as_str().unwrap();
    prop_assert_eq!(body.as_bytes(), record.entry());
    let nanos: u64 = log["timeUnixNano"].as_str().unwrap().parse().unwrap();
    prop_assert_eq!(nanos, u64::try_from(record.time.as_nanosecond()).unwrap_or(0));
    let azure = json(&line(Format::Azure, 7, record));
    prop_assert_eq!(&azure["records"][0]["properties"]["record"], &entry);
    prop_assert_eq!(&azure["records"][0]["category"], "AuditEvent");
    Ok(())
}

fn check_all(record: &Record) -> Result<(), TestCaseError> {
    for format in Format::ALL {
        let text = line(format, 7, record);
        prop_assert!(!text.contains(|c: char| c < ' '), "{}: {:?}", format.name(), text);
    }
    check_cef(record)?;
    check_syslog(record)?;
    check_json(record)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn readers_get_back_what_was_written(record in any_record(40)) {
        check_all(&record)?;
    }

    #[test]
    fn long_texts_too(record in any_record(1_500)) {
        check_all(&record)?;
    }
}
