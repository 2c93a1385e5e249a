//! The three kinds of files in which rpm keeps headers, told apart by their first bytes.
//!
//! Every reader visits each page or slot at most once, so that it reads no more bytes than the file has.

use super::{berkeley, ndb, sqlite};

/// Calls `found` with the header of every package in `content`.
///
/// `Err` says in a sentence what is wrong; headers found before that were given to `found`.
pub(super) fn each(content: &[u8], found: &mut dyn FnMut(&[u8])) -> Result<(), String> {
    if sqlite::is(content) {
        sqlite::each(content, found)
    } else if ndb::is(content) {
        ndb::each(content, found)
    } else if berkeley::is(content) {
        berkeley::each(content, found)
    } else {
        Err("it is no rpm database: neither SQLite, ndb nor a Berkeley DB hash".to_owned())
    }
}
