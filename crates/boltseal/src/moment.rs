//! Moments as people write them: RFC 3339, a date, or a span such as `90d` from now on or back.

use std::time::Duration;

use boltseal_model::{Date, Timestamp};
use jiff::{SignedDuration, tz::TimeZone};

/// The longest span: ten years.
const MAX_DAYS: i64 = 3660;

/// A moment that is meant to come.
pub fn future(text: &str) -> Result<Timestamp, String> {
    read(text, Timestamp::now(), 1)
}

/// How long something waits until it is done again; a second at least.
pub fn pause(text: &str) -> Result<Duration, String> {
    lasting(text)
        .ok()
        .filter(|span| !span.is_zero())
        .ok_or_else(|| "expected a span such as 90s, 30m, 12h".to_owned())
}

/// How long something lasts; `0s` is not at all.
pub fn lasting(text: &str) -> Result<Duration, String> {
    let span = span(text).and_then(|span| Duration::try_from(span).ok());
    span.ok_or_else(|| "expected a span such as 0s, 30m, 12h, 7d".to_owned())
}

/// A moment that is meant to be over.
pub fn past(text: &str) -> Result<Timestamp, String> {
    read(text, Timestamp::now(), -1)
}

fn read(text: &str, now: Timestamp, direction: i32) -> Result<Timestamp, String> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    let span = || now.checked_add(span(text)? * direction).ok();
    text.parse::<Timestamp>().ok().or_else(day).or_else(span).ok_or_else(|| {
        "expected a moment such as 2026-03-01T12:00:00Z, a date such as 2026-03-01, or a span such as 90d, 12h, 30m"
            .to_owned()
    })
}

/// `90d`, `12h`, `30m`, `10s`.
fn span(text: &str) -> Option<SignedDuration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let seconds = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => return None,
    };
    let number: i64 = number.parse().ok().filter(|number| *number >= 0)?;
    let seconds = number.checked_mul(seconds).filter(|seconds| *seconds <= MAX_DAYS * 86_400)?;
    Some(SignedDuration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        for (text, ahead, back) in [
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
            ("2026-12-24", "2026-12-24T00:00:00Z", "2026-12-24T00:00:00Z"),
            ("2d", "2026-03-03T12:00:00Z", "2026-02-27T12:00:00Z"),
            ("90m", "2026-03-01T13:30:00Z", "2026-03-01T10:30:00Z"),
        ] {
            for (direction, expected) in [(1, ahead), (-1, back)] {
                assert_eq!(read(text, now, direction).unwrap().to_string(), expected, "{text}");
            }
        }
        for text in ["", "d", "-1d", "1y", "tomorrow", "99999999d", "ä"] {
            assert!(read(text, now, 1).is_err(), "{text}");
        }
    }
}
