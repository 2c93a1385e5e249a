//! Debian's security tracker as one JSON object: package, vulnerability, release.
//!
//! Source: <https://security-tracker.debian.org/tracker/data/json>, described in
//! <https://security-team.debian.org/security_tracker.html>. It streams: one vulnerability of one package is held at
//! a time.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use boltseal_ecosystem::{debian_release, of_space};
use boltseal_model::{Advisory, Affected, Range, Severity, Status};
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::{Document, Format, Tally};
use crate::{Error, Sink, limits};

/// The format.
pub struct DebianTracker;

const ID: &str = "debian-tracker";

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    description: Option<String>,
    releases: BTreeMap<String, Release>,
}

#[derive(Deserialize)]
struct Release {
    status: String,
    #[serde(default)]
    urgency: Option<String>,
    #[serde(default)]
    fixed_version: Option<String>,
    /// Present, mostly empty, when the security team decided against an advisory.
    #[serde(default)]
    nodsa: Option<String>,
    /// `ignored`, `postponed`, or empty.
    #[serde(default)]
    nodsa_reason: Option<String>,
}

impl Format for DebianTracker {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "Debian security tracker: data/json"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let has = |key: &[u8]| super::has(head, key);
        head.trim_ascii_start().starts_with(b"{")
            && has(b"\"releases\"")
            && has(b"\"status\"")
            && has(b"\"urgency\"")
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let used = Rc::new(Cell::new(0));
        let mut reading =
            Reading { feed, sink, tally: Tally::default(), used: Rc::clone(&used), package: String::new() };
        let metered = Metered { inner: &mut *document.input, used };
        let mut json = serde_json::Deserializer::from_reader(io::BufReader::with_capacity(1 << 16, metered));
        let read = json.deserialize_map(Packages(&mut reading)).and_then(|()| json.end());
        let tally = reading.tally;
        read.map_err(|error| Error::broken(document.name, ID, error))?;
        Ok(tally)
    }
}

/// Fails when one record takes too many bytes, whatever the size of the whole.
struct Metered<'a> {
    inner: &'a mut dyn io::BufRead,
    used: Rc<Cell<u64>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.used.set(self.used.get() + read as u64);
        if self.used.get() > limits::MAX_RECORD_BYTES {
            return Err(io::Error::other("a record is larger than the limit of records"));
        }
        Ok(read)
    }
}

struct Reading<'a> {
    feed: &'a str,
    sink: &'a mut dyn Sink,
    tally: Tally,
    used: Rc<Cell<u64>>,
    package: String,
}

/// The outer object: package by package.
struct Packages<'r, 'a>(&'r mut Reading<'a>);

impl<'de> Visitor<'de> for Packages<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of packages")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(package) = map.next_key::<String>()? {
            self.0.package = package;
            map.next_value_seed(Entries(self.0))?;
        }
        Ok(())
    }
}

/// The inner object: the vulnerabilities of one package.
struct Entries<'r, 'a>(&'r mut Reading<'a>);

impl<'de> DeserializeSeed<'de> for Entries<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of vulnerabilities")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((id, value)) = map.next_entry::<String, Box<RawValue>>()? {
            self.0.used.set(0);
            match serde_json::from_str::<Entry>(value.get()) {
                Ok(entry) => self.0.take(id, entry),
                Err(error) => {
                    let what = format!("{} {}", self.0.package, super::cut(&id, 60));
                    self.0.tally.reject(self.0.sink, &what, &error.to_string());
                }
            }
        }
        Ok(())
    }
}

impl Reading<'_> {
    fn take(&mut self, id: String, entry: Entry) {
        if id.is_empty() || self.package.is_empty() {
            return self.tally.reject(self.sink, "entry", "no id, or no package");
        }
        let mut affected = Vec::new();
        for (codename, release) in entry.releases {
            let Some(number) = debian_release(&codename) else {
                self.tally.unsupported(&format!("Debian:{codename}"));
                continue;
            };
            match state(&release) {
                Ok((status, ranges)) => {
                    let space = format!("debian:{number}");
                    self.tally.records += 1;
                    if !self.tally.spaces.contains(&space) {
                        self.tally.spaces.insert(space.clone());
                    }
                    let package = of_space(&space).map(|debian| debian.normalise(&self.package));
                    affected.push(Affected {
                        package: package.unwrap_or_else(|| self.package.clone()),
                        space,
                        ranges,
                        versions: Vec::new(),
                        status,
                        severity: release.urgency.as_deref().and_then(urgency),
                        ..Affected::default()
                    });
                }
                Err(why) => {
                    self.tally.reject(self.sink, &format!("{} {id} {codename}", self.package), &why);
                }
            }
        }
        if affected.is_empty() {
            return;
        }
        let details = entry.description.unwrap_or_default();
        let summary = details.split(". ").next().unwrap_or_default();
        self.sink.advisory(Advisory {
            references: vec![format!("https://security-tracker.debian.org/tracker/{id}")],
            id,
            feed: self.feed.to_owned(),
            summary: super::cut(summary, limits::MAX_SUMMARY_BYTES),
            details: super::cut(&details, limits::MAX_DETAILS_BYTES),
            affected,
            ..Advisory::default()
        });
    }
}

/// What the tracker's words mean. The fixed version `0` says: this release never was vulnerable.
fn state(release: &Release) -> Result<(Status, Vec<Range>), String> {
    let whole = || vec![Range::default()];
    Ok(match (release.status.as_str(), release.fixed_version.as_deref()) {
        ("resolved", Some("0")) => (Status::NotAffected, Vec::new()),
        ("resolved", Some(version)) => {
            (Status::Affected, vec![Range { fixed: Some(version.to_owned()), ..Range::default() }])
        }
        ("resolved", None) => return Err("`resolved` without `fixed_version`".to_owned()),
        ("undetermined", _) => (Status::UnderInvestigation, whole()),
        ("open", _) if release.urgency.as_deref() == Some("end-of-life") => (Status::EndOfLife, whole()),
        ("open", _) if release.nodsa.is_some() || release.nodsa_reason.is_some() => {
            (Status::WillNotFix, whole())
        }
        ("open", _) => (Status::Affected, whole()),
        (other, _) => return Err(format!("unknown status `{}`", super::cut(other, 40))),
    })
}

/// `low**` was set by a person, `low` by a machine; both mean low.
fn urgency(word: &str) -> Option<Severity> {
    Severity::of_vendor_word(word.trim_end_matches('*'))
}
