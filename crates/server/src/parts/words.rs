//! Times, sizes and counts as people say them.

use boltseal_model::Timestamp;
use maud::{Markup, html};

/// `1 image`, `2 images`.
pub(crate) fn count(number: u64, one: &str) -> String {
    let plural = match one {
        "vulnerability" => "vulnerabilities".to_owned(),
        "repository" => "repositories".to_owned(),
        "bill of materials" => "bills of materials".to_owned(),
        "fix" => "fixes".to_owned(),
        "witness" => "witnesses".to_owned(),
        "hash" => "hashes".to_owned(),
        one => format!("{one}s"),
    };
    format!("{} {}", thousands(number), if number == 1 { one.to_owned() } else { plural })
}

/// `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in decimal units, as registries show them.
pub(crate) fn bytes(bytes: u64) -> String {
    let mut unit = "B";
    #[expect(clippy::cast_precision_loss, reason = "shown with three digits")]
    let mut value = bytes as f64;
    for next in ["kB", "MB", "GB", "TB"] {
        if value < 999.5 {
            break;
        }
        value /= 1000.0;
        unit = next;
    }
    if unit == "B" || value >= 99.95 { format!("{value:.0} {unit}") } else { format!("{value:.1} {unit}") }
}

/// `3 hours ago`, with the exact time in `title` and for machines.
pub(crate) fn ago(then: Timestamp, now: Timestamp) -> Markup {
    let exact = then.strftime("%Y-%m-%d %H:%M UTC").to_string();
    html! { time datetime=(then.strftime("%Y-%m-%dT%H:%M:%SZ")) title=(exact) { (distance(then, now)) } }
}

/// A day.
pub(crate) fn day(then: Timestamp) -> Markup {
    html! { time datetime=(then.strftime("%Y-%m-%d")) { (then.strftime("%-d %B %Y")) } }
}

/// How far `then` lies from `now`, in the largest unit that fits.
pub(crate) fn distance(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second() - then.as_second();
    let span = span(seconds.unsigned_abs());
    match (seconds, span) {
        (_, None) => "just now".to_owned(),
        (0.., Some(span)) => format!("{span} ago"),
        (_, Some(span)) => format!("in {span}"),
    }
}

/// `5 minutes`; nothing below one minute.
pub(crate) fn span(seconds: u64) -> Option<String> {
    const UNITS: [(u64, u64, &str); 5] = [
        (2 * 365 * 86_400, 365 * 86_400, "year"),
        (60 * 86_400, 30 * 86_400, "month"),
        (2 * 86_400, 86_400, "day"),
        (3600, 3600, "hour"),
        (60, 60, "minute"),
    ];
    UNITS.iter().find(|(from, ..)| seconds >= *from).map(|(_, unit, word)| count(seconds / unit, word))
}

/// A version; a short one is never broken at its hyphens.
pub(crate) fn version(version: &str) -> Markup {
    let class = if version.len() <= 24 { "version short" } else { "version" };
    html! { span class=(class) { (version) } }
}

/// A probability: `0.4 %`, `97 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent >= 9.95 { format!("{percent:.0} %") } else { format!("{percent:.1} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_it_as_people_do() {
        for (value, text) in [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (146_400_000, "146 MB")] {
            assert_eq!(bytes(value), text);
        }
        for (value, text) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(value), text);
        }
        assert_eq!(count(1, "vulnerability"), "1 vulnerability");
        assert_eq!(count(2, "vulnerability"), "2 vulnerabilities");
        let at = |second| Timestamp::from_second(second).unwrap();
        for (then, text) in [
            (0, "2 days ago"),
            (2 * 86_400, "just now"),
            (2 * 86_400 - 61, "1 minute ago"),
            (2 * 86_400 - 86_400, "24 hours ago"),
            (2 * 86_400 + 7200, "in 2 hours"),
            (-400 * 86_400, "13 months ago"),
            (-1000 * 86_400, "2 years ago"),
        ] {
            assert_eq!(distance(at(then), at(2 * 86_400)), text, "{then}");
        }
        assert_eq!((percent(0.0042), percent(0.974)), ("0.4 %".to_owned(), "97 %".to_owned()));
    }
}
