//! How many slow hashes run at once: each takes 19 MiB and 30 ms, which guessers may not turn against everybody else.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    thread::available_parallelism,
};

/// Checks that may wait; more are refused at once. At two cores the last of them waits a second.
const WAITING: usize = 64;

/// Lets as many in as there are cores.
pub(super) struct Gate {
    cores: usize,
    inside: Mutex<Counts>,
    left: Condvar,
}

#[derive(Default)]
struct Counts {
    running: usize,
    waiting: usize,
}

/// One that is inside.
pub(super) struct Inside<'a>(&'a Gate);

impl Gate {
    pub(super) fn new() -> Self {
        let cores = available_parallelism().map_or(2, usize::from);
        Self { cores, inside: Mutex::default(), left: Condvar::new() }
    }

    /// Waits for room; `None` where too many wait already.
    pub(super) fn enter(&self) -> Option<Inside<'_>> {
        let mut counts = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.running >= self.cores {
            if counts.waiting >= WAITING {
                return None;
            }
            counts.waiting += 1;
            while counts.running >= self.cores {
                counts = self.left.wait(counts).unwrap_or_else(PoisonError::into_inner);
            }
            counts.waiting -= 1;
        }
        counts.running += 1;
        Some(Inside(self))
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        self.0.left.notify_one();
    }
}
