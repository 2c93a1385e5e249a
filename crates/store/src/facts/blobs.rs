//! Which blobs a repository may serve, and how many need the bytes behind them.
//!
//! Bytes are in `contents` once; `blobs` has a row for each repository that may serve them. Both count who needs them,
//! in the transaction that changes it, so that [`garbage`](super::garbage) never has to look for it.

use boltseal_model::{Digest, Timestamp};
use sqlx::AnyConnection;

use super::{
    Facts, Topic,
    content::add_repository,
    count,
    life::{self, Wanted},
    milliseconds, objects, signed, uploads,
};
use crate::Error;

/// Bytes that the blob store has just made durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Of the bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
    /// Where an object store has them; empty where their digest is their name.
    pub place: String,
}

impl Facts {
    /// Lets a repository serve a blob that the blob store has.
    pub async fn add_blob(&self, repository: &str, blob: &Digest, size: u64) -> Result<(), Error> {
        let stored = Stored { digest: blob.clone(), size, place: String::new() };
        self.finish_upload(None, repository, stored).await.map(drop)
    }

    /// The same, ending the upload session that brought it. Gives the place that counts from now on: another one than
    /// that of `blob` when the bytes were here before.
    pub async fn finish_upload(
        &self,
        session: Option<&str>,
        repository: &str,
        blob: Stored,
    ) -> Result<String, Error> {
        let (session, repository) = (session.map(str::to_owned), repository.to_owned());
        let now = milliseconds(Timestamp::now());
        self.writer
            .touching(Topic::Repository(repository.clone()))
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let digest = blob.digest.to_string();
                        // The bytes are stored already: what is refused is garbage, and known to be.
                        let place = keep(db, &digest, blob.size, &blob.place, now).await?;
                        if let Some(session) = session {
                            uploads::forget(db, &session).await?;
                        }
                        Ok(match bring(db, &repository, &digest, blob.size, now).await? {
                            None => Ok(place),
                            Some(refusal) => Err(Error::Refused(refusal)),
                        })
                    })
                },
                Result::is_ok,
            )
            .await?
    }

    /// Lets a repository serve a blob that `source` serves too. `None`: `source` does not.
    pub async fn mount(&self, source: &str, repository: &str, blob: &Digest) -> Result<Option<u64>, Error> {
        let (source, repository, digest) = (source.to_owned(), repository.to_owned(), blob.to_string());
        let now = milliseconds(Timestamp::now());
        self.writer
            .touching(Topic::Repository(repository.clone()))
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let sql = "SELECT size FROM blobs WHERE repository = $1 AND digest = $2";
                        let size: Option<i64> = sqlx::query_scalar(sql)
                            .bind(source)
                            .bind(&digest)
                            .fetch_optional(&mut *db)
                            .await?;
                        let Some(size) = size else { return Ok(None) };
                        let size = count("blobs.size", size)?;
                        match bring(db, &repository, &digest, size, now).await? {
                            None => Ok(Some(size)),
                            Some(refusal) => Err(refusal.into()),
                        }
                    })
                },
                Option::is_some,
            )
            .await
    }

    /// The size of a blob, if the repository may serve it.
    pub async fn blob(&self, repository: &str, blob: &Digest) -> Result<Option<u64>, Error> {
        let size: Option<i64> =
            sqlx::query_scalar("SELECT size FROM blobs WHERE repository = $1 AND digest = $2")
                .bind(repository)
                .bind(blob.to_string())
                .fetch_optional(&self.readers)
                .await?;
        size.map(|size| count("blobs.size", size)).transpose()
    }

    /// Repositories that may serve a blob, a few of them.
    pub async fn repositories_with(&self, blob: &Digest) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT repository FROM blobs WHERE digest = $1 ORDER BY repository LIMIT 32")
            .bind(blob.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// Takes a blob out of a repository; false when it was not there. Its bytes go with the next collection of
    /// garbage, if nobody else has them.
    pub async fn remove_blob(&self, repository: &str, blob: &Digest) -> Result<bool, Error> {
        let (repository, digest, now) =
            (repository.to_owned(), blob.to_string(), milliseconds(Timestamp::now()));
        self.writer
            .touching(Topic::Repository(repository.clone()))
            .run_if(
                move |db| {
                    Box::pin(async move {
                        if let Some(refusal) = life::against_blob(db, &repository, &digest).await? {
                            return Err(refusal.into());
                        }
                        let_go(db, &repository, &digest, now).await
                    })
                },
                |removed| *removed,
            )
            .await
    }
}

