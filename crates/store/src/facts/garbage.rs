//! What nobody needs any more, a piece at a time: no stop, no lock, no walk.
//!
//! First a repository lets go of blobs that no manifest of it points to; then bytes that nobody holds are condemned, in
//! a transaction that sees whether anybody took them meanwhile, and removed afterwards. A push that brings the same
//! bytes again pardons them, or stores them anew. Both steps go on where they were when the process ended, since what
//! is left to do is in the tables.

use boltseal_model::{Digest, Timestamp};

use super::{Facts, Topic, blobs::let_go, count, digest, milliseconds, signed};
use crate::Error;

/// What a collection removes in the end: contents that nobody has, or only repositories that will let go of them.
macro_rules! of_what_goes {
    ($select:literal, $order:literal) => {
        concat!(
            $select,
            " FROM (SELECT digest, size FROM contents WHERE refs = 0 AND touched < $1 UNION ALL \
             SELECT c.digest, c.size FROM (SELECT digest, COUNT(*) AS holders FROM blobs \
             WHERE links = 0 AND touched < $1 GROUP BY digest) AS unlinked \
             JOIN contents AS c ON c.digest = unlinked.digest \
             WHERE c.refs = unlinked.holders AND c.touched < $1) AS going",
            $order
        )
    };
}

/// What collecting would free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Garbage {
    /// Blobs in repositories that nothing points to.
    pub unlinked: u64,
    /// Their bytes, as each repository counts them.
    pub unlinked_bytes: u64,
    /// Contents that no repository has.
    pub unused: u64,
    /// Their bytes on disk.
    pub unused_bytes: u64,
    /// Contents that one collection would remove: the unused, and those that only unlinked blobs still hold.
    pub contents: u64,
    /// Their bytes on disk.
    pub bytes: u64,
}

/// A blob that a repository let go of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// The repository.
    pub repository: String,
    /// What it had.
    pub digest: Digest,
    /// Bytes of it.
    pub size: u64,
}

/// Garbage for people to look at: the largest, and whose it was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sample {
    /// The largest contents that would go, and their bytes.
    pub largest: Vec<(Digest, u64)>,
    /// Repositories that would let go of the most bytes: name, blobs, bytes as the repository counts them.
    pub repositories: Vec<(String, u64, u64)>,
}

/// Bytes to be removed from the blob store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condemned {
    /// Of the bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// Where they are in an object store.
    pub place: String,
}

impl Garbage {
    /// Whether a collection has nothing to do.
    pub const fn is_empty(&self) -> bool {
        self.unlinked == 0 && self.unused == 0
    }
}

