//! Small values of `model` as numbers of the file, and back.

use boltseal_model::{Date, Severity, Status};

/// Year × 10,000 + month × 100 + day; 0 for none, and for years that feeds never mean.
pub(super) fn day_number(date: Option<Date>) -> i32 {
    let number =
        |date: Date| i32::from(date.year()) * 10_000 + i32::from(date.month()) * 100 + i32::from(date.day());
    date.filter(|date| date.year() > 0).map_or(0, number)
}

/// What [`day_number`] made; `Err` for numbers it never makes.
pub(super) fn day(number: i32) -> Result<Option<Date>, &'static str> {
    if number == 0 {
        return Ok(None);
    }
    let part = |value: i32| i8::try_from(value % 100).unwrap_or_default();
    let year = i16::try_from(number / 10_000).map_err(|_| "not a year")?;
    Date::new(year, part(number / 100), part(number)).map(Some).map_err(|_| "not a date")
}

/// 0 for none.
pub(super) fn severity_number(severity: Option<Severity>) -> u8 {
    (1..).zip(SEVERITIES).find(|(_, s)| Some(*s) == severity).map_or(0, |(number, _)| number)
}

/// What [`severity_number`] made.
pub(super) fn severity(number: u8) -> Result<Option<Severity>, &'static str> {
    match number {
        0 => Ok(None),
        number => SEVERITIES.get(usize::from(number) - 1).copied().map(Some).ok_or("not a severity"),
    }
}

/// Its place in the list.
pub(super) fn status_number(status: Status) -> u8 {
    (0..).zip(STATUSES).find(|(_, s)| *s == status).map_or(0, |(number, _)| number)
}

/// What [`status_number`] made.
pub(super) fn status(number: u8) -> Result<Status, &'static str> {
    STATUSES.get(usize::from(number)).copied().ok_or("not a status")
}

const SEVERITIES: [Severity; 6] = [
    Severity::Unknown,
    Severity::Negligible,
    Severity::Low,
    Severity::Medium,
    Severity::High,
    Severity::Critical,
];

const STATUSES: [Status; 5] = [
    Status::Affected,
    Status::NotAffected,
    Status::UnderInvestigation,
    Status::WillNotFix,
    Status::EndOfLife,
];

/// A CVE id as one number that orders as people expect: year, then number. `None` for every other id.
pub(super) fn cve_number(id: &str) -> Option<u64> {
    let (year, number) = id.strip_prefix("CVE-")?.split_once('-')?;
    let digits = |text: &str, most: usize| {
        (!text.is_empty() && text.len() <= most && text.bytes().all(|b| b.is_ascii_digit()))
            .then(|| text.parse::<u64>().ok())
            .flatten()
    };
    (year.len() == 4).then_some(())?;
    // Leading zeros distinguish ids (CVE-2000-0001), so the count of digits is part of the number.
    Some((digits(year, 4)? << 44) | (digits(number, 12)? << 4) | number.len() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips() {
        for date in [None, Some(Date::constant(1999, 12, 31)), Some(Date::constant(2024, 2, 29))] {
            assert_eq!(day(day_number(date)), Ok(date));
        }
        for value in SEVERITIES.map(Some).into_iter().chain([None]) {
            assert_eq!(severity(severity_number(value)), Ok(value));
        }
        for value in STATUSES {
            assert_eq!(status(status_number(value)), Ok(value));
        }
        for hostile in [i32::MAX, i32::MIN, -1, 20_240_230, 1] {
            assert!(day(hostile).is_err(), "{hostile}");
        }
        assert!(severity(7).is_err() && status(5).is_err());
    }

    #[test]
    fn cves_in_the_order_of_their_numbers() {
        let order = ["CVE-1999-0001", "CVE-2024-999", "CVE-2024-1000", "CVE-2024-123456", "CVE-2025-0001"];
        let numbers: Vec<_> = order.iter().map(|id| cve_number(id).unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
        for other in
            ["GHSA-1", "CVE-2024-", "CVE-24-1", "CVE-2024-1a", "cve-2024-1", "CVE-2024-1234567890123"]
        {
            assert_eq!(cve_number(other), None, "{other}");
        }
    }
}
