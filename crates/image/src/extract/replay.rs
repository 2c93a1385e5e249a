//! Entries out of an extract.

use super::{
    Extract,
    bytes::Bytes,
    code::{Answer, Row, answers},
};
use crate::{
    Error,
    overlay::{Ask, Entries, Keeper, Outcome},
    tar::Entry,
};

/// A layer as it was when it was read.
pub struct Replay<'x> {
    extract: &'x Extract,
    rows: Bytes<'x>,
    /// In the order of entries.
    answers: Vec<Answer<'x>>,
    /// Entries taken.
    taken: u32,
    headers: u64,
    done: bool,
}

impl<'x> Replay<'x> {
    pub fn new(extract: &'x Extract) -> Self {
        let mut answers: Vec<Answer<'x>> = answers(&extract.answers).flatten().collect();
        answers.sort_by_key(|answer| answer.row);
        Self { extract, rows: Bytes(&extract.rows), answers, taken: 0, headers: 0, done: false }
    }
}

impl Entries for Replay<'_> {
    fn next(&mut self) -> Result<Option<Entry>, Error> {
        if self.rows.0.is_empty() {
            self.done = true;
            return Ok(None);
        }
        let broken = || Error::malformed("the extract of a layer", "cannot be read: empty the cache");
        let row = Row::read(&mut self.rows).ok_or_else(broken)?;
        self.headers += row.headers;
        self.taken += 1;
        Ok(Some(row.entry()))
    }

    fn headers(&self) -> u64 {
        if self.done { self.extract.headers } else { self.headers }
    }

    fn ended(&self) -> bool {
        self.extract.ended
    }

    fn keep(
        &mut self,
        entry: &mut Entry,
        ask: Ask<'_>,
        _keeper: &mut Keeper<'_>,
    ) -> Result<Option<Outcome>, Error> {
        let row = self.taken.saturating_sub(1);
        let first = self.answers.partition_point(|answer| answer.row < row);
        let mut of_row = self.answers.iter().skip(first).take_while(|answer| answer.row == row);
        Ok(of_row.find(|answer| answer.answers(ask, &entry.path)).map(Answer::outcome))
    }
}
