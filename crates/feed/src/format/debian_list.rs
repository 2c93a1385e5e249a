//! Debian's lists of security advisories: `data/DSA/list`, `data/DLA/list` and `data/DTSA/list`.
//!
//! Source: <https://security-team.debian.org/security_tracker.html>, "DSA/DLA list". One advisory may fix many CVEs,
//! so each CVE becomes an advisory of ours that names the DSA in its summary and references; the day of the DSA is
//! the day of the fix.

use boltseal_ecosystem::{debian_release, of_space};
use boltseal_model::{Advisory, Affected, Date, Range, Status, Timestamp};

use super::{Document, Format, Tally};
use crate::{Error, Sink, limits};

/// The format.
pub struct DebianList;

const ID: &str = "debian-list";

impl Format for DebianList {
    fn id(&self) -> &'static str {
        ID
    }

    fn about(&self) -> &'static str {
        "Debian DSA, DLA and DTSA lists of the security tracker"
    }

    fn recognises(&self, _: &str, head: &[u8]) -> bool {
        let line = head.trim_ascii_start().split(|byte| *byte == b'\n').next().unwrap_or_default();
        Entry::begin(&String::from_utf8_lossy(line)).is_some()
    }

    fn read(&self, document: &mut Document<'_>, feed: &str, sink: &mut dyn Sink) -> Result<Tally, Error> {
        let mut tally = Tally::default();
        let mut open: Option<Entry> = None;
        let mut line = Vec::new();
        let mut number = 0_u64;
        while document.line(&mut line, limits::MAX_LINE_BYTES, ID)? {
            number += 1;
            let text = String::from_utf8_lossy(&line);
            let reject = |tally: &mut Tally, sink: &mut dyn Sink, why: &str| {
                tally.reject(sink, &format!("{} line {number}", document.name), why);
            };
            if text.starts_with('[') {
                if let Some(entry) = open.take() {
                    entry.tell(feed, sink, &mut tally);
                }
                open = Entry::begin(&text);
                match &open {
                    Some(entry) => tally.saw(entry),
                    None => reject(&mut tally, sink, "not `[date] id package - text`"),
                }
            } else if let Some(entry) = &mut open
                && let Err(why) = entry.add(text.trim(), &mut tally)
            {
                reject(&mut tally, sink, why);
            }
        }
        if let Some(entry) = open {
            entry.tell(feed, sink, &mut tally);
        }
        Ok(tally)
    }
}

impl Tally {
    fn saw(&mut self, entry: &Entry) {
        self.published = self.published.max(Some(entry.moment()));
        let family = entry.id.split('-').next().map(str::to_owned);
        self.feed.get_or_insert_with(|| family.unwrap_or_default());
    }
}

/// One advisory of the list.
struct Entry {
    date: Date,
    id: String,
    title: String,
    cves: Vec<String>,
    affected: Vec<Affected>,
}

impl Entry {
    /// `[29 Mar 2023] DSA-5380-1 xorg-server - security update`
    fn begin(line: &str) -> Option<Self> {
        let (date, rest) = line.strip_prefix('[')?.split_once(']')?;
        let (id, title) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
        if !["DSA-", "DLA-", "DTSA-"].iter().any(|family| id.starts_with(family)) {
            return None;
        }
        let date = Date::strptime("%d %b %Y", date.trim()).ok()?;
        let title = super::cut(&format!("{id} {}", title.trim()), limits::MAX_SUMMARY_BYTES);
        Some(Self { date, id: id.to_owned(), title, cves: Vec::new(), affected: Vec::new() })
    }

    /// A line below it: `{CVE…}`, `[release] - package version`, or a note.
    fn add(&mut self, line: &str, tally: &mut Tally) -> Result<(), &'static str> {
        if let Some(cves) = line.strip_prefix('{') {
            self.cves.extend(super::cves(cves).into_iter().map(str::to_owned));
            return Ok(());
        }
        let Some(rest) = line.strip_prefix('[') else { return Ok(()) };
        let (release, rest) = rest.split_once(']').ok_or("no `]` after the release")?;
        let mut words = rest.trim().trim_start_matches('-').split_whitespace();
        let (Some(package), Some(version)) = (words.next(), words.next()) else {
            return Err("no package and version after the release");
        };
        let Some(number) = debian_release(release) else {
            tally.unsupported(&format!("Debian:{release}"));
            return Ok(());
        };
        let space = format!("debian:{number}");
        let mut affected = Affected {
            package: of_space(&space).map_or_else(|| package.to_owned(), |debian| debian.normalise(package)),
            space,
            ..Affected::default()
        };
        let whole = vec![Range::default()];
        match version {
            "<not-affected>" => affected.status = Status::NotAffected,
            "<end-of-life>" => (affected.status, affected.ranges) = (Status::EndOfLife, whole),
            "<no-dsa>" | "<ignored>" | "<postponed>" => {
                (affected.status, affected.ranges) = (Status::WillNotFix, whole);
            }
            "<undetermined>" => (affected.status, affected.ranges) = (Status::UnderInvestigation, whole),
            "<unfixed>" => affected.ranges = whole,
            other if other.starts_with('<') => return Err("an unknown state"),
            version => {
                let (fixed, fixed_on) = (Some(version.to_owned()), Some(self.date));
                affected.ranges.push(Range { fixed, fixed_on, ..Range::default() });
            }
        }
        self.affected.push(affected);
        Ok(())
    }

    fn tell(mut self, feed: &str, sink: &mut dyn Sink, tally: &mut Tally) {
        if self.affected.is_empty() {
            return tally.skip("of releases not supported, or without packages");
        }
        if self.cves.is_empty() {
            // A second edition that repairs the first tells of no vulnerability.
            if self.title.contains("regression") || !self.title.contains("security update") {
                return tally.skip("repairs and announcements without a vulnerability");
            }
            self.cves.push(self.id.clone());
        }
        tally.spaces.extend(self.affected.iter().map(|affected| affected.space.clone()));
        tally.records += 1;
        let published = Some(self.moment());
        for cve in &self.cves {
            sink.advisory(Advisory {
                id: cve.clone(),
                feed: feed.to_owned(),
                summary: self.title.clone(),
                published,
                modified: published,
                references: vec![format!("https://security-tracker.debian.org/tracker/{}", self.id)],
                affected: self.affected.clone(),
                ..Advisory::default()
            });
        }
    }

    fn moment(&self) -> Timestamp {
        self.date.to_zoned(jiff::tz::TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |zoned| zoned.timestamp())
    }
}
