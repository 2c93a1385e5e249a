//! Bytes read again and held against their digest, a little at a time; what was found wrong is known until they come
//! again.

use std::collections::HashSet;

use boltseal_model::{Digest, Timestamp};

use super::{Facts, Topic, blobs::keep, count, digest, milliseconds, signed, time};
use crate::{Error, Stored};

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

/// A repository that has certain bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Home {
    /// Its name.
    pub repository: String,
    /// Whether they are a manifest there, or a blob.
    pub is_manifest: bool,
}

/// What is still to be read again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unscrubbed {
    /// Contents.
    pub contents: u64,
    /// Their bytes.
    pub bytes: u64,
}

type Row = (String, i64, i64, Option<String>);

impl Facts {
    /// Contents that were last found whole before `before`, the longest ago first.
    pub async fn to_scrub(&self, before: Timestamp, limit: u64) -> Result<Vec<Scrub>, Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT digest, size, scrubbed, rotten FROM contents WHERE scrubbed < $1 AND condemned IS NULL \
             AND rotten IS NULL ORDER BY scrubbed, digest LIMIT $2",
        )
        .bind(milliseconds(before))
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// How much [`Facts::to_scrub`] would list in all.
    pub async fn unscrubbed(&self, before: Timestamp) -> Result<Unscrubbed, Error> {
        let (contents, bytes): (i64, i64) = sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM contents WHERE scrubbed < $1 \
             AND condemned IS NULL AND rotten IS NULL",
        )
        .bind(milliseconds(before))
        .fetch_one(&self.readers)
        .await?;
        Ok(Unscrubbed { contents: count("contents", contents)?, bytes: count("contents", bytes)? })
    }

    /// Contents whose bytes are not what their digest says.
    pub async fn rotten(&self, limit: u64) -> Result<Vec<Scrub>, Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT digest, size, scrubbed, rotten FROM contents WHERE rotten IS NOT NULL ORDER BY digest LIMIT $1",
        )
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter().map(read).collect()
    }

    /// What is known about the bytes of a digest: whether somebody needs them, and what is wrong with them. `None`
    /// when nobody knows them, or they are about to be removed.
    pub async fn contents(&self, wanted: &Digest) -> Result<Option<Scrub>, Error> {
        let row: Option<Row> = sqlx::query_as(
            "SELECT digest, size, scrubbed, rotten FROM contents WHERE digest = $1 AND condemned IS NULL",
        )
        .bind(wanted.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(read).transpose()
    }

    /// Repositories that have these bytes, live or in their trash, by name.
    pub async fn homes_of(&self, wanted: &Digest, limit: u64) -> Result<Vec<Home>, Error> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT repository, CAST(0 AS BIGINT) AS manifest FROM blobs WHERE digest = $1 UNION \
             SELECT repository, CAST(1 AS BIGINT) FROM manifests WHERE digest = $1 UNION \
             SELECT repository, CAST(1 AS BIGINT) FROM trash WHERE digest = $1 UNION \
             SELECT repository, CAST(0 AS BIGINT) FROM trash_links WHERE target = $1 AND size IS NOT NULL \
             ORDER BY 1, 2 LIMIT $2",
        )
        .bind(wanted.to_string())
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        let home = |(repository, manifest)| Home { repository, is_manifest: manifest != 0 };
        Ok(rows.into_iter().map(home).collect())
    }

    /// Which of these digests no row of the facts names: bytes under them are litter.
    pub async fn unknown_contents(&self, digests: &[Digest]) -> Result<Vec<Digest>, Error> {
        let mut query = super::sql::Query::new("SELECT digest FROM contents WHERE digest IN (");
        query.push_list(digests.iter().map(ToString::to_string));
        query.push(")");
        let known: Vec<String> = query.scalar().fetch_all(&self.readers).await?;
        let known: HashSet<String> = known.into_iter().collect();
        Ok(digests.iter().filter(|digest| !known.contains(&digest.to_string())).cloned().collect())
    }

    /// Contents were read, and are what their digest says.
    pub async fn scrubbed(&self, whole: Vec<Digest>, at: Timestamp) -> Result<(), Error> {
        let at = milliseconds(at);
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    for digest in whole {
                        sqlx::query("UPDATE contents SET scrubbed = $1 WHERE digest = $2")
                            .bind(at)
                            .bind(digest.to_string())
                            .execute(&mut *db)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Contents were read, and are not what their digest says: `why`. False when nobody knows them any more.
    pub async fn found_rotten(&self, digest: &Digest, why: &str, at: Timestamp) -> Result<bool, Error> {
        let (digest, why, at) = (digest.to_string(), why.to_owned(), milliseconds(at));
        self.writer
            .touching(Topic::Everything)
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let done =
                            sqlx::query("UPDATE contents SET scrubbed = $1, rotten = $2 WHERE digest = $3")
                                .bind(at)
                                .bind(why)
                                .bind(digest)
                                .execute(db)
                                .await?;
                        Ok(done.rows_affected() > 0)
                    })
                },
                |known| *known,
            )
            .await
    }

    /// The right bytes are in the blob store again. Gives the place that counts.
    pub async fn mended(&self, contents: Stored) -> Result<String, Error> {
        let now = milliseconds(Timestamp::now());
        self.writer
            .touching(Topic::Everything)
            .run(move |db| {
                Box::pin(async move {
                    keep(db, &contents.digest.to_string(), contents.size, &contents.place, now).await
                })
            })
            .await
    }
}

fn read((name, size, scrubbed, rotten): Row) -> Result<Scrub, Error> {
    Ok(Scrub {
        digest: digest("contents.digest", &name)?,
        size: count("contents.size", size)?,
        scrubbed: time("contents.scrubbed", scrubbed)?,
        rotten,
    })
}
