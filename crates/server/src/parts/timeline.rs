//! What happened hour by hour or day by day, as stacked columns.

use maud::{Markup, html};

use super::bar::Share;

/// One day, or one hour.
pub(crate) struct Day {
    /// `14 November`, `14 November, 09:00`.
    pub name: String,
    /// What there is of it, from the bottom up.
    pub shares: Vec<Share>,
}

const WIDTH: f64 = 900.0;
const HEIGHT: f64 = 100.0;

/// The columns of `days`, oldest first, stretched to the width of the page; their names stay text below them. `each` is
/// `a day` or `an hour`.
#[expect(clippy::cast_precision_loss, reason = "coordinates of a drawing")]
pub(crate) fn timeline(days: &[Day], label: &str, each: &str) -> Markup {
    let highest = days.iter().map(Day::total).max().unwrap_or(0).max(1);
    let step = WIDTH / days.len().max(1) as f64;
    html! {
        svg.timeline viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(label) {
            @for (index, day) in days.iter().enumerate() {
                @let x = index as f64 * step;
                g {
                    title { (day.name) ": " (super::bar::in_words(&day.shares)) }
                    rect x=(one(x)) y="0" width=(one(step)) height=(HEIGHT) fill="transparent" {}
                    @for (y, height, class) in day.stack(highest) {
                        rect class=(class) x=(one(x + step * 0.16)) y=(one(y)) width=(one(step * 0.68)) height=(one(height)) {}
                    }
                }
            }
        }
        @if let (Some(first), Some(last)) = (days.first(), days.last()) {
            div.marks {
                span { (first.name) }
                span { "at most " (super::words::thousands(highest)) " " (each) }
                span { (last.name) }
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
    fn stack(&self, highest: u64) -> Vec<(f64, f64, &'static str)> {
        let mut y = HEIGHT;
        self.shares
            .iter()
            .filter(|share| share.count > 0)
            .map(|share| {
                let height = share.count as f64 / highest as f64 * HEIGHT;
                y -= height;
                (y, (height - 1.0).max(1.0), share.class)
            })
            .collect()
    }
}

fn one(number: f64) -> String {
    format!("{number:.1}")
}
