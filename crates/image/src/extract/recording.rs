//! Makes an extract while an archive is read.

use super::{
    MAX_EXTRACT,
    code::{Answer, Row},
};
use crate::{
    Error,
    overlay::{Ask, Entries, Keeper, Outcome},
    tar::Entry,
};

/// Entries that are written down as they pass.
pub struct Recording<'e> {
    entries: &'e mut dyn Entries,
    rows: Vec<u8>,
    answers: Vec<u8>,
    /// Entries so far.
    count: u32,
    headers: u64,
    /// It grew too large to be kept.
    given_up: bool,
}

/// What was written down.
pub struct Made {
    pub rows: Vec<u8>,
    pub answers: Vec<u8>,
    pub ended: bool,
    pub headers: u64,
}

impl<'e> Recording<'e> {
    pub const fn new(entries: &'e mut dyn Entries) -> Self {
        Self { entries, rows: Vec::new(), answers: Vec::new(), count: 0, headers: 0, given_up: false }
    }

    /// What was written down, if it is worth keeping. Entries must have been read to the end.
    pub fn finish(self) -> Option<Made> {
        let (ended, headers) = (self.entries.ended(), self.entries.headers());
        (!self.given_up).then_some(Made { rows: self.rows, answers: self.answers, ended, headers })
    }

    fn check_size(&mut self) {
        if self.rows.len() + self.answers.len() > MAX_EXTRACT {
            self.given_up = true;
            (self.rows, self.answers) = (Vec::new(), Vec::new());
        }
    }
}

impl Entries for Recording<'_> {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        let entry = self.entries.next()?;
        if let Some(entry) = entry.as_ref().filter(|_| !self.given_up) {
            let headers = self.entries.headers();
            Row::of(entry, headers - self.headers).write(&mut self.rows);
            self.headers = headers;
            self.given_up |= self.count == u32::MAX;
            self.count = self.count.saturating_add(1);
            self.check_size();
        }
        Ok(entry)
    }

    fn headers(&self) -> u64 {
        self.entries.headers()
    }

    fn ended(&self) -> bool {
        self.entries.ended()
    }

    fn keep(
        &mut self,
        entry: &mut Entry,
        ask: Ask<'_>,
        keeper: &mut Keeper<'_>,
    ) -> Result<Option<Outcome>, Error> {
        let outcome = self.entries.keep(entry, ask, keeper)?;
        if let Some(outcome) = outcome.as_ref().filter(|_| !self.given_up) {
            Answer::record(&mut self.answers, self.count.saturating_sub(1), &entry.path, ask, outcome);
            self.check_size();
        }
        Ok(outcome)
    }
}
