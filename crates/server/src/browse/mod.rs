//! Handlers of the pages about what the registry holds and does.

pub(crate) mod aging;
pub(crate) mod credentials;
pub(crate) mod custody;
pub(crate) mod findings;
pub(crate) mod image;
pub(crate) mod notifications;
pub(crate) mod repositories;
pub(crate) mod search;
pub(crate) mod storage;
pub(crate) mod upstreams;

use boltseal_model::Timestamp;
use boltseal_store::DayPulls;

use crate::parts::{bar::Share, timeline::Day};

/// Days of a chart of pulls.
const DAYS: i64 = 30;
/// Seconds of a day.
const DAY: i64 = 86_400;

/// The first moment of the first day of a chart.
pub(crate) fn since(now: Timestamp) -> Timestamp {
    day(now.as_second().div_euclid(DAY) - DAYS + 1)
}

fn day(number: i64) -> Timestamp {
    Timestamp::from_second(number.saturating_mul(DAY)).unwrap_or(Timestamp::MIN)
}

/// Every day of a chart, those without pulls included.
pub(crate) fn days<'a>(pulls: &(impl Iterator<Item = &'a DayPulls> + Clone), now: Timestamp) -> Vec<Day> {
    let today = now.as_second().div_euclid(DAY);
    (today - DAYS + 1..=today)
        .map(|number| {
            let this = day(number);
            let count = pulls.clone().filter(|of| of.day == this).map(|of| of.number).sum::<u64>();
            let share = Share { class: "v-done", word: "pulls", count };
            Day {
                name: this.strftime("%-d %B").to_string(),
                shares: (count > 0).then_some(share).into_iter().collect(),
            }
        })
        .collect()
}
