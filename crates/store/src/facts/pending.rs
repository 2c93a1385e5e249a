//! Entries that the log has not taken over, as whoever may read the data folder sees them: also while a server runs.

use std::path::Path;

use sqlx::AnyPool;

use super::{Batch, database::Place, entries};
use crate::Error;

/// Reads entries without the right to change anything.
#[derive(Clone, Debug)]
pub struct Pending {
    readers: AnyPool,
}

impl Pending {
    /// Opens `folder/facts.db`; one that is missing is an error, and so is one of a version before the log.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("facts.db");
        std::fs::metadata(&path).map_err(|e| Error::file("open", &path, e))?;
        Ok(Self { readers: Place::file(&path)?.pool() })
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
