//! Who may sign in, and browser sessions.

use boltseal_model::Timestamp;

use super::{Facts, milliseconds, time};
use crate::Error;

impl Facts {
    /// The salt and hash of a principal's secret.
    pub async fn principal(&self, name: &str) -> Result<Option<(Vec<u8>, Vec<u8>)>, Error> {
        sqlx::query_as("SELECT salt, hash FROM principals WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// Creates a principal; false, and nothing is changed, when there is one of this name.
    pub async fn add_principal(&self, name: &str, salt: &[u8], hash: &[u8]) -> Result<bool, Error> {
        let (name, salt, hash) = (name.to_owned(), salt.to_vec(), hash.to_vec());
        let now = milliseconds(Timestamp::now());
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let done = sqlx::query(
                        "INSERT INTO principals (name, salt, hash, created) VALUES ($1, $2, $3, $4) \
                         ON CONFLICT DO NOTHING",
                    )
                    .bind(name)
                    .bind(salt)
                    .bind(hash)
                    .bind(now)
                    .execute(db)
                    .await?;
                    Ok(done.rows_affected() > 0)
                })
            })
            .await
    }

    /// Remembers a browser session under the hash of its cookie.
    pub async fn add_session(&self, id: &str, principal: &str, expires: Timestamp) -> Result<(), Error> {
        let (id, principal) = (id.to_owned(), principal.to_owned());
        let (now, expires) = (milliseconds(Timestamp::now()), milliseconds(expires));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM sessions WHERE expires <= $1")
                        .bind(now)
                        .execute(&mut *db)
                        .await?;
                    sqlx::query(
                        "INSERT INTO sessions (id, principal, created, expires) VALUES ($1, $2, $3, $4)",
                    )
                    .bind(id)
                    .bind(principal)
                    .bind(now)
                    .bind(expires)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Whose session it is and when it ends; nothing when it has ended.
    pub async fn session(&self, id: &str, now: Timestamp) -> Result<Option<(String, Timestamp)>, Error> {
        let found: Option<(String, i64)> =
            sqlx::query_as("SELECT principal, expires FROM sessions WHERE id = $1 AND expires > $2")
                .bind(id)
                .bind(milliseconds(now))
                .fetch_optional(&self.readers)
                .await?;
        found.map(|(principal, expires)| Ok((principal, time("sessions.expires", expires)?))).transpose()
    }

    /// Ends a browser session.
    pub async fn remove_session(&self, id: &str) -> Result<(), Error> {
        let id = id.to_owned();
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM sessions WHERE id = $1").bind(id).execute(db).await?;
                    Ok(())
                })
            })
            .await
    }
}
