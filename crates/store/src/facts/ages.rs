//! How old things are, though the clock of the wall may jump.
//!
//! What is deleted because it is old was stamped by the wall clock. When that jumps a year ahead, because somebody set it
//! or a machine came back from a snapshot, everything is a year old at once: blobs of a push that is under way, images in
//! the trash, images that a rule keeps for ninety days. So times between jumps are remembered as stretches, and an age is
//! counted along them: what was stamped in a stretch that began less than the age ago is younger, whatever its stamp.
//!
//! ```text
//! 12:00 a blob is pushed     12:01 the clock says 12:01 next year     the grace is a day
//! Facts::before(day) = yesterday 12:01, until the clock says 12:01 of the next day; from then on as without a jump
//! ```
//!
//! A jump is where the wall clock goes another way than a clock that only counts. For a server that was stopped it is a
//! time before its end, or one longer after it than [`LONGEST_STOP`]. What was stamped before a clock was set back is
//! young until the clock has caught up, which deletes nothing.
//!
//! Limits: a jump in the last seconds before a crash is forgotten. A jump ahead while no server runs that is shorter than
//! [`LONGEST_STOP`] is not seen. Where the clock is wrong after every start of the machine, ages count from there. Each of
//! several servers looks at its own clock, and starts from what the last of them wrote down: one that is always ahead of
//! the others ages what they write.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use boltseal_model::Timestamp;
use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

use super::Facts;
use crate::Error;

/// Under which name what is known is kept.
const SETTING: &str = "clock";
/// What the clocks may differ between two looks without a jump: they are slewed, and not read at the same moment.
const TOLERANCE: i64 = 60_000;
/// What a server may have been stopped for: longer, and the clock is more likely wrong.
const LONGEST_STOP: i64 = 30 * 86_400_000;
/// How old what is written down may be, in milliseconds.
const WRITING: i64 = 60_000;
/// Jumps that are remembered; the oldest go first.
const MAX_JUMPS: usize = 64;

/// What is known of the clocks. All times are milliseconds, by the wall.
#[derive(Debug, Default)]
pub(super) struct Ages(Mutex<Option<Clocks>>);

#[derive(Clone, Debug)]
struct Clocks {
    known: Known,
    written: Option<Known>,
    /// What both clocks said at the last look.
    wall: i64,
    steady: i64,
}

