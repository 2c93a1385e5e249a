//! What nobody needs any more, a piece at a time: no stop, no lock, no walk.
//!
//! First a repository lets go of blobs that no manifest of it points to; then bytes that nobody holds are condemned, in
//! a transaction that sees whether anybody took them meanwhile, and removed afterwards. A push that brings the same
//! bytes again pardons them, or stores them anew. Both steps go on where they were when the process ended, since what
//! is left to do is in the tables.

use boltseal_model::{Digest, Timestamp};

use super::{Facts, Topic, blobs::let_go, count, digest, milliseconds, signed};
use crate::Error;

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

/// Bytes to be read again and held against their digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scrub {
    /// What they should be.
    pub digest: Digest,
    /// How many they should be.
    pub size: u64,
    /// When they were last found to be so.
    pub scrubbed: Timestamp,
    /// What was wrong with them then.
    pub rotten: Option<String>,
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
        Ok(Garbage {
            unlinked: count("blobs", unlinked)?,
            unlinked_bytes: count("blobs", unlinked_bytes)?,
            unused: count("contents", unused)?,
            unused_bytes: count("contents", unused_bytes)?,
        })
    }

    /// Lets repositories go of up to `limit` blobs that nothing points to and nobody touched since `before`. Gives how
    /// many, and their bytes.
    pub async fn drop_unlinked(&self, before: Timestamp, limit: u64) -> Result<(u64, u64), Error> {
        let (before, limit) = (milliseconds(before), signed(limit));
        let found: Vec<(String, String, i64)> = sqlx::query_as(
            "SELECT repository, digest, size FROM blobs WHERE links = 0 AND touched < $1 ORDER BY touched LIMIT $2",
        )
        .bind(before)
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        if found.is_empty() {
            return Ok((0, 0));
        }
        let topics = found.iter().map(|(repository, ..)| Topic::Repository(repository.clone()));
        self.writer
            .touching_all(topics.collect())
            .run(move |db| {
                Box::pin(async move {
                    let (mut dropped, mut bytes) = (0, 0);
                    for (repository, digest, size) in found {
                        let sql = "SELECT 1 FROM blobs WHERE repository = $1 AND digest = $2 AND links = 0 \
                                   AND touched < $3";
                        let still: Option<i64> = sqlx::query_scalar(sql)
                            .bind(&repository)
                            .bind(&digest)
                            .bind(before)
                            .fetch_optional(&mut *db)
                            .await?;
                        // The bytes were unwanted at least as long as the blob was.
                        if still.is_some()
                            && let_go(db, &repository, &digest, before.saturating_sub(1)).await?
                        {
                            dropped += 1;
                            bytes += count("blobs.size", size)?;
                        }
                    }
                    Ok((dropped, bytes))
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

    /// Contents that were last found whole before `before`, the longest ago first.
    pub async fn to_scrub(&self, before: Timestamp, limit: u64) -> Result<Vec<Scrub>, Error> {
        let rows: Vec<(String, i64, i64, Option<String>)> = sqlx::query_as(
            "SELECT digest, size, scrubbed, rotten FROM contents WHERE scrubbed < $1 AND condemned IS NULL \
             ORDER BY scrubbed, digest LIMIT $2",
        )
        .bind(milliseconds(before))
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(read_scrub).collect()
    }

    /// Contents whose bytes are not what their digest says.
    pub async fn rotten(&self, limit: u64) -> Result<Vec<Scrub>, Error> {
        let rows: Vec<(String, i64, i64, Option<String>)> = sqlx::query_as(
            "SELECT digest, size, scrubbed, rotten FROM contents WHERE rotten IS NOT NULL ORDER BY digest LIMIT $1",
        )
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(read_scrub).collect()
    }

    /// Contents were read and held against their digest; `rotten` says what was wrong.
    pub async fn scrubbed(&self, checked: Vec<(Digest, Option<String>)>, at: Timestamp) -> Result<(), Error> {
        let at = milliseconds(at);
        self.writer
            .touching(Topic::Everything)
            .run(move |db| {
                Box::pin(async move {
                    for (digest, rotten) in checked {
                        sqlx::query("UPDATE contents SET scrubbed = $1, rotten = $2 WHERE digest = $3")
                            .bind(at)
                            .bind(rotten)
                            .bind(digest.to_string())
                            .execute(&mut *db)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}

fn read_scrub((name, size, scrubbed, rotten): (String, i64, i64, Option<String>)) -> Result<Scrub, Error> {
    Ok(Scrub {
        digest: digest("contents.digest", &name)?,
        size: count("contents.size", size)?,
        scrubbed: super::time("contents.scrubbed", scrubbed)?,
        rotten,
    })
}
