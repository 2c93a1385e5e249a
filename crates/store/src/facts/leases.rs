//! Who is about to use a blob that nothing points to yet: pushes that are under way keep it from being garbage.

use std::time::Duration;

use boltseal_model::{Digest, Timestamp};

use super::{Facts, count, milliseconds};
use crate::Error;

/// A blob of a repository, as pulls and pushes need to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldBlob {
    /// Bytes of it.
    pub size: u64,
    /// What is wrong with its bytes: then they are not to be served.
    pub rotten: Option<String>,
}

impl Facts {
    /// A blob, if the repository may serve it.
    pub async fn held_blob(&self, repository: &str, blob: &Digest) -> Result<Option<HeldBlob>, Error> {
        let row: Option<(i64, Option<String>)> = sqlx::query_as(
            "SELECT b.size, c.rotten FROM blobs b LEFT JOIN contents c ON c.digest = b.digest \
             WHERE b.repository = $1 AND b.digest = $2",
        )
        .bind(repository)
        .bind(blob.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|(size, rotten)| Ok(HeldBlob { size: count("blobs.size", size)?, rotten })).transpose()
    }

    /// Somebody who pushes asks whether a blob is here. If it is, and its bytes are right, it stays for a while though
    /// nothing may point to it. Costs a change only if nothing does and the last time is longer ago than `age`.
    pub async fn renew_blob(&self, repository: &str, blob: &Digest, age: Duration) -> Result<bool, Error> {
        let (repository, digest) = (repository.to_owned(), blob.to_string());
        let found: Option<(i64, i64, Option<String>)> = sqlx::query_as(
            "SELECT b.links, b.touched, c.rotten FROM blobs b LEFT JOIN contents c ON c.digest = b.digest \
             WHERE b.repository = $1 AND b.digest = $2",
        )
        .bind(&repository)
        .bind(&digest)
        .fetch_optional(&self.readers)
        .await?;
        let now = milliseconds(Timestamp::now());
        match found {
            None | Some((_, _, Some(_))) => Ok(false),
            Some((links, touched, None)) if links > 0 || touched >= before(now, age) => Ok(true),
            Some(_) => {
                self.writer
                    .run(move |db| {
                        Box::pin(async move {
                            let done = sqlx::query(
                                "UPDATE blobs SET touched = $1 WHERE repository = $2 AND digest = $3",
                            )
                            .bind(now)
                            .bind(repository)
                            .bind(digest)
                            .execute(db)
                            .await?;
                            // It may have gone between the two.
                            Ok(done.rows_affected() > 0)
                        })
                    })
                    .await
            }
        }
    }

    /// Somebody is still pushing to a repository: what is there already and waits for its manifest stays for a while.
    /// Costs a change only if something was last touched longer ago than `age`.
    pub async fn renew_unlinked(&self, repository: &str, age: Duration) -> Result<(), Error> {
        let (repository, now) = (repository.to_owned(), milliseconds(Timestamp::now()));
        let before = before(now, age);
        let stale: Option<i64> = sqlx::query_scalar(
            "SELECT 1 FROM blobs WHERE repository = $1 AND links = 0 AND touched < $2 LIMIT 1",
        )
        .bind(&repository)
        .bind(before)
        .fetch_optional(&self.readers)
        .await?;
        if stale.is_none() {
            return Ok(());
        }
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE blobs SET touched = $1 WHERE repository = $2 AND links = 0 AND touched < $3",
                    )
                    .bind(now)
                    .bind(repository)
                    .bind(before)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }
}

fn before(now: i64, age: Duration) -> i64 {
    now.saturating_sub(i64::try_from(age.as_millis()).unwrap_or(i64::MAX))
}
