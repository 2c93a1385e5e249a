//! An id a line, ours and `.trivyignore`:
//!
//! ```text
//! # id            until the end of      why
//! CVE-2024-1013   until:2026-10-01      the parser is never reached with foreign input
//! CVE-2024-1014   exp:2026-10-01
//! GHSA-abcd-efgh-ijkl
//! ```
//!
//! `until:` names the last day. `exp:` is Trivy's and names the first day on which the entry no longer holds.

use boltseal_model::Date;

use super::{
    IgnoreError, IgnoreFile,
    rule::{Condition, Rule},
};

pub(super) fn read(text: &str) -> Result<IgnoreFile, IgnoreError> {
    let mut file = IgnoreFile::default();
    for (index, line) in text.lines().enumerate() {
        if file.rules.len() > super::MAX_ENTRIES {
            return Err(IgnoreError::TooLong);
        }
        file.rules.extend(entry(line, index + 1)?);
    }
    Ok(file)
}

fn entry(line: &str, number: usize) -> Result<Option<Rule>, IgnoreError> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let (id, mut rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    rest = rest.trim_start();
    let mut until = None;
    let (first, after) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let wrong = |word: &str| IgnoreError::Date { line: number, word: word.chars().take(40).collect() };
    if let Some(word) = first.strip_prefix("until:") {
        until = Some(word.parse().map_err(|_| wrong(word))?);
        rest = after;
    } else if let Some(word) = first.strip_prefix("exp:") {
        until = Some(day_before(word).ok_or_else(|| wrong(word))?);
        rest = after;
    }
    let reason = rest.trim().trim_start_matches('#').trim();
    Ok(Some(Rule {
        label: id.to_owned(),
        conditions: vec![Condition::Id(id.to_owned())],
        until,
        reason: (!reason.is_empty()).then(|| reason.to_owned()),
    }))
}

/// The last day of an entry that ends with the first moment of `word`.
pub(super) fn day_before(word: &str) -> Option<Date> {
    word.parse::<Date>().ok()?.yesterday().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines() {
        for (line, expected) in [
            ("", None),
            ("  # nothing", None),
            ("CVE-1", Some(("CVE-1", None, None))),
            ("CVE-1 # seen", Some(("CVE-1", None, Some("seen")))),
            ("CVE-1 not reachable", Some(("CVE-1", None, Some("not reachable")))),
            ("CVE-1\tuntil:2026-10-01", Some(("CVE-1", Some("2026-10-01"), None))),
            ("CVE-1  exp:2026-10-01  # why", Some(("CVE-1", Some("2026-09-30"), Some("why")))),
        ] {
            let found = entry(line, 1).unwrap();
            let found = found.map(|rule| (rule.label, rule.until.map(|day| day.to_string()), rule.reason));
            let expected = expected.map(|(id, until, reason): (&str, Option<&str>, Option<&str>)| {
                (id.to_owned(), until.map(str::to_owned), reason.map(str::to_owned))
            });
            assert_eq!(found, expected, "{line}");
        }
        let wrong = IgnoreFile::parse("CVE-1\nCVE-2 until:tomorrow").unwrap_err();
        assert_eq!(wrong.to_string(), "line 2: `tomorrow` is not a date: write until:YYYY-MM-DD");
    }
}
