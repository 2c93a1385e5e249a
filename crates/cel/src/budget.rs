//! How much work an expression may do. Counted, never timed: the same input gives the same answer on every machine.

use crate::error::Stop;

/// Bytes of text that cost one step, to look at or to make.
const TEXT: usize = 8;

/// Steps that are left. One is a value, an operator, a call or a turn of a comprehension; long texts and lists cost by
/// their length. A step takes some 20 to 50 ns.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    left: u64,
}

impl Budget {
    /// What one expression may cost: the limit of an API server for one, and some 30 ms.
    pub const EXPRESSION: u64 = 1_000_000;
    /// What all expressions of one policy may cost about one object: the limit of an API server, and some 300 ms.
    pub const POLICY: u64 = 10_000_000;

    /// So many steps.
    pub const fn new(steps: u64) -> Self {
        Self { left: steps }
    }

    /// Steps that are left.
    pub const fn left(&self) -> u64 {
        self.left
    }

    /// Takes the steps that `other` has taken since it was a copy of at most this.
    pub const fn take(&mut self, steps: u64) {
        self.left = self.left.saturating_sub(steps);
    }

    /// So many steps are done.
    pub(crate) fn step(&mut self, steps: u64) -> Result<(), Stop> {
        let Some(left) = self.left.checked_sub(steps) else {
            self.left = 0;
            return Err(Stop::Spent);
        };
        self.left = left;
        Ok(())
    }

    /// A text of this length is looked at or made.
    pub(crate) fn text(&mut self, length: usize) -> Result<(), Stop> {
        self.step(1 + (length / TEXT) as u64)
    }

    /// A list or map of this length is looked at or made.
    pub(crate) fn items(&mut self, length: usize) -> Result<(), Stop> {
        self.step(1 + length as u64)
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new(Self::EXPRESSION)
    }
}
