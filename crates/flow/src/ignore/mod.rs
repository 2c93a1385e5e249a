//! Ignore files: what somebody has looked at and decided to live with, with an end and a reason.
//!
//! Three kinds are told apart by their content:
//!
//! | kind | looks like | read by |
//! |---|---|---|
//! | ours, and `.trivyignore` | an id a line | `plain` |
//! | `.trivyignore.yaml` | `vulnerabilities:` and a list | `trivy` |
//! | `.grype.yaml` | `ignore:` and a list | `grype` |
//!
//! ```
//! # use boltseal_flow::IgnoreFile;
//! let file = IgnoreFile::parse("CVE-2024-1013 until:2026-10-01 the parser never sees foreign input")?;
//! assert!(file.unread().is_empty());
//! # Ok::<(), boltseal_flow::IgnoreError>(())
//! ```
//!
//! A finding that is ignored stays in the report, counted and listed with its reason. A rule that asks for something that
//! cannot be checked here ignores nothing and is named in [`IgnoreFile::unread`]: leaving the question out would ignore more
//! than its author meant. [`set_aside`] is for whoever else has a reason, such as a VEX statement.
//!
//! Limits: [`MAX_TEXT`] bytes, [`MAX_ENTRIES`] entries.

mod grype;
mod plain;
mod rule;
mod trivy;
mod yaml;

use boltseal_model::{Date, Finding, Ignored, Report, Timestamp};

use rule::Rule;

/// Entries of one file. People write these by hand; more than this is a mistake or an attack.
const MAX_ENTRIES: usize = 100_000;
/// Bytes of one file, for the same reason.
const MAX_TEXT: usize = 8 << 20;

/// What an ignore file says.
#[derive(Clone, Debug, Default)]
pub struct IgnoreFile {
    rules: Vec<Rule>,
    unread: Vec<String>,
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
    /// A value of a YAML file makes no sense.
    #[error("{0}")]
    Value(String),
    /// YAML, but not what any of the known kinds looks like.
    #[error("neither `ignore:` as in .grype.yaml nor `vulnerabilities:` as in .trivyignore.yaml")]
    Kind,
    /// A VEX document says why something is not affected, which is more than ignoring it.
    #[error("this is a VEX document, not an ignore file")]
    Vex,
    /// Too long to be made by hand.
    #[error(
        "more than {MAX_ENTRIES} entries or {MAX_TEXT} bytes: an ignore file lists what people have looked at"
    )]
    TooLong,
}

/// Why a finding is not to be listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Why {
    /// In the words of whoever decided.
    pub reason: Option<String>,
    /// The last day on which it holds.
    pub until: Option<Date>,
}

impl IgnoreFile {
    /// Reads the text of an ignore file of any kind.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        if text.len() > MAX_TEXT {
            return Err(IgnoreError::TooLong);
        }
        let text = text.trim_start_matches('\u{feff}');
        let file = match kind(text)? {
            Kind::Plain => plain::read(text)?,
            Kind::Trivy => trivy::read(text)?,
            Kind::Grype => grype::read(text)?,
        };
        if file.rules.len() > MAX_ENTRIES { Err(IgnoreError::TooLong) } else { Ok(file) }
    }

    /// What stands in the file and ignores nothing here, in words.
    pub fn unread(&self) -> &[String] {
        &self.unread
    }

    /// Moves the findings that this file names from `findings` to `omitted`. Gives back the entries whose time is over.
    pub fn apply(&self, report: &mut Report, now: Timestamp) -> Vec<String> {
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        let (active, over): (Vec<&Rule>, Vec<&Rule>) =
            self.rules.iter().partition(|rule| rule.until.is_none_or(|until| today <= until));
        set_aside(report, |finding| {
            let rule = active.iter().find(|rule| rule.names(finding))?;
            Some(Why { reason: rule.reason.clone(), until: rule.until })
        });
        over.into_iter().map(|rule| rule.label.clone()).collect()
    }
}

/// Moves the findings that `why` has something to say about from `findings` to `omitted.ignored`, with what it says.
pub fn set_aside(report: &mut Report, mut why: impl FnMut(&Finding) -> Option<Why>) {
    let mut ignored = Vec::new();
    report.findings.retain(|finding| {
        let Some(Why { reason, until }) = why(finding) else { return true };
        ignored.push(Ignored { finding: finding.clone(), reason, until, statement: None });
        false
    });
    report.omitted.ignored.append(&mut ignored);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Plain,
    Trivy,
    Grype,
}

/// YAML has keys at the start of lines; ids do not end with a colon.
fn kind(text: &str) -> Result<Kind, IgnoreError> {
    if text.trim_start().starts_with('{') {
        // JSON is YAML too; of JSON documents, only those about VEX are mistaken for ignore files.
        return if text.contains("openvex") || text.contains("\"vex\"") || text.contains("CycloneDX") {
            Err(IgnoreError::Vex)
        } else if text.contains("\"ignore\"") {
            Ok(Kind::Grype)
        } else if text.contains("\"vulnerabilities\"") {
            Ok(Kind::Trivy)
        } else {
            Err(IgnoreError::Kind)
        };
    }
    let keys: Vec<&str> = text.lines().filter_map(key).collect();
    let has = |words: &[&str]| keys.iter().any(|key| words.contains(key));
    if has(&["ignore"]) {
        Ok(Kind::Grype)
    } else if has(&["vulnerabilities", "misconfigurations", "secrets", "licenses"]) {
        Ok(Kind::Trivy)
    } else if keys.is_empty() {
        Ok(Kind::Plain)
    } else {
        Err(IgnoreError::Kind)
    }
}

/// The key of a line such as `ignore:`.
fn key(line: &str) -> Option<&str> {
    let (key, rest) = line.split_once(':')?;
    let word = key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-') && !key.is_empty();
    (word && (rest.is_empty() || rest.starts_with([' ', '\t', '\r']))).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_content() {
        for (text, expected) in [
            ("", Ok(Kind::Plain)),
            ("CVE-1", Ok(Kind::Plain)),
            ("# ignore: all\nCVE-1 until:2026-10-01 why: because", Ok(Kind::Plain)),
            ("ghsa-1", Ok(Kind::Plain)),
            ("---\nvulnerabilities:\n  - id: CVE-1", Ok(Kind::Trivy)),
            ("secrets:\n- id: x", Ok(Kind::Trivy)),
            ("fail-on-severity: high\nignore:\n  - vulnerability: CVE-1", Ok(Kind::Grype)),
            ("{\"ignore\": []}", Ok(Kind::Grype)),
            ("{\"@context\": \"https://openvex.dev/ns/v0.2.0\"}", Err(IgnoreError::Vex)),
            ("rules:\n  - name: x", Err(IgnoreError::Kind)),
        ] {
            assert_eq!(kind(text), expected, "{text}");
        }
    }
}
