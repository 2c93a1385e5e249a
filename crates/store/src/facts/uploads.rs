//! Upload sessions that have acknowledged bytes.

use boltseal_model::Timestamp;

use super::{Facts, count, milliseconds, signed, time};
use crate::Error;

impl Facts {
    /// Makes the acknowledged size of an upload session durable.
    pub async fn save_upload(&self, id: &str, repository: &str, size: u64) -> Result<(), Error> {
        let (id, repository) = (id.to_owned(), repository.to_owned());
        let (size, now) = (signed(size), milliseconds(Timestamp::now()));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO uploads (id, repository, size, touched) VALUES ($1, $2, $3, $4) \
                         ON CONFLICT (id) DO UPDATE SET size = excluded.size, touched = excluded.touched",
                    )
                    .bind(id)
                    .bind(repository)
                    .bind(size)
                    .bind(now)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Upload sessions with acknowledged bytes: id, repository, bytes, last touched.
    pub async fn uploads(&self) -> Result<Vec<(String, String, u64, Timestamp)>, Error> {
        let rows: Vec<(String, String, i64, i64)> =
            sqlx::query_as("SELECT id, repository, size, touched FROM uploads ORDER BY id")
                .fetch_all(&self.readers)
                .await?;
        rows.into_iter()
            .map(|(id, repository, size, touched)| {
                Ok((id, repository, count("uploads.size", size)?, time("uploads.touched", touched)?))
            })
            .collect()
    }

    /// Forgets an upload session.
    pub async fn remove_upload(&self, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM uploads WHERE id = $1").bind(id).execute(db).await?;
                    Ok(())
                })
            })
            .await
    }
}