/// What outlives the process.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
struct Known {
    /// When somebody last looked.
    seen: i64,
    /// Oldest first; between two of them is a stretch without a jump.
    jumps: Vec<Jump>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
struct Jump {
    /// When it was, by the clock that had jumped.
    at: i64,
    /// How far; back is negative.
    by: i64,
}

impl Facts {
    /// What was stamped at or before this time is at least as old as `age`, whatever the clock did meanwhile.
    pub fn before(&self, age: Duration) -> Timestamp {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let (mut clocks, wall, steady) = (self.ages.lock(), wall(), steady());
        let clocks = clocks.get_or_insert_with(|| Clocks::first(Known::default(), wall, steady));
        clocks.look(wall, steady);
        Timestamp::from_millisecond(clocks.known.before(wall, age)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The time for what compares ages with it: now, or so much earlier that nothing younger than `age` seems to have it.
    pub fn now_for(&self, age: Duration) -> Timestamp {
        self.before(age) + age
    }

    /// Looks at the clocks, and writes down what is known of them: at once after a jump, else once a minute. Call it every
    /// few seconds, and before deleting what is old.
    pub async fn look_at_clock(&self) -> Result<(), Error> {
        let _looked = self.before(Duration::ZERO);
        let Some(known) = self.ages.unwritten() else { return Ok(()) };
        let text = serde_json::to_string(&known).map_err(|e| Error::corrupt("a value to store", &e))?;
        self.set(SETTING, &text).await?;
        self.ages.wrote(known);
        Ok(())
    }

    /// Goes on from what the last process wrote down.
    pub(super) async fn remember_clock(&self) -> Result<(), Error> {
        let text = self.setting(SETTING).await?;
        let known = text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
        *self.ages.lock() = Some(Clocks::first(known, wall(), steady()));
        Ok(())
    }
}

impl Ages {
    fn lock(&self) -> MutexGuard<'_, Option<Clocks>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What should be written down now.
    fn unwritten(&self) -> Option<Known> {
        let clocks = self.lock();
        let Clocks { known, written, .. } = clocks.as_ref()?;
        let due = written.as_ref().is_none_or(|written| {
            written.jumps != known.jumps || known.seen.abs_diff(written.seen) >= WRITING.unsigned_abs()
        });
        due.then(|| known.clone())
    }

    fn wrote(&self, known: Known) {
        if let Some(clocks) = self.lock().as_mut() {
            clocks.written = Some(known);
        }
    }
}

impl Clocks {
    /// As a process sees them that starts.
    fn first(mut known: Known, wall: i64, steady: i64) -> Self {
        let stopped = wall.saturating_sub(known.seen);
        let jumped = known.seen > 0 && !(0..=LONGEST_STOP).contains(&stopped);
        known.look(wall, if jumped { known.seen } else { wall });
        Self { known, written: None, wall, steady }
    }

    fn look(&mut self, wall: i64, steady: i64) {
        self.known.look(wall, self.wall.saturating_add(steady.saturating_sub(self.steady)));
        (self.wall, self.steady) = (wall, steady);
    }
}

impl Known {
    /// The wall clock says `wall` where `expected` was to come.
    fn look(&mut self, wall: i64, expected: i64) {
        let by = wall.saturating_sub(expected);
        if by.saturating_abs() > TOLERANCE {
            self.jumps.push(Jump { at: wall, by });
            let surplus = self.jumps.len().saturating_sub(MAX_JUMPS);
            self.jumps.drain(..surplus);
        }
        self.seen = wall;
    }

    /// What is stamped so or earlier is `age` old.
    fn before(&self, wall: i64, age: i64) -> i64 {
        let (mut before, mut end, mut left) = (i64::MAX, wall, age);
        for jump in self.jumps.iter().rev() {
            let stretch = end.saturating_sub(jump.at).max(0);
            if left <= stretch {
                break;
            }
            // All of this stretch is younger.
            before = before.min(jump.at.saturating_sub(1));
            left -= stretch;
            end = jump.at.saturating_sub(jump.by);
        }
        before.min(end.saturating_sub(left)).max(0)
    }
}

fn wall() -> i64 {
    Timestamp::now().as_millisecond()
}

/// A clock that nobody can set, and that counts while the machine sleeps.
fn steady() -> i64 {
    let time = clock_gettime(ClockId::Boottime);
    time.tv_sec.saturating_mul(1000).saturating_add(time.tv_nsec / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;
    const DAY: i64 = 24 * HOUR;
    const YEAR: i64 = 365 * DAY;
    const START: i64 = 50 * YEAR;

    /// Looks at the clocks, with what both say since the start: the wall's and the other's; and what is a day old then.
    type Case<'c> = (&'c str, &'c [(i64, i64)], i64);

    /// A process that starts at `START`, after looks at the clocks: what both say since then.
    fn after(looks: &[(i64, i64)]) -> Clocks {
        let mut clocks = Clocks::first(Known::default(), START, 7);
        for (wall, steady) in looks {
            clocks.look(START + wall, 7 + steady);
        }
        clocks
    }

    #[test]
    fn an_age_is_counted_along_the_stretches_between_jumps() {
        let cases: [Case<'_>; 10] = [
            ("no jump", &[(HOUR, HOUR)], HOUR - DAY),
            ("slewed", &[(HOUR + 30_000, HOUR)], HOUR + 30_000 - DAY),
            ("a year ahead", &[(HOUR, HOUR), (YEAR + HOUR, HOUR)], HOUR - DAY),
            ("an hour later", &[(YEAR, 0), (YEAR + HOUR, HOUR)], HOUR - DAY),
            ("a day later", &[(YEAR, 0), (YEAR + DAY, DAY)], YEAR),
            ("two jumps", &[(YEAR, 0), (2 * YEAR + HOUR, HOUR), (2 * YEAR + DAY, DAY)], YEAR),
            ("there and back", &[(YEAR, 0), (HOUR, HOUR)], HOUR - DAY),
            ("a year back", &[(HOUR - YEAR, HOUR)], HOUR - YEAR - 1),
            ("back and ahead", &[(-YEAR, 0), (HOUR, HOUR)], -YEAR - 1),
            ("a day after that", &[(-YEAR, 0), (HOUR, HOUR), (HOUR + DAY, HOUR + DAY)], HOUR),
        ];
        for (what, looks, expected) in cases {
            let wall = START + looks.last().unwrap().0;
            assert_eq!(after(looks).known.before(wall, DAY) - START, expected, "{what}");
        }
    }

    #[test]
    fn a_second_jump_counts_as_the_first_did() {
        let clocks = after(&[(YEAR, 0), (HOUR, HOUR), (YEAR + HOUR, HOUR)]);
        assert_eq!(clocks.known.before(START + YEAR + HOUR, DAY), START + HOUR - DAY);
    }

    #[test]
    fn a_process_goes_on_from_what_the_last_one_knew() {
        let known = after(&[(YEAR, 0)]).known;
        let again = Clocks::first(known, START + YEAR + HOUR, 0);
        assert_eq!(again.known.before(START + YEAR + HOUR, DAY), START + HOUR - DAY);
        let stopped = |time: i64| {
            let first = Clocks::first(Known { seen: START, jumps: vec![] }, START + time, 0);
            first.known.before(START + time, DAY) - START
        };
        assert_eq!(stopped(DAY), 0, "a day off is a day");
        assert_eq!(stopped(YEAR), -DAY, "a year off is a jump");
        assert_eq!(stopped(-HOUR), -DAY, "an hour back makes nothing older");
    }
}
