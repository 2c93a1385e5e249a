//! Entries that the log has not taken over, as whoever may read the data folder sees them: also while a server runs.

use std::path::Path;

use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};

use super::{BUSY, Batch, entries};
use crate::Error;

/// Reads entries without the right to change anything.
#[derive(Clone, Debug)]
pub struct Pending {
    readers: SqlitePool,
}

impl Pending {
    /// Opens `folder/facts.db`; one that is missing is an error, and so is one of a version before the log.
    pub async fn open(folder: &Path) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(folder.join("facts.db"))
            .create_if_missing(false)
            .read_only(true)
            .busy_timeout(BUSY);
        Ok(Self { readers: SqlitePoolOptions::new().max_connections(1).connect_with(options).await? })
    }

    /// The number that the next entry will have.
    pub async fn next(&self) -> Result<u64, Error> {
        let mut connection = self.readers.acquire().await?;
        entries::next(&mut connection).await
    }

    /// As [`Facts::batches`](super::Facts::batches).
    pub async fn batches(&self, from: u64, limit: u64) -> Result<Vec<Batch>, Error> {
        entries::batches(&self.readers, from, limit).await
    }
}
