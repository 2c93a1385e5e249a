//! Pushes day by day, as stacked columns coloured by what the gate says of them today.

use maud::{Markup, html};

use super::bar::Share;

/// One day.
pub(crate) struct Day {
    /// `14 November`.
    pub name: String,
    /// What was pushed, from the bottom up.
    pub shares: Vec<Share>,
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 120.0;
/// Below the columns, for names of days.
const FOOT: f64 = 18.0;
/// Above them, for the largest number.
const HEAD: f64 = 14.0;

/// The columns of `days`, oldest first.
#[expect(clippy::cast_precision_loss, reason = "coordinates of a drawing")]
pub(crate) fn timeline(days: &[Day], label: &str) -> Markup {
    let highest = days.iter().map(Day::total).max().unwrap_or(0).max(1);
    let step = WIDTH / days.len().max(1) as f64;
    let room = HEIGHT - HEAD - FOOT;
    let base = HEIGHT - FOOT;
    html! {
        svg.timeline viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(label) {
            line x1="0" x2=(WIDTH) y1=(base + 0.5) y2=(base + 0.5) {}
            @for (index, day) in days.iter().enumerate() {
                @let x = index as f64 * step + step * 0.14;
                g {
                    title { (day.name) ": " (super::bar::in_words(&day.shares)) }
                    rect x=(one(index as f64 * step)) y="0" width=(one(step)) height=(base) fill="transparent" {}
                    @for (y, height, class) in day.stack(highest, room, base) {
                        rect class=(class) x=(one(x)) y=(one(y)) width=(one(step * 0.72)) height=(one(height)) rx="2" {}
                    }
                    @if day.total() == highest && days.iter().position(|d| d.total() == highest) == Some(index) {
                        text x=(one(x + step * 0.36)) y=(one(base - room - 4.0)) text-anchor="middle" { (highest) }
                    }
                }
            }
            @if let (Some(first), Some(last)) = (days.first(), days.last()) {
                text x="0" y=(HEIGHT - 3.0) { (first.name) }
                text x=(WIDTH) y=(HEIGHT - 3.0) text-anchor="end" { (last.name) }
            }
        }
    }
}

impl Day {
    fn total(&self) -> u64 {
        self.shares.iter().map(|share| share.count).sum()
    }

    /// Top, height and class of each part of the column.
    #[expect(clippy::cast_precision_loss, reason = "coordinates of a drawing")]
    fn stack(&self, highest: u64, room: f64, base: f64) -> Vec<(f64, f64, &'static str)> {
        let mut y = base;
        self.shares
            .iter()
            .filter(|share| share.count > 0)
            .map(|share| {
                let height = share.count as f64 / highest as f64 * room;
                y -= height;
                (y, (height - 1.0).max(1.0), share.class)
            })
            .collect()
    }
}

fn one(number: f64) -> String {
    format!("{number:.1}")
}
