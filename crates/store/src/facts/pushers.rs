//! Who pushed what is stored. It goes with the manifest, so that what was taken away is nobody's when somebody else brings it
//! again.

use boltseal_model::{Digest, Timestamp};
use sqlx::AnyConnection;

use super::{Facts, signed, time};
use crate::Error;

/// Pushers told of one manifest, the first ones first; pushing again is no new thing.
const MAX_PUSHERS: u64 = 50;

/// Somebody who pushed a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pusher {
    /// The id of the principal.
    pub principal: String,
    /// Its name then.
    pub name: String,
}

/// A push, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Push {
    /// Where to.
    pub repository: String,
    /// By whom.
    pub by: Pusher,
    /// When they did first.
    pub at: Timestamp,
}

impl Facts {
    /// Who pushed a manifest, in any repository that has it.
    pub async fn pushers(&self, manifest: &Digest) -> Result<Vec<Push>, Error> {
        let rows: Vec<(String, String, String, i64)> = sqlx::query_as(
            "SELECT repository, principal, name, at FROM pushers WHERE digest = $1 \
             ORDER BY at, repository, principal LIMIT $2",
        )
        .bind(manifest.to_string())
        .bind(signed(MAX_PUSHERS))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(repository, principal, name, at)| {
                let at = time("pushers.at", at)?;
                Ok(Push { repository, by: Pusher { principal, name }, at })
            })
            .collect()
    }
}

pub(super) async fn pushed(
    db: &mut AnyConnection,
    repository: &str,
    manifest: &str,
    by: &Pusher,
    now: i64,
) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO pushers (repository, digest, principal, name, at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT DO NOTHING",
    )
    .bind(repository)
    .bind(manifest)
    .bind(&by.principal)
    .bind(&by.name)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

pub(super) async fn forget(db: &mut AnyConnection, repository: &str, manifest: &str) -> Result<(), Error> {
    let sql = "DELETE FROM pushers WHERE repository = $1 AND digest = $2";
    sqlx::query(sql).bind(repository).bind(manifest).execute(db).await?;
    Ok(())
}
