//! Upload sessions that have acknowledged bytes.

use boltseal_model::Timestamp;
use sqlx::AnyConnection;

use super::{Facts, count, milliseconds, objects, signed, time};
use crate::Error;

/// What of an upload session is durable, and how to go on from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acknowledged {
    /// The session.
    pub id: String,
    /// Its repository.
    pub repository: String,
    /// Bytes it has.
    pub size: u64,
    /// How to go on, in words of the blob store.
    pub state: String,
    /// Who says so, where sessions are claimed: another may have the session by now.
    pub claimant: Option<String>,
    /// The objects that `state` names.
    pub places: Vec<String>,
}

impl Acknowledged {
    /// A session of one process.
    pub fn new(id: &str, repository: &str, size: u64, state: String) -> Self {
        let (id, repository) = (id.to_owned(), repository.to_owned());
        Self { id, repository, size, state, claimant: None, places: Vec::new() }
    }
}

impl Facts {
    /// Writes down what a session has. One that was claimed is free again.
    pub async fn save_upload(&self, saved: Acknowledged) -> Result<(), Error> {
        let now = milliseconds(Timestamp::now());
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    match &saved.claimant {
                        None => insert(db, &saved, now).await,
                        Some(claimant) => {
                            update(db, &saved, claimant, now).await?;
                            objects::release_others(db, &saved.id, &saved.places).await
                        }
                    }
                })
            })
            .await
    }

    /// Upload sessions with acknowledged bytes, and when they were last touched.
    pub async fn uploads(&self) -> Result<Vec<(Acknowledged, Timestamp)>, Error> {
        let rows: Vec<(String, String, i64, String, i64)> =
            sqlx::query_as("SELECT id, repository, size, state, touched FROM uploads ORDER BY id")
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|(id, repository, size, state, touched)| {
                let saved = Acknowledged::new(&id, &repository, count("uploads.size", size)?, state);
                Ok((saved, time("uploads.touched", touched)?))
            })
            .collect()
    }

    /// Forgets an upload session.
    pub async fn remove_upload(&self, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        self.writer.run(move |db| Box::pin(async move { forget(db, &id).await })).await
    }
}

/// Forgets a session; its objects are nobody's from now on.
pub(super) async fn forget(db: &mut AnyConnection, id: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id).execute(&mut *db).await?;
    objects::release_others(db, id, &[]).await
}

async fn insert(db: &mut AnyConnection, saved: &Acknowledged, now: i64) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO uploads (id, repository, size, touched, state) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (id) DO UPDATE SET size = excluded.size, touched = excluded.touched, state = excluded.state",
    )
    .bind(saved.id.clone())
    .bind(saved.repository.clone())
    .bind(signed(saved.size))
    .bind(now)
    .bind(saved.state.clone())
    .execute(db)
    .await?;
    Ok(())
}

async fn update(db: &mut AnyConnection, saved: &Acknowledged, claimant: &str, now: i64) -> Result<(), Error> {
    let updated = sqlx::query(
        "UPDATE uploads SET size = $1, touched = $2, state = $3, claimant = NULL, claimed = 0 \
         WHERE id = $4 AND claimant = $5",
    )
    .bind(signed(saved.size))
    .bind(now)
    .bind(saved.state.clone())
    .bind(saved.id.clone())
    .bind(claimant.to_owned())
    .execute(db)
    .await?
    .rows_affected();
    if updated == 0 {
        // It took longer than its claim, and another request has the session, or ended it.
        return Err(Error::Busy(saved.id.clone()));
    }
    Ok(())
}
