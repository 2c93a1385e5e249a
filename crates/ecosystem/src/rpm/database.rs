//! The three kinds of files in which rpm keeps headers, told apart by their first bytes.
//!
//! Every reader visits each page or slot at most once, so that it reads no more bytes than the file has.

use super::{berkeley, ndb, sqlite};

/// The first thing that was wrong.
#[derive(Default)]
pub(super) struct Problem(Option<String>);

impl Problem {
    /// Remembers what `result` says is wrong, if nothing was before; gives the value that it has otherwise.
    pub(super) fn note<T>(&mut self, result: Result<T, impl Into<String>>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(why) => {
                self.0.get_or_insert_with(|| why.into());
                None
            }
        }
    }

    pub(super) fn finish(self) -> Result<(), String> {
        self.0.map_or(Ok(()), Err)
    }
}

/// A database, and the log beside it of changes that wait to get into it; mostly empty.
#[derive(Clone, Copy)]
pub(super) struct Stored<'a> {
    pub content: &'a [u8],
    pub log: &'a [u8],
}

impl<'a> Stored<'a> {
    /// Without a log.
    pub(super) const fn alone(content: &'a [u8]) -> Self {
        Self { content, log: &[] }
    }
}

/// Calls `found` with the header of every package in `stored`.
///
/// `Err` says in a sentence what is wrong first. What is damaged is passed over: every header that can be read was
/// given to `found`.
pub(super) fn each(stored: Stored<'_>, found: &mut dyn FnMut(&[u8])) -> Result<(), String> {
    let content = stored.content;
    if sqlite::is(content) {
        sqlite::each(stored, found)
    } else if ndb::is(content) {
        ndb::each(content, found)
    } else if berkeley::is(content) {
        berkeley::each(content, found)
    } else {
        Err("it is no rpm database: neither SQLite, ndb nor a Berkeley DB hash".to_owned())
    }
}
