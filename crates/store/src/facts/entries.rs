//! Entries of the log of what was done, from the commit that made them durable until the log has taken them over.
//!
//! The store does not know what an entry says. It gives each a number, without gaps, in the order of commits, and keeps
//! them in one row a commit until told that the log has them. The last row always stays: it says which number is next.

use sqlx::{AnyConnection, AnyPool};
use tokio::sync::watch;

use super::{Facts, count, signed};
use crate::Error;

/// Bytes of one thing to be written down.
pub type Entry = Vec<u8>;

/// The longest entry: lengths are 16 bits wide in the log's bundles (C2SP tlog-tiles).
pub const MAX_ENTRY: usize = u16::MAX as usize;

/// Entries that were committed together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Number of the first.
    pub first: u64,
    /// In order.
    pub entries: Vec<Entry>,
}

impl Facts {
    /// The same facts; the next change made through this handle is committed together with these entries, or neither.
    #[must_use]
    pub fn recording(&self, entries: Vec<Entry>) -> Self {
        Self { writer: self.writer.with(entries), ..self.clone() }
    }

    /// Writes entries that belong to no change; on disk when it returns.
    pub async fn append(&self, entries: Vec<Entry>) -> Result<(), Error> {
        self.writer.append(entries).await
    }

    /// Refuses every change that is to be recorded from now on, and every entry: the log cannot be trusted.
    pub fn close_log(&self, why: &str) {
        self.writer.close_log(why);
    }

    /// The number the next entry will have; changes after every commit that brought entries.
    pub fn entered(&self) -> watch::Receiver<u64> {
        self.writer.entered()
    }

    /// Batches that hold entries from number `from` on, in order, at most `limit` batches.
    pub async fn batches(&self, from: u64, limit: u64) -> Result<Vec<Batch>, Error> {
        batches(&self.readers, from, limit).await
    }

    /// Lets the numbers of entries go on from `next` if they are behind: the log has more than these facts know of, and
    /// somebody accepted that. Call it before anything is recorded.
    pub async fn skip_entries(&self, next: u64) -> Result<(), Error> {
        self.writer.skip(next).await
    }

    /// The log has all entries below `size` durably: forget them.
    pub async fn taken_over(&self, size: u64) -> Result<(), Error> {
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "DELETE FROM entries WHERE first + count <= $1 AND first < (SELECT MAX(first) FROM entries)",
                    )
                    .bind(signed(size))
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

/// Batches that hold entries from number `from` on, in order, at most `limit` batches.
pub(super) async fn batches(readers: &AnyPool, from: u64, limit: u64) -> Result<Vec<Batch>, Error> {
    let rows: Vec<(i64, Vec<u8>)> =
        sqlx::query_as("SELECT first, body FROM entries WHERE first + count > $1 ORDER BY first LIMIT $2")
            .bind(signed(from))
            .bind(signed(limit))
            .fetch_all(readers)
            .await?;
    rows.into_iter()
        .map(|(first, body)| Ok(Batch { first: count("entries.first", first)?, entries: unpack(&body)? }))
        .collect()
}

/// Refuses entries that the log could not hold, before anything is changed.
pub(super) fn check(entries: &[Entry]) -> Result<(), Error> {
    match entries.iter().find(|entry| entry.len() > MAX_ENTRY) {
        Some(long) => Err(Error::EntryTooLong { bytes: long.len(), limit: MAX_ENTRY }),
        None => Ok(()),
    }
}

/// Writes the entries of one commit.
pub(super) async fn insert(db: &mut AnyConnection, first: u64, entries: &[Entry]) -> Result<(), Error> {
    // An empty row, which only says where to go on, makes room.
    sqlx::query(
        "INSERT INTO entries (first, count, body) VALUES ($1, $2, $3) \
         ON CONFLICT (first) DO UPDATE SET count = excluded.count, body = excluded.body WHERE entries.count = 0",
    )
        .bind(signed(first))
        .bind(signed(entries.len() as u64))
        .bind(pack(entries))
        .execute(db)
        .await?;
    Ok(())
}

/// The number of the next entry, as the writing connection sees it.
pub(super) async fn next(db: &mut AnyConnection) -> Result<u64, Error> {
    let last: Option<(i64, i64)> =
        sqlx::query_as("SELECT first, count FROM entries ORDER BY first DESC LIMIT 1")
            .fetch_optional(db)
            .await?;
    let Some((first, many)) = last else { return Ok(0) };
    Ok(count("entries.first", first)? + count("entries.count", many)?)
}

/// Each with its length before it, 16 bits, big endian, as in the log's bundles.
fn pack(entries: &[Entry]) -> Vec<u8> {
    let mut body = Vec::with_capacity(entries.iter().map(|entry| 2 + entry.len()).sum());
    for entry in entries {
        // `check` has refused longer ones.
        body.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
        body.extend_from_slice(entry);
    }
    body
}

fn unpack(mut body: &[u8]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::new();
    while let Some((length, rest)) = body.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length));
        let entry =
            rest.get(..length).ok_or_else(|| Error::corrupt("entries.body", "an entry is cut off"))?;
        entries.push(entry.to_vec());
        body = rest.get(length..).unwrap_or_default();
    }
    if body.is_empty() { Ok(entries) } else { Err(Error::corrupt("entries.body", "a length is cut off")) }
}