impl Facts {
    /// What is garbage among the things that nobody touched since `before`.
    pub async fn garbage(&self, before: Timestamp) -> Result<Garbage, Error> {
        let before = milliseconds(before);
        let (unlinked, unlinked_bytes): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM blobs WHERE links = 0 AND touched < $1",
        )
        .bind(before)
        .fetch_one(&self.readers)
        .await?;
        let (unused, unused_bytes): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM contents WHERE refs = 0 AND touched < $1",
        )
        .bind(before)
        .fetch_one(&self.readers)
        .await?;
        let (contents, bytes): (i64, i64) =
            sqlx::query_as(of_what_goes!("SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT)", ""))
                .bind(before)
                .fetch_one(&self.readers)
                .await?;
        Ok(Garbage {
            unlinked: count("blobs", unlinked)?,
            unlinked_bytes: count("blobs", unlinked_bytes)?,
            unused: count("contents", unused)?,
            unused_bytes: count("contents", unused_bytes)?,
            contents: count("contents", contents)?,
            bytes: count("contents", bytes)?,
        })
    }

    /// The largest `limit` of what [`Facts::garbage`] counts, and the repositories that let go of the most.
    pub async fn garbage_sample(&self, before: Timestamp, limit: u64) -> Result<Sample, Error> {
        let (before, limit) = (milliseconds(before), signed(limit));
        let largest: Vec<(String, i64)> =
            sqlx::query_as(of_what_goes!("SELECT digest, size", " ORDER BY size DESC, digest LIMIT $2"))
                .bind(before)
                .bind(limit)
                .fetch_all(&self.readers)
                .await?;
        let repositories: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT repository, COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes FROM blobs \
             WHERE links = 0 AND touched < $1 GROUP BY repository ORDER BY bytes DESC, repository LIMIT $2",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        let content = |(name, size): (String, i64)| {
            Ok((digest("contents.digest", &name)?, count("contents.size", size)?))
        };
        let repository = |(name, blobs, bytes): (String, i64, i64)| {
            Ok((name, count("blobs", blobs)?, count("blobs", bytes)?))
        };
        Ok(Sample {
            largest: largest.into_iter().map(content).collect::<Result<_, Error>>()?,
            repositories: repositories.into_iter().map(repository).collect::<Result<_, Error>>()?,
        })
    }

    /// Lets repositories go of up to `limit` blobs that nothing points to and nobody touched since `before`. Gives
    /// them; none when there are no more.
    pub async fn drop_unlinked(&self, before: Timestamp, limit: u64) -> Result<Vec<Dropped>, Error> {
        let (before, limit) = (milliseconds(before), signed(limit));
        let found: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT repository, digest, size FROM blobs WHERE links = 0 AND touched < $1 ORDER BY touched LIMIT $2",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let topics = found.iter().map(|(repository, ..)| Topic::Repository(repository.clone()));
        self.writer
            .touching_all(topics.collect())
            .run(move |db| {
                Box::pin(async move {
                    let mut dropped = Vec::with_capacity(found.len());
                    for (repository, name, size) in found {
                        let sql = "SELECT 1 FROM blobs WHERE repository = $1 AND digest = $2 AND links = 0 \
                                   AND touched < $3";
                        let still: Option<i64> = sqlx::query_scalar(sql)
                            .bind(&repository)
                            .bind(&name)
                            .bind(before)
                            .fetch_optional(&mut *db)
                            .await?;
                        // The bytes were unwanted at least as long as the blob was.
                        if still.is_some() && let_go(db, &repository, &name, before.saturating_sub(1)).await?
                        {
                            let (digest, size) = (digest("blobs.digest", &name)?, count("blobs.size", size)?);
                            dropped.push(Dropped { repository, digest, size });
                        }
                    }
                    Ok(dropped)
                })
            })
            .await
    }

    /// Condemns up to `limit` contents that nobody has and nobody touched since `before`, and lists them with those
    /// that an earlier run condemned and did not remove.
    pub async fn condemn(&self, before: Timestamp, limit: u64) -> Result<Vec<Condemned>, Error> {
        let (before, limit, now) = (milliseconds(before), signed(limit), milliseconds(Timestamp::now()));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let rows: Vec<(String, i64, String)> = sqlx::query_as(
                        "SELECT digest, size, place FROM contents WHERE refs = 0 AND touched < $1 \
                         ORDER BY touched LIMIT $2",
                    )
                    .bind(before)
                    .bind(limit)
                    .fetch_all(&mut *db)
                    .await?;
                    let mut condemned = Vec::with_capacity(rows.len());
                    for (name, size, place) in rows {
                        sqlx::query("UPDATE contents SET condemned = $1 WHERE digest = $2 AND refs = 0")
                            .bind(now)
                            .bind(&name)
                            .execute(&mut *db)
                            .await?;
                        let digest = digest("contents.digest", &name)?;
                        condemned.push(Condemned { digest, size: count("contents.size", size)?, place });
                    }
                    Ok(condemned)
                })
            })
            .await
    }

    /// Whether contents are still to be removed: nobody brought them again meanwhile. Where digests are names, ask
    /// while holding the lock of the digest.
    pub async fn is_condemned(&self, contents: &Condemned) -> Result<bool, Error> {
        let found: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM contents WHERE digest = $1 AND place = $2 AND refs = 0 AND condemned IS NOT NULL",
        )
        .bind(contents.digest.to_string())
        .bind(&contents.place)
        .fetch_optional(&self.readers)
        .await?;
        Ok(found.is_some())
    }

    /// The bytes of condemned contents are gone: forget them.
    pub async fn bury(&self, contents: Vec<Condemned>) -> Result<(), Error> {
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    for gone in contents {
                        sqlx::query(
                            "DELETE FROM contents WHERE digest = $1 AND place = $2 AND refs = 0 \
                             AND condemned IS NOT NULL",
                        )
                        .bind(gone.digest.to_string())
                        .bind(gone.place)
                        .execute(&mut *db)
                        .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Where the bytes of a digest are in an object store; nothing when nobody has them.
    pub async fn place(&self, wanted: &Digest) -> Result<Option<String>, Error> {
        sqlx::query_scalar("SELECT place FROM contents WHERE digest = $1")
            .bind(wanted.to_string())
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::from)
    }
}
