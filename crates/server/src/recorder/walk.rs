//! From the newest entry back through the log, also over those that are durable and not sealed yet.

use std::ops::Range;

use boltseal_audit::log::Error as LogError;
use boltseal_store::Batch;

use super::{Error, Recorder};

/// Entries that are looked at in one go: about a tenth of a second.
pub(super) const MAX_WALK: u64 = 32_768;
/// Entries of a bundle.
const BUNDLE: u64 = boltseal_audit::log::TILE_WIDTH as u64;

/// Whoever looks at entries.
pub(super) trait Look: Send + 'static {
    /// Looks at one; `false` when it has seen enough.
    fn look(&mut self, index: u64, entry: &[u8], sealed: bool) -> bool;
}

impl Recorder {
    /// Shows entries to `looking`, the newest of `range` first, at most [`MAX_WALK`]. The number of the last one that
    /// was shown comes back; all after it in the range were.
    pub(super) async fn walk<L: Look>(&self, range: Range<u64>, looking: L) -> Result<(L, u64), Error> {
        let end = range.end.min(self.entered());
        let first = range.start.max(self.archived()).max(end.saturating_sub(MAX_WALK));
        let (size, batches) = self.unsealed(first, end).await?;
        self.blocking("looking at the log", move |this| {
            let mut walk = Walk { looking, first, at: end, goes_on: true };
            walk.unsealed(&batches, size);
            if walk.at <= size {
                walk.sealed(this, size)?;
            }
            Ok((walk.looking, walk.at))
        })
        .await
    }

    /// How much is sealed, and the batches from there to `end`.
    async fn unsealed(&self, first: u64, end: u64) -> Result<(u64, Vec<Batch>), Error> {
        loop {
            let size = self.size();
            let from = size.max(first);
            if from >= end {
                return Ok((size, Vec::new()));
            }
            let batches = self.0.facts.batches(from, MAX_WALK).await.map_err(Error::facts)?;
            if batches.first().is_some_and(|batch| batch.first <= from) {
                return Ok((size, batches));
            }
            // They were sealed meanwhile, and the facts have forgotten them.
        }
    }
}

struct Walk<L> {
    looking: L,
    first: u64,
    /// Everything from here on was looked at.
    at: u64,
    goes_on: bool,
}

impl<L: Look> Walk<L> {
    fn unsealed(&mut self, batches: &[Batch], size: u64) {
        let entries = batches.iter().flat_map(|batch| (batch.first..).zip(&batch.entries));
        let mine: Vec<(u64, &[u8])> = entries
            .filter(|(index, _)| *index >= size.max(self.first) && *index < self.at)
            .map(|(index, entry)| (index, entry.as_slice()))
            .collect();
        self.back(mine, false);
    }

    fn sealed(&mut self, recorder: &Recorder, size: u64) -> Result<(), Error> {
        let reader = recorder.reader()?;
        while self.goes_on && self.at > self.first {
            let first = ((self.at - 1) / BUNDLE * BUNDLE).max(self.first);
            let none = Error::Log(LogError::NoEntry { index: first, size });
            let bundle = reader.entries(first..self.at, size).next().ok_or(none)??;
            self.back(bundle.iter().collect(), true);
        }
        Ok(())
    }

    fn back(&mut self, entries: Vec<(u64, &[u8])>, sealed: bool) {
        for (index, entry) in entries.into_iter().rev() {
            if !self.goes_on {
                return;
            }
            self.at = index;
            self.goes_on = self.looking.look(index, entry, sealed);
        }
    }
}
