//! Ignore files: ids that somebody has looked at, one a line, with an end and a reason.
//!
//! ```text
//! # id            until the end of      why
//! CVE-2024-1013   until:2026-10-01      the parser is never reached with foreign input
//! GHSA-abcd-efgh-ijkl
//! ```
//!
//! `exp:` is read like `until:`. An ignored finding stays in the report, counted and shown as ignored; a policy does
//! not see ignore files at all: pardons there are exceptions, with an owner.

use boltseal_model::{Date, Finding, Ignored, Report, Timestamp};

/// Entries of one file. People write these by hand; more than this is a mistake or an attack.
const MAX_ENTRIES: usize = 100_000;

/// What an ignore file says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreFile {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: String,
    until: Option<Date>,
    reason: Option<String>,
}

/// Why a text is not an ignore file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// The date cannot be read.
    #[error("line {line}: `{word}` is not a date: write until:YYYY-MM-DD")]
    Date {
        /// Counted from one.
        line: usize,
        /// As written.
        word: String,
    },
    /// Too long to be made by hand.
    #[error("more than {MAX_ENTRIES} entries: an ignore file lists what people have looked at")]
    TooLong,
}

impl IgnoreFile {
    /// Reads the text of an ignore file.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let mut entries = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if entries.len() == MAX_ENTRIES {
                return Err(IgnoreError::TooLong);
            }
            entries.extend(entry(line, index + 1)?);
        }
        Ok(Self { entries })
    }

    /// Moves the findings that this file names from `findings` to `omitted`. Gives back the ids whose time is over.
    pub fn apply(&self, report: &mut Report, now: Timestamp) -> Vec<String> {
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let (active, over): (Vec<&Entry>, Vec<&Entry>) =
            self.entries.iter().partition(|entry| entry.until.is_none_or(|until| today <= until));
        let mut ignored = Vec::new();
        report.findings.retain(|finding| {
            let Some(entry) = active.iter().find(|entry| entry.names(finding)) else { return true };
            ignored.push(Ignored {
                finding: finding.clone(),
                reason: entry.reason.clone(),
                until: entry.until,
            });
            false
        });
        report.omitted.ignored.append(&mut ignored);
        over.into_iter().map(|entry| entry.id.clone()).collect()
    }
}

impl Entry {
    fn names(&self, finding: &Finding) -> bool {
        std::iter::once(&finding.id).chain(&finding.aliases).any(|id| id.eq_ignore_ascii_case(&self.id))
    }
}

fn entry(line: &str, number: usize) -> Result<Option<Entry>, IgnoreError> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (id, mut rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    rest = rest.trim_start();
    let mut until = None;
    if let Some(dated) = rest.strip_prefix("until:").or_else(|| rest.strip_prefix("exp:")) {
        let (word, after) = dated.split_once(char::is_whitespace).unwrap_or((dated, ""));
        let wrong = |_| IgnoreError::Date { line: number, word: word.chars().take(40).collect() };
        until = Some(word.parse().map_err(wrong)?);
        rest = after;
    }
    let reason = rest.trim().trim_start_matches('#').trim();
    let reason = (!reason.is_empty()).then(|| reason.to_owned());
    Ok(Some(Entry { id: id.to_owned(), until, reason }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(id: &str, until: Option<&str>, reason: Option<&str>) -> Entry {
        let until = until.map(|date| date.parse().unwrap());
        Entry { id: id.to_owned(), until, reason: reason.map(str::to_owned) }
    }

    #[test]
    fn reads_lines() {
        for (line, expected) in [
            ("", None),
            ("  # nothing", None),
            ("CVE-1", Some(entry("CVE-1", None, None))),
            ("CVE-1 # seen", Some(entry("CVE-1", None, Some("seen")))),
            ("CVE-1 not reachable", Some(entry("CVE-1", None, Some("not reachable")))),
            ("CVE-1\tuntil:2026-10-01", Some(entry("CVE-1", Some("2026-10-01"), None))),
            ("CVE-1  exp:2026-10-01  # why", Some(entry("CVE-1", Some("2026-10-01"), Some("why")))),
        ] {
            assert_eq!(super::entry(line, 1).unwrap(), expected, "{line}");
        }
        let wrong = IgnoreFile::parse("CVE-1\nCVE-2 until:tomorrow").unwrap_err();
        assert_eq!(wrong.to_string(), "line 2: `tomorrow` is not a date: write until:YYYY-MM-DD");
    }
}
