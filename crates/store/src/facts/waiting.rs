//! Images that wait to be judged, and which server judges which: a claim that runs out when its server is gone.

use boltseal_model::{Digest, Timestamp};

use super::{Facts, State, Topic, claims::NO_CLAIM, count, digest, milliseconds, signed};
use crate::Error;

impl Facts {
    /// Images that wait for their first judgement and that no server has claimed, the oldest request first.
    pub async fn pending(&self, limit: u64) -> Result<Vec<Digest>, Error> {
        let now = milliseconds(Timestamp::now());
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT digest FROM judgements WHERE state = $1 AND (claimed < $2 OR claimed >= $3) \
             ORDER BY requested, digest LIMIT $4",
        )
        .bind(State::Pending.word())
        .bind(now)
        .bind(now.saturating_add(NO_CLAIM))
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|text| digest("judgements.digest", text)).collect()
    }

    /// Asks for an image to be opened and judged anew, as if just pushed.
    pub async fn request(&self, image: &Digest) -> Result<(), Error> {
        let (image, now) = (image.to_string(), milliseconds(Timestamp::now()));
        self.writer
            .touching(Topic::Verdicts)
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE judgements SET state = $1, requested = $2, attempts = 0, claimed = 0 WHERE digest = $3",
                    )
                    .bind(State::Pending.word())
                    .bind(now)
                    .bind(image)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Claims an image for this server until `until`, and counts the try before it is made, so that an image that ends
    /// the process is not tried for ever. Gives the number of tries; `None` when another server has it, or nobody need
    /// judge it any more.
    pub async fn claim_image(&self, image: &Digest, until: Timestamp) -> Result<Option<u64>, Error> {
        let (image, until) = (image.to_string(), milliseconds(until));
        let now = milliseconds(Timestamp::now());
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let claimed = sqlx::query(
                        "UPDATE judgements SET attempts = attempts + 1, claimed = $1 \
                         WHERE digest = $2 AND state = $3 AND (claimed < $4 OR claimed >= $5)",
                    )
                    .bind(until)
                    .bind(&image)
                    .bind(State::Pending.word())
                    .bind(now)
                    .bind(now.saturating_add(NO_CLAIM))
                    .execute(&mut *db)
                    .await?;
                    if claimed.rows_affected() == 0 {
                        return Ok(None);
                    }
                    let attempts: Option<i64> =
                        sqlx::query_scalar("SELECT attempts FROM judgements WHERE digest = $1")
                            .bind(&image)
                            .fetch_optional(db)
                            .await?;
                    attempts.map(|attempts| count("judgements.attempts", attempts)).transpose()
                })
            })
            .await
    }

    /// Keeps an image that was claimed until `until`; with a time that is over, gives it back.
    pub async fn keep_image(&self, image: &Digest, until: Timestamp) -> Result<(), Error> {
        let (image, until) = (image.to_string(), milliseconds(until));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("UPDATE judgements SET claimed = $1 WHERE digest = $2 AND claimed > 0")
                        .bind(until)
                        .bind(image)
                        .execute(db)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Gives back what was claimed by the process before this one. Only where no other server shares the facts, who
    /// might be at work.
    pub async fn end_claims(&self) -> Result<(), Error> {
        if self.is_shared() {
            return Ok(());
        }
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    for sql in [
                        "UPDATE judgements SET claimed = 0 WHERE claimed > 0",
                        "UPDATE jobs SET claimed = 0 WHERE claimed > 0",
                    ] {
                        sqlx::query(sql).execute(&mut *db).await?;
                    }
                    Ok(())
                })
            })
            .await
    }
}
