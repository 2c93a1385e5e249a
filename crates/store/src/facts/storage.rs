//! How much is stored, and for whom.

use super::{Facts, count, signed};
use crate::Error;

/// How much is stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storage {
    /// Distinct contents: blobs and manifests, once each.
    pub contents: u64,
    /// Their bytes on disk.
    pub bytes: u64,
    /// Bytes as all repositories together count them: what it would take without sharing.
    pub referenced: u64,
    /// Contents whose bytes are known to be wrong.
    pub rotten: u64,
    /// Repositories.
    pub repositories: u64,
}

/// What one repository counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositorySize {
    /// Its name.
    pub name: String,
    /// Bytes of its blobs and manifests, shared or not.
    pub bytes: u64,
    /// How many they are.
    pub contents: u64,
}

impl Facts {
    /// How much is stored. Reads a row for every blob of every repository.
    pub async fn storage(&self) -> Result<Storage, Error> {
        let (contents, bytes, rotten): (i64, i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT), COUNT(rotten) FROM contents",
        )
        .fetch_one(&self.readers)
        .await?;
        let blobs: i64 = sqlx::query_scalar("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs")
            .fetch_one(&self.readers)
            .await?;
        let manifests: i64 =
            sqlx::query_scalar("SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM manifests")
                .fetch_one(&self.readers)
                .await?;
        let repositories: i64 =
            sqlx::query_scalar("SELECT COUNT(*) FROM repositories").fetch_one(&self.readers).await?;
        Ok(Storage {
            contents: count("contents", contents)?,
            bytes: count("contents.size", bytes)?,
            referenced: count("blobs.size", blobs)?.saturating_add(count("manifests.size", manifests)?),
            rotten: count("contents.rotten", rotten)?,
            repositories: count("repositories", repositories)?,
        })
    }

    /// The repositories with the most bytes.
    pub async fn largest_repositories(&self, limit: u64) -> Result<Vec<RepositorySize>, Error> {
        let rows: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT repository, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes, COUNT(*) FROM \
             (SELECT repository, size FROM blobs UNION ALL SELECT repository, size FROM manifests) AS every \
             GROUP BY repository ORDER BY bytes DESC, repository LIMIT $1",
        )
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(name, bytes, contents)| {
                let (bytes, contents) = (count("blobs.size", bytes)?, count("blobs", contents)?);
                Ok(RepositorySize { name, bytes, contents })
            })
            .collect()
    }
}