/// Gives a repository a blob that `contents` has, unless a lock or a quota stands against it.
async fn bring(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
    size: u64,
    now: i64,
) -> Result<Option<life::Refusal>, Error> {
    if let Some(refusal) = life::against_write(db, repository).await? {
        return Ok(Some(refusal));
    }
    let bytes = [(digest.to_owned(), size)];
    let wanted = Wanted { bytes: &bytes, tags: 0 };
    if let Some(refusal) = life::against_quota(db, repository, wanted).await? {
        return Ok(Some(refusal));
    }
    add_repository(db, repository, now).await?;
    hold(db, repository, digest, size, now).await?;
    Ok(None)
}

/// Writes down that the blob store has these bytes, and that they are wanted. Gives the place that counts.
pub(super) async fn keep(
    db: &mut AnyConnection,
    digest: &str,
    size: u64,
    place: &str,
    now: i64,
) -> Result<String, Error> {
    let at = "SELECT place FROM contents WHERE digest = $1";
    let before: Option<String> = match place {
        "" => None,
        _ => sqlx::query_scalar(at).bind(digest).fetch_optional(&mut *db).await?,
    };
    // What was condemned has another place, or none, by the time this is read: the new one counts.
    sqlx::query(
        "INSERT INTO contents (digest, size, place, refs, touched, scrubbed) VALUES ($1, $2, $3, 0, $4, $4) \
         ON CONFLICT (digest) DO UPDATE SET touched = excluded.touched, \
         place = CASE WHEN contents.condemned IS NULL AND contents.rotten IS NULL THEN contents.place \
         ELSE excluded.place END, condemned = NULL, rotten = NULL",
    )
    .bind(digest)
    .bind(signed(size))
    .bind(place)
    .bind(now)
    .execute(&mut *db)
    .await?;
    let counts: String = sqlx::query_scalar(at).bind(digest).fetch_one(&mut *db).await?;
    if !place.is_empty() {
        objects::settle(db, before, place, &counts, now).await?;
    }
    Ok(counts)
}

/// Gives a repository a blob that `contents` has.
pub(super) async fn hold(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
    size: u64,
    now: i64,
) -> Result<(), Error> {
    let added = sqlx::query(
        "INSERT INTO blobs (repository, digest, size, touched, links) VALUES ($1, $2, $3, $4, \
         (SELECT COUNT(*) FROM links WHERE repository = $1 AND target = $2)) ON CONFLICT DO NOTHING",
    )
    .bind(repository)
    .bind(digest)
    .bind(signed(size))
    .bind(now)
    .execute(&mut *db)
    .await?
    .rows_affected();
    if added > 0 {
        life::add(db, repository, digest, size).await?;
        return claim(db, digest).await;
    }
    sqlx::query("UPDATE blobs SET touched = $1 WHERE repository = $2 AND digest = $3")
        .bind(now)
        .bind(repository)
        .bind(digest)
        .execute(db)
        .await?;
    Ok(())
}

/// Takes a blob from a repository; false when it had none.
pub(super) async fn let_go(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
    now: i64,
) -> Result<bool, Error> {
    let removed = sqlx::query("DELETE FROM blobs WHERE repository = $1 AND digest = $2")
        .bind(repository)
        .bind(digest)
        .execute(&mut *db)
        .await?
        .rows_affected();
    if removed > 0 {
        life::subtract(db, repository, digest).await?;
        release(db, digest, now).await?;
    }
    Ok(removed > 0)
}

/// One more needs the bytes.
pub(super) async fn claim(db: &mut AnyConnection, digest: &str) -> Result<(), Error> {
    sqlx::query("UPDATE contents SET refs = refs + 1, condemned = NULL WHERE digest = $1")
        .bind(digest)
        .execute(db)
        .await?;
    Ok(())
}

/// One less needs the bytes.
pub(super) async fn release(db: &mut AnyConnection, digest: &str, now: i64) -> Result<(), Error> {
    sqlx::query(
        "UPDATE contents SET refs = refs - 1, touched = CASE WHEN touched > $1 THEN touched ELSE $1 END \
         WHERE digest = $2 AND refs > 0",
    )
    .bind(now)
    .bind(digest)
    .execute(db)
    .await?;
    Ok(())
}
