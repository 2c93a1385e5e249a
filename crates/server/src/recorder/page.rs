//! Records by what they say, newest first, a page at a time.

use boltseal_audit::{Record, query::Filter};

use super::{Error, Recorder, walk::Look};

/// What was found, newest first.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Those that match.
    pub found: Vec<Found>,
    /// Where the next page begins; `None` at the beginning of what is kept. A page may be empty and still have a next
    /// one, as only so many entries are looked at for one.
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
    /// What it says; `None` for an entry that this version cannot read.
    pub record: Option<Record>,
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
        let reading = Reading { filter, limit: limit.max(1), page: Page::default() };
        let (Reading { mut page, .. }, at) = self.walk(0..before.unwrap_or(u64::MAX), reading).await?;
        page.next = Some(at).filter(|at| *at > self.archived());
        Ok(page)
    }
}

struct Reading {
    filter: Filter,
    limit: usize,
    page: Page,
}

impl Look for Reading {
    fn look(&mut self, index: u64, entry: &[u8], sealed: bool) -> bool {
        self.page.scanned += 1;
        if self.filter.may_match(entry) {
            let record = Record::parse(entry).ok();
            // What cannot be read is shown rather than passed over.
            if record.as_ref().is_none_or(|record| self.filter.matches(record)) {
                self.page.found.push(Found { index, sealed, record, entry: entry.to_vec() });
            }
        }
        self.page.found.len() < self.limit
    }
}
