//! Any bytes: read as an entry, or cut into the texts of a record. Whatever is a record has one entry, comes back from
//! it, and is one line in every format.

use boltseal_audit::{
    Record,
    export::{self, Format, Item},
    query::Filter,
    record::{Activity, Actor, Door, Kind, MAX_ENTRY, Outcome, Source, Subject, Via, Why},
};

const ORIGIN: &str = "boltseal.example/audit";

/// Reads `data` in both ways and writes whatever comes of it.
pub fn body(data: &[u8]) {
    if let Ok(record) = Record::parse(data) {
        for format in Format::ALL {
            check_line(format, &record, data);
        }
        check(&record);
    }
    check(&made_of(data));
}

/// A record whose texts are the pieces of `data` between zero bytes.
fn made_of(data: &[u8]) -> Record {
    let (first, rest) = data.split_first().unwrap_or((&0, &[]));
    let choice = usize::from(*first);
    let mut texts = rest.split(|byte| *byte == 0).map(|piece| String::from_utf8_lossy(piece).into_owned());
    let mut text = || texts.next().unwrap_or_default();
    let time = boltseal_model::Timestamp::UNIX_EPOCH;
    let record = Record::new(time, pick(Activity::ALL, choice), text())
        .actor(
            Actor::new(pick(Kind::ALL, choice), text(), text()).via(pick(Via::ALL, choice)).session(text()),
        )
        .source(Source::new(pick(Door::ALL, choice)).agent(text()).host(text()))
        .subject(Subject::new(text()).name(text()))
        .outcome(pick(Outcome::ALL, choice))
        .status(text())
        .original(text());
    match choice % 3 {
        0 => record.why(Why::Granted { assignment: text(), role: text(), scope: text() }),
        1 => record.why(Why::Rule(text())),
        _ => record.detail(text(), text()),
    }
}

fn pick<T: Copy, const N: usize>(all: [T; N], choice: usize) -> T {
    all[choice % N]
}

fn check(record: &Record) {
    let entry = record.entry();
    assert!(entry.len() <= MAX_ENTRY && entry.iter().all(|byte| *byte >= 0x20));
    let read = Record::parse(&entry).expect("an entry is a record");
    assert!(read.entry() == entry, "an entry has one spelling");
    for format in Format::ALL {
        check_line(format, &read, &entry);
    }
    for (name, value) in [("who", &read.actor.name), ("subject", &read.subject.scope), ("text", &read.action)]
    {
        let Ok(filter) = Filter::parse([(name, value)]) else { continue };
        assert!(!filter.matches(&read) || filter.may_match(&entry), "{:?}", filter.pairs());
    }
}

fn check_line(format: Format, record: &Record, raw: &[u8]) {
    let mut line = Vec::new();
    export::write(format, 7, ORIGIN, record, raw, &mut line);
    let line = std::str::from_utf8(&line).expect("UTF-8");
    assert!(!line.is_empty() && !line.contains(|c: char| c < ' '), "{}", format.name());
    let mut batch = Vec::new();
    let item = Item { index: 7, record, raw };
    export::batch(format, ORIGIN, &[item, item], &mut batch);
    let is_lines = matches!(format, Format::Ocsf | Format::Cef | Format::Syslog);
    let ends = std::str::from_utf8(&batch).expect("UTF-8").matches('\n').count();
    assert_eq!(ends, if is_lines { 2 } else { 0 }, "{}", format.name());
}
