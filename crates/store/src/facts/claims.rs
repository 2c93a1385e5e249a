//! Upload sessions that several servers share: one request has one at a time, for as long as it renews its claim.

use boltseal_model::Timestamp;
use sqlx::AnyConnection;

use super::{Acknowledged, Facts, count, milliseconds, signed};
use crate::Error;

/// Longer than any claim, in milliseconds: one that ends later was made before the clock was set back, and does not hold.
pub(super) const NO_CLAIM: i64 = 3_600_000;

impl Facts {
    /// Writes down a new session, unless there are `limit` already.
    pub(crate) async fn begin_upload(&self, id: &str, repository: &str, limit: usize) -> Result<(), Error> {
        let (id, repository) = (id.to_owned(), repository.to_owned());
        let now = milliseconds(Timestamp::now());
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let sql = "SELECT COUNT(*) FROM (SELECT 1 FROM uploads LIMIT $1) AS sessions";
                    let many: i64 =
                        sqlx::query_scalar(sql).bind(signed(limit as u64)).fetch_one(&mut *db).await?;
                    if count("uploads", many)? >= limit as u64 {
                        return Err(Error::TooManyUploads { limit });
                    }
                    sqlx::query(
                        "INSERT INTO uploads (id, repository, size, touched, claimed) VALUES ($1, $2, 0, $3, 0)",
                    )
                    .bind(id)
                    .bind(repository)
                    .bind(now)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Gives a session to `claimant` until then, with what has been acknowledged of it.
    pub(crate) async fn claim_upload(
        &self,
        id: &str,
        repository: &str,
        claimant: &str,
        until: Timestamp,
    ) -> Result<Acknowledged, Error> {
        let (id, repository, claimant) = (id.to_owned(), repository.to_owned(), claimant.to_owned());
        let (now, until) = (milliseconds(Timestamp::now()), milliseconds(until));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let row: Option<(i64, String, i64)> = sqlx::query_as(
                        "SELECT size, state, claimed FROM uploads WHERE id = $1 AND repository = $2",
                    )
                    .bind(&id)
                    .bind(&repository)
                    .fetch_optional(&mut *db)
                    .await?;
                    let (size, state, claimed) = row.ok_or_else(|| Error::NoUpload(id.clone()))?;
                    if claimed > now && claimed < now.saturating_add(NO_CLAIM) {
                        return Err(Error::Busy(id));
                    }
                    sqlx::query("UPDATE uploads SET claimant = $1, claimed = $2, touched = $3 WHERE id = $4")
                        .bind(&claimant)
                        .bind(until)
                        .bind(now)
                        .bind(&id)
                        .execute(db)
                        .await?;
                    let size = count("uploads.size", size)?;
                    let claimant = Some(claimant);
                    Ok(Acknowledged { claimant, ..Acknowledged::new(&id, &repository, size, state) })
                })
            })
            .await
    }

    /// Lets `claimant` have a session until then. Fails when another has it by now.
    pub(crate) async fn renew_upload(&self, id: &str, claimant: &str, until: Timestamp) -> Result<(), Error> {
        let (id, claimant, until) = (id.to_owned(), claimant.to_owned(), milliseconds(until));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    if extend(db, &id, &claimant, until).await? { Ok(()) } else { Err(Error::Busy(id)) }
                })
            })
            .await
    }

    /// Gives a session back, as it was last acknowledged.
    pub(crate) async fn give_back_upload(&self, id: &str, claimant: &str) -> Result<(), Error> {
        let (id, claimant) = (id.to_owned(), claimant.to_owned());
        self.writer
            .run(move |db| Box::pin(async move { extend(db, &id, &claimant, 0).await.map(drop) }))
            .await
    }

    /// Sessions that nobody has and nobody touched since `before`.
    pub(crate) async fn idle_uploads(&self, before: Timestamp, limit: u64) -> Result<Vec<String>, Error> {
        let now = milliseconds(Timestamp::now());
        sqlx::query_scalar(
            "SELECT id FROM uploads WHERE touched <= $1 AND (claimed <= $2 OR claimed >= $3) \
             ORDER BY touched, id LIMIT $4",
        )
        .bind(milliseconds(before))
        .bind(now)
        .bind(now.saturating_add(NO_CLAIM))
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await
        .map_err(Error::from)
    }
}

async fn extend(db: &mut AnyConnection, id: &str, claimant: &str, until: i64) -> Result<bool, Error> {
    let extended = sqlx::query("UPDATE uploads SET claimed = $1 WHERE id = $2 AND claimant = $3")
        .bind(until)
        .bind(id)
        .bind(claimant)
        .execute(db)
        .await?
        .rows_affected();
    Ok(extended > 0)
}
