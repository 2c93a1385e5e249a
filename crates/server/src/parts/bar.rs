//! Stacked bars as inline SVG: shares of a whole, with the same facts in words for screen readers.

use boltseal_model::Severity;
use boltseal_store::{Counts, Totals, Verdicts};
use maud::{Markup, html};

use super::words;

/// Width of a bar in its own units; the style sheet stretches it.
const WIDTH: f64 = 1000.0;
/// No share that exists is drawn thinner than this, so that a single critical among hundreds is seen.
const THINNEST: f64 = 14.0;
/// The same for pieces, of which there may be a hundred.
const THINNEST_PIECE: f64 = 4.0;
/// Pieces that are read out; a listener has the list below the bar.
const MOST_SAID: usize = 12;

/// One share of a bar.
pub(crate) struct Share {
    /// Class that gives the colour: `s-high`, `v-deny`.
    pub class: &'static str,
    /// What it is called.
    pub word: &'static str,
    /// How much of it there is.
    pub count: u64,
}

/// The bar of `shares`, in their order.
pub(crate) fn bar(shares: &[Share], tall: bool) -> Markup {
    said(shares, tall, &in_words(shares))
}

/// The same where the counts are no numbers to read out; `words` says what it shows.
pub(crate) fn said(shares: &[Share], tall: bool, words: &str) -> Markup {
    let class = if tall { "bar tall" } else { "bar" };
    html! {
        svg class=(class) viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=(words) {
            @for (share, x, width) in placed(shares) {
                rect class=(share.class) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="10" {}
                @if x > 0.0 { rect class="gapline" x=(format!("{x:.1}")) y="0" width="2.5" height="10" {} }
            }
        }
    }
}

/// The shares of findings by severity, worst first.
pub(crate) fn severities(counts: &Counts) -> Vec<Share> {
    Severity::WORST_FIRST
        .into_iter()
        .map(|severity| Share {
            class: severity_class(severity),
            word: severity.word(),
            count: counts.of_severity(severity),
        })
        .collect()
}

/// The shares of images by what the gate says of them.
pub(crate) fn verdicts(totals: &Totals) -> [Share; 5] {
    of_verdicts(&Verdicts {
        allowed: totals.allowed,
        warned: totals.warned,
        denied: totals.denied,
        unknown: totals.unknown,
        pending: totals.pending,
    })
}

/// The same for some of them.
pub(crate) fn of_verdicts(verdicts: &Verdicts) -> [Share; 5] {
    [
        Share { class: "v-deny", word: "deny", count: verdicts.denied },
        Share { class: "v-unknown", word: "unknown", count: verdicts.unknown },
        Share { class: "v-pending", word: "pending", count: verdicts.pending },
        Share { class: "v-warn", word: "warn", count: verdicts.warned },
        Share { class: "v-allow", word: "allow", count: verdicts.allowed },
    ]
}

/// `2 critical, 14 high`, leaving out what there is none of.
pub(crate) fn in_words(shares: &[Share]) -> String {
    let words: Vec<String> =
        shares.iter().filter(|s| s.count > 0).map(|s| format!("{} {}", s.count, s.word)).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// Of all severities.
pub(crate) fn total(counts: &Counts) -> u64 {
    Severity::WORST_FIRST.into_iter().map(|severity| counts.of_severity(severity)).sum()
}

const fn severity_class(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "s-critical",
        Severity::High => "s-high",
        Severity::Medium => "s-medium",
        Severity::Low => "s-low",
        Severity::Negligible => "s-negligible",
        Severity::Unknown => "s-unknown",
    }
}

/// Each share that exists with its left edge and width, together exactly as wide as the bar.
fn placed(shares: &[Share]) -> Vec<(&Share, f64, f64)> {
    let shares: Vec<&Share> = shares.iter().filter(|share| share.count > 0).collect();
    let counts: Vec<u64> = shares.iter().map(|share| share.count).collect();
    let places = places(&counts, THINNEST);
    shares.into_iter().zip(places).map(|(share, (left, width))| (share, left, width)).collect()
}

/// Left edge and width of each count, together exactly as wide as the bar; none much thinner than `thinnest`.
#[expect(clippy::cast_precision_loss, reason = "widths of a drawing")]
fn places(counts: &[u64], thinnest: f64) -> Vec<(f64, f64)> {
    let total = counts.iter().sum::<u64>().max(1) as f64;
    let raw: Vec<f64> = counts.iter().map(|count| (*count as f64 / total * WIDTH).max(thinnest)).collect();
    let excess = raw.iter().sum::<f64>() / WIDTH;
    let mut x = 0.0;
    let place = |width: f64| {
        let left = x;
        x += width / excess;
        (left, width / excess)
    };
    raw.into_iter().map(place).collect()
}

/// A bar of bytes, one piece for each of `pieces`, told apart by turns of three shades; the names are read out.
pub(crate) fn sizes(pieces: &[(String, u64)]) -> Markup {
    const SHADES: [&str; 3] = ["z-0", "z-1", "z-2"];
    let counts: Vec<u64> = pieces.iter().map(|(_, bytes)| *bytes).collect();
    let said = |(name, bytes): &(String, u64)| format!("{name}: {}", words::bytes(*bytes));
    let label: Vec<String> = pieces.iter().take(MOST_SAID).map(said).collect();
    html! {
        svg.bar.tall viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label=(label.join(", ")) {
            @for ((piece, (x, width)), shade) in pieces.iter().zip(places(&counts, THINNEST_PIECE)).zip(SHADES.iter().cycle()) {
                rect class=(shade) x=(format!("{x:.1}")) y="0" width=(format!("{width:.1}")) height="10" { title { (said(piece)) } }
                @if x > 0.0 { rect class="gapline" x=(format!("{x:.1}")) y="0" width="1.5" height="10" {} }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_fill_the_bar_and_small_ones_are_seen() {
        let counts = Counts { critical: 1, high: 0, medium: 2000, low: 1, negligible: 0, unknown: 3 };
        let shares = severities(&counts);
        let placed = placed(&shares);
        assert_eq!(placed.len(), 4);
        assert!(placed.iter().all(|(_, _, width)| *width > 10.0));
        let (_, x, width) = placed.last().unwrap();
        assert!((x + width - WIDTH).abs() < 0.01);
        assert_eq!(in_words(&shares), "1 critical, 2000 medium, 1 low, 3 unknown");
        assert_eq!(in_words(&severities(&Counts::default())), "none");
        assert_eq!(total(&counts), 2005);
    }
}
