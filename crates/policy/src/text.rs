//! Words a policy file may contain: they end up in terminals, HTTP answers and logs, so they are plain.

use boltseal_model::{Date, Timestamp};
use serde::Deserialize;

/// A sentence, not an essay.
const MAX_LINE: usize = 1_000;
/// Names are typed and shown in tables.
const MAX_NAME: usize = 64;

/// Name of a policy, a rule or an exception.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(pub(crate) String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
        if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(plain) {
            let text: String = text.chars().take(MAX_NAME).filter(|c| !c.is_control()).collect();
            return Err(format!(
                "`{text}` is not a name: use 1 to {MAX_NAME} letters, digits, dots, dashes and underscores"
            ));
        }
        Ok(Self(text))
    }
}

/// One line of text that says something.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Line(pub(crate) String);

impl TryFrom<String> for Line {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if line.is_empty() {
            return Err("this must say something: it is what people read when they ask why".to_owned());
        }
        if line.len() > MAX_LINE || line.chars().any(char::is_control) {
            return Err(format!("at most {MAX_LINE} characters, and no control characters"));
        }
        Ok(Self(line))
    }
}

/// A day or a moment, such as `2027-01-31` or `2027-01-31T12:00:00Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Moment {
    first: Timestamp,
    last: Timestamp,
}

impl Moment {
    /// When it begins: of a day that is midnight, UTC.
    pub(crate) const fn first(self) -> Timestamp {
        self.first
    }

    /// The last second of it.
    pub(crate) const fn last(self) -> Timestamp {
        self.last
    }
}

impl TryFrom<String> for Moment {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let broken = || {
            let text: String = text.chars().take(40).filter(|c| !c.is_control()).collect();
            format!("`{text}` is no moment: write 2027-01-31, or 2027-01-31T12:00:00Z")
        };
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self { first: at, last: at });
        }
        let day = Day::try_from(text.clone()).map_err(|_| broken())?;
        let at = |at: jiff::civil::DateTime| at.to_zoned(jiff::tz::TimeZone::UTC).map(|at| at.timestamp());
        let first = at(day.date.at(0, 0, 0, 0)).map_err(|_| broken())?;
        let last = at(day.date.at(23, 59, 59, 0)).map_err(|_| broken())?;
        Ok(Self { first, last })
    }
}

/// The last day something holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Day {
    pub(crate) date: Date,
    /// The moment after that day, UTC.
    pub(crate) end: Timestamp,
}

impl TryFrom<String> for Day {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || {
            let text: String = text.chars().take(40).filter(|c| !c.is_control()).collect();
            format!("`{text}` is not a day: write the last valid day as YYYY-MM-DD, such as 2027-01-31")
        };
        let date: Date =
            if text.len() == "2027-01-31".len() { text.parse().ok() } else { None }.ok_or_else(wrong)?;
        Ok(Self { date, end: end_of(date).ok_or_else(wrong)? })
    }
}

/// The first moment after `day`, UTC.
pub(crate) fn end_of(day: Date) -> Option<Timestamp> {
    let next = day.tomorrow().ok()?;
    Some(next.at(0, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
}

/// `a, b, c and 4 more`: the first `most` of `items`.
pub(crate) fn listed<T: AsRef<str>>(items: &[T], most: usize) -> String {
    let mut text = items.iter().take(most).map(AsRef::as_ref).collect::<Vec<_>>().join(", ");
    if items.len() > most {
        text.push_str(" and ");
        text.push_str(&(items.len() - most).to_string());
        text.push_str(" more");
    }
    text
}

/// `1 package`, `2 packages`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Text out of an image or a feed as one harmless line: no control or direction characters, bounded.
pub(crate) fn plain(text: String) -> String {
    let bad = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if text.len() <= MAX_LINE && !text.contains(bad) {
        return text;
    }
    let mut line: String = text.chars().take(MAX_LINE).map(|c| if bad(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(MAX_LINE).is_some() {
        line.push('…');
    }
    line
}
