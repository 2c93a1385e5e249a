//! Records by what they say, newest first, a page at a time.

use boltseal_audit::{Record, log::Error as LogError, query::Filter};
use boltseal_store::Batch;

use super::{Error, Recorder};

/// Entries that are looked at for one page: about a tenth of a second. A page may so be empty and still have a next one.
const MAX_SCAN: u64 = 32_768;
/// Entries of a bundle.
const BUNDLE: u64 = boltseal_audit::log::TILE_WIDTH as u64;

/// What was found, newest first.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Those that match.
    pub found: Vec<Found>,
    /// Where the next page begins; `None` at the beginning of what is kept.
    pub next: Option<u64>,
    /// Entries looked at.
    pub scanned: u64,
}

/// One record with its place.
#[derive(Debug)]
pub(crate) struct Found {
    /// Number of the entry, from 0.
    pub index: u64,
    /// Whether a checkpoint covers it.
    pub sealed: bool,
    /// As it was written.
    pub entry: Vec<u8>,
}

impl Recorder {
    /// The newest records before entry `before` that match, at most `limit`; durable ones that are not sealed yet as
    /// well.
    pub(crate) async fn page(
        &self,
        filter: Filter,
        before: Option<u64>,
        limit: usize,
    ) -> Result<Page, Error> {
        let entered = self.entered();
        let end = before.unwrap_or(entered).min(entered);
        let (size, batches) = self.unsealed(end).await?;
        self.blocking("looking for records", move |this| {
            let mut scan = Scan { filter, limit: limit.max(1), page: Page::default(), at: end };
            scan.unsealed(&batches, size);
            if scan.goes_on() && scan.at <= size {
                scan.sealed(this, size)?;
            }
            let first = this.archived();
            scan.page.next = Some(scan.at).filter(|at| *at > first);
            Ok(scan.page)
        })
        .await
    }

    /// How much is sealed, and the batches from there to `end`, as far as one page looks.
    async fn unsealed(&self, end: u64) -> Result<(u64, Vec<Batch>), Error> {
        loop {
            let size = self.size();
            let from = size.max(end.saturating_sub(MAX_SCAN));
            if from >= end {
                return Ok((size, Vec::new()));
            }
            let batches = self.0.facts.batches(from, MAX_SCAN).await.map_err(Error::facts)?;
            if batches.first().is_some_and(|batch| batch.first <= from) {
                return Ok((size, batches));
            }
            // They were sealed meanwhile, and the facts have forgotten them.
        }
    }
}

/// On the way back through the log.
struct Scan {
    filter: Filter,
    limit: usize,
    page: Page,
    /// Everything from here on was looked at.
    at: u64,
}

impl Scan {
    fn goes_on(&self) -> bool {
        self.page.found.len() < self.limit && self.page.scanned < MAX_SCAN
    }

    fn unsealed(&mut self, batches: &[Batch], size: u64) {
        let entries = batches.iter().flat_map(|batch| (batch.first..).zip(&batch.entries));
        let mine: Vec<(u64, &[u8])> = entries
            .filter(|(index, _)| *index >= size && *index < self.at)
            .map(|(index, entry)| (index, entry.as_slice()))
            .collect();
        for (index, entry) in mine.into_iter().rev() {
            if !self.goes_on() {
                return;
            }
            self.look(index, entry, false);
        }
    }

    fn sealed(&mut self, recorder: &Recorder, size: u64) -> Result<(), Error> {
        let reader = recorder.reader()?;
        while self.goes_on() && self.at > recorder.archived() {
            let first = (self.at - 1) / BUNDLE * BUNDLE;
            let none = Error::Log(LogError::NoEntry { index: first, size });
            let bundle = reader.entries(first..self.at, size).next().ok_or(none)??;
            let entries: Vec<(u64, &[u8])> = bundle.iter().collect();
            for (index, entry) in entries.into_iter().rev() {
                if !self.goes_on() {
                    break;
                }
                self.look(index, entry, true);
            }
        }
        Ok(())
    }

    fn look(&mut self, index: u64, entry: &[u8], sealed: bool) {
        self.at = index;
        self.page.scanned += 1;
        if !self.filter.may_match(entry) {
            return;
        }
        // What cannot be read is shown rather than passed over.
        if Record::parse(entry).is_ok_and(|record| !self.filter.matches(&record)) {
            return;
        }
        self.page.found.push(Found { index, sealed, entry: entry.to_vec() });
    }
}
