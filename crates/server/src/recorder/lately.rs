//! What happened lately, counted: for charts, and for what somebody should look at.
//!
//! Counting goes on where it stopped the last time somebody asked, so that a page costs what is new since the page
//! before, whatever the size of the log.

use std::collections::BTreeMap;

use boltseal_audit::{
    Record,
    record::{Activity, Kind, Outcome},
};
use boltseal_model::Timestamp;

use super::{Error, Recorder, walk::Look};

/// Hours that are remembered: a month and a bit.
const HOURS: usize = 32 * 24;
/// Seconds that an emergency session lasts; as long as its token.
pub(crate) const GLASS_SECONDS: i64 = 3600;

/// Counts of one hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Records.
    pub all: u64,
    /// Of these, what was not allowed.
    pub denied: u64,
    /// Of these, what was allowed or asked for and did not work.
    pub failed: u64,
    /// Attempts to sign in that failed.
    pub refused: u64,
}

impl Count {
    /// Both together.
    pub(crate) const fn and(self, other: Self) -> Self {
        Self {
            all: self.all + other.all,
            denied: self.denied + other.denied,
            failed: self.failed + other.failed,
            refused: self.refused + other.refused,
        }
    }
}

/// An emergency session that was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Glass {
    /// The entry that says so.
    pub index: u64,
    /// When.
    pub at: Timestamp,
    /// The reason that was given.
    pub reason: String,
}

/// What happened lately.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lately {
    /// Hours since 1970 in which something happened.
    pub hours: BTreeMap<i64, Count>,
    /// The newest emergency session.
    pub glass: Option<Glass>,
    /// Entries that were passed over, because there were too many new ones: counts of then are too low.
    pub passed_over: u64,
    /// Everything before it was counted, or passed over.
    next: u64,
}

impl Lately {
    /// Counts from `since` on, hour by hour.
    pub(crate) fn since(&self, since: Timestamp) -> impl Iterator<Item = (i64, Count)> {
        self.hours.range(since.as_second().div_euclid(3600)..).map(|(hour, count)| (*hour, *count))
    }

    /// The emergency session that may still be open at `now`.
    pub(crate) fn open_glass(&self, now: Timestamp) -> Option<&Glass> {
        self.glass.as_ref().filter(|glass| now.as_second() < glass.at.as_second() + GLASS_SECONDS)
    }
}

impl Recorder {
    /// What happened lately, up to now.
    pub(crate) async fn lately(&self) -> Result<Lately, Error> {
        let mut lately = self.0.lately.lock().await;
        let (next, end) = (lately.next, self.entered());
        if next < end {
            let (counting, at) = self.walk(next..end, Counting(lately.clone())).await?;
            *lately = counting.0;
            lately.passed_over += at - next;
            lately.next = end;
            while lately.hours.len() > HOURS {
                lately.hours.pop_first();
            }
        }
        Ok(lately.clone())
    }
}

struct Counting(Lately);

impl Look for Counting {
    fn look(&mut self, index: u64, entry: &[u8], _: bool) -> bool {
        let Ok(record) = Record::parse(entry) else { return true };
        let count = self.0.hours.entry(record.time.as_second().div_euclid(3600)).or_default();
        let failed = record.outcome == Outcome::Failure;
        let signs_in = record.activity == Activity::SignIn;
        count.all += 1;
        count.denied += u64::from(record.outcome == Outcome::Denied);
        count.failed += u64::from(failed);
        count.refused += u64::from(failed && signs_in);
        let opens = signs_in && record.actor.kind == Kind::BreakGlass && record.outcome == Outcome::Success;
        if opens && self.0.glass.as_ref().is_none_or(|known| known.at < record.time) {
            let reason = record.detail.get("reason").and_then(|reason| reason.as_str()).unwrap_or_default();
            self.0.glass = Some(Glass { index, at: record.time, reason: reason.to_owned() });
        }
        true
    }
}
