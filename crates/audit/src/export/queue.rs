//! Where a sink stands in the log.

use std::{fmt, ops::Range, str::FromStr};

use super::Gap;

/// Where a sink stands in the log: what it was sent, and what it lost without having been told.
///
/// The records are in the log, so that a queue is two numbers. It is bounded all the same: a sink that falls more than
/// `limit` records behind, or behind what retention has archived, loses the oldest, and the next thing it is sent is a
/// marker of that [`Gap`]. Nothing here waits, reads or sends.
///
/// ```
/// use boltseal_audit::export::{Queue, Step};
///
/// let mut queue = Queue::new(0, 1_000);
/// assert_eq!(queue.next(1_500, 0, 100), Step::Gap { from: 0, to: 500 });
/// queue.sent();
/// assert_eq!(queue.next(1_500, 0, 100), Step::Send(500..600));
/// queue.sent();
/// assert_eq!(queue.to_string(), "600 600");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// The first index that was lost without having been told; `next` where none was.
    lost: u64,
    /// The first index that was neither sent nor lost.
    next: u64,
    /// Most records that may wait.
    limit: u64,
    /// What `sent` will confirm.
    pending: Option<u64>,
}

/// What a sink is to be sent next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it has everything.
    Idle,
    /// First of all, that it lost these records; see [`Queue::gap`].
    Gap {
        /// The first index lost.
        from: u64,
        /// The first index not lost.
        to: u64,
    },
    /// These records, never none.
    Send(Range<u64>),
    /// The log is shorter than what was sent: it is not the log that it was. Somebody has to look.
    Ahead {
        /// The first index that was not sent yet.
        next: u64,
        /// Records in the log.
        size: u64,
    },
}

impl Queue {
    /// A sink that is to get records from the index `next` on, with at most `limit` waiting (at least one).
    pub fn new(next: u64, limit: u64) -> Self {
        Self { lost: next, next, limit: limit.max(1), pending: None }
    }

    /// Reads what was printed when the sink was last sent something; `limit` is a setting and may have changed.
    pub fn resume(text: &str, limit: u64) -> Result<Self, QueueError> {
        let position: Position = text.parse()?;
        Ok(Self { lost: position.lost, next: position.next, limit: limit.max(1), pending: None })
    }

    /// What to send next, of a log with `size` records whose first `archived` are gone: at most `most` at once (at
    /// least one). Asking again without [`Queue::sent`] answers for the log as it then is, so that a failed attempt is
    /// simply repeated.
    pub fn next(&mut self, size: u64, archived: u64, most: u64) -> Step {
        self.pending = None;
        if size < self.next {
            return Step::Ahead { next: self.next, size };
        }
        let kept = archived.max(size.saturating_sub(self.limit)).min(size);
        self.next = self.next.max(kept);
        if self.lost < self.next {
            self.pending = Some(self.next);
            return Step::Gap { from: self.lost, to: self.next };
        }
        if self.next == size {
            return Step::Idle;
        }
        let end = size.min(self.next.saturating_add(most.max(1)));
        self.pending = Some(end);
        Step::Send(self.next..end)
    }

    /// The sink has what [`Queue::next`] last answered. To be printed and kept before the sink is asked again, or the
    /// same is sent twice after a crash: at least once, in order.
    pub fn sent(&mut self) {
        if let Some(end) = self.pending.take() {
            self.next = end;
            self.lost = end;
        }
    }

    /// Gives up records before `to` for a reason of the sink's own: it refuses them. A gap as any other.
    pub fn skip(&mut self, to: u64) {
        self.pending = None;
        self.next = self.next.max(to);
    }

    /// The gap that is to be told, where one is.
    pub fn gap(&self, reason: impl Into<String>) -> Option<Gap> {
        (self.lost < self.next).then(|| Gap { from: self.lost, to: self.next, reason: reason.into() })
    }

    /// Records that wait, of a log with `size`.
    pub const fn waiting(&self, size: u64) -> u64 {
        size.saturating_sub(self.next)
    }
}

/// The two numbers that have to survive a restart.
impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.lost, self.next)
    }
}

/// Why a text is not a queue's position.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a sink's position: expected two indexes, the second not smaller")]
pub struct QueueError {
    /// The beginning of the text.
    pub text: String,
}

struct Position {
    lost: u64,
    next: u64,
}

impl FromStr for Position {
    type Err = QueueError;

    fn from_str(text: &str) -> Result<Self, QueueError> {
        let numbers = || {
            let (lost, next) = text.trim().split_once(' ')?;
            let position = Self { lost: lost.parse().ok()?, next: next.parse().ok()? };
            (position.lost <= position.next).then_some(position)
        };
        numbers().ok_or_else(|| QueueError { text: text.chars().take(60).collect() })
    }
}
