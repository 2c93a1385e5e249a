//! Objects that may exist in an object store though `contents` does not name them: written down before their first byte
//! goes out, settled in the transaction that makes them count, and removed when they are due.

use boltseal_model::{Digest, Timestamp};
use sqlx::AnyConnection;

use super::{Facts, count, milliseconds, signed, sql::Query};
use crate::Error;

/// An object that nobody may name any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doomed {
    /// Its key in the object store.
    pub(crate) place: String,
    /// What the object store calls the upload in parts that was to become it.
    pub(crate) multipart: Option<String>,
}

impl Facts {
    /// An object is about to be stored: of an upload session, or needed by nobody after `due` unless it counts by then.
    pub async fn announce_object(
        &self,
        place: &str,
        upload: Option<&str>,
        due: Option<Timestamp>,
    ) -> Result<(), Error> {
        let (place, upload, due) = (place.to_owned(), upload.map(str::to_owned), due.map(milliseconds));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query("INSERT INTO objects (place, upload, due, doomed) VALUES ($1, $2, $3, 0)")
                        .bind(place)
                        .bind(upload)
                        .bind(due)
                        .execute(db)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    /// An announced object comes in parts. From now on an end of this process leaves nothing that cannot be found.
    pub(crate) async fn object_in_parts(&self, place: &str, multipart: &str) -> Result<(), Error> {
        let (place, multipart) = (place.to_owned(), multipart.to_owned());
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let known =
                        sqlx::query("UPDATE objects SET multipart = $1 WHERE place = $2 AND doomed = 0")
                            .bind(multipart)
                            .bind(&place)
                            .execute(db)
                            .await?
                            .rows_affected();
                    if known == 0 { Err(Error::NoUpload(place)) } else { Ok(()) }
                })
            })
            .await
    }

    /// An announced object is needed until `due`. Fails when it is being removed.
    pub(crate) async fn hold_object(&self, place: &str, due: Timestamp) -> Result<(), Error> {
        let (place, due) = (place.to_owned(), milliseconds(due));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let known = sqlx::query("UPDATE objects SET due = $1 WHERE place = $2 AND doomed = 0")
                        .bind(due)
                        .bind(&place)
                        .execute(db)
                        .await?
                        .rows_affected();
                    if known == 0 { Err(Error::NoUpload(place)) } else { Ok(()) }
                })
            })
            .await
    }

    /// Nobody needs these announced objects any more.
    pub(crate) async fn release_objects(&self, places: Vec<String>) -> Result<(), Error> {
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    for place in places {
                        release(db, &place).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// Up to `limit` objects that are due by `now`: nobody may name them any more. Those of a removal that did not end
    /// are among them.
    pub(crate) async fn doom_objects(&self, now: Timestamp, limit: u64) -> Result<Vec<Doomed>, Error> {
        let (now, limit) = (milliseconds(now), signed(limit));
        let any: Option<i64> = sqlx::query_scalar("SELECT 1 FROM objects WHERE due <= $1 LIMIT 1")
            .bind(now)
            .fetch_optional(&self.readers)
            .await?;
        if any.is_none() {
            return Ok(Vec::new());
        }
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let rows: Vec<(String, Option<String>)> = sqlx::query_as(
                        "SELECT place, multipart FROM objects WHERE due <= $1 ORDER BY due, place LIMIT $2",
                    )
                    .bind(now)
                    .bind(limit)
                    .fetch_all(&mut *db)
                    .await?;
                    for (place, _) in &rows {
                        sqlx::query("UPDATE objects SET doomed = 1 WHERE place = $1")
                            .bind(place)
                            .execute(&mut *db)
                            .await?;
                    }
                    Ok(rows.into_iter().map(|(place, multipart)| Doomed { place, multipart }).collect())
                })
            })
            .await
    }

    /// Doomed objects are gone.
    pub(crate) async fn forget_objects(&self, places: Vec<String>) -> Result<(), Error> {
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    for place in places {
                        sqlx::query("DELETE FROM objects WHERE place = $1 AND doomed = 1")
                            .bind(place)
                            .execute(&mut *db)
                            .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// How many objects there may be that `contents` does not name: uploads under way, and what crashes left.
    pub async fn announced_objects(&self) -> Result<u64, Error> {
        let rows: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM objects").fetch_one(&self.readers).await?;
        count("objects", rows)
    }

    /// Where the bytes of a digest are in an object store, and how many; nothing when they are not there, or about to
    /// be removed.
    pub(crate) async fn located(&self, wanted: &Digest) -> Result<Option<(String, u64)>, Error> {
        let row: Option<(String, i64)> = sqlx::query_as(
            "SELECT place, size FROM contents WHERE digest = $1 AND place <> '' AND condemned IS NULL",
        )
        .bind(wanted.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.map(|(place, size)| Ok((place, count("contents.size", size)?))).transpose()
    }
}

/// Bytes are at `ours`; after [`keep`](super::blobs::keep) the place that counts is `counts`, where it was `before`.
pub(super) async fn settle(
    db: &mut AnyConnection,
    before: Option<String>,
    ours: &str,
    counts: &str,
    now: i64,
) -> Result<(), Error> {
    if counts != ours {
        // The bytes were here before.
        return release(db, ours).await;
    }
    if before.as_deref() == Some(ours) {
        return Ok(());
    }
    let taken = sqlx::query("DELETE FROM objects WHERE place = $1 AND doomed = 0")
        .bind(ours)
        .execute(&mut *db)
        .await?
        .rows_affected();
    if taken == 0 {
        // It took longer than anybody waits, and the object is being removed.
        return Err(Error::NoUpload(ours.to_owned()));
    }
    // What was condemned or rotten: whoever was to remove it may be gone.
    if let Some(old) = before.filter(|old| !old.is_empty()) {
        sqlx::query("INSERT INTO objects (place, due, doomed) VALUES ($1, $2, 0) ON CONFLICT DO NOTHING")
            .bind(old)
            .bind(now)
            .execute(db)
            .await?;
    }
    Ok(())
}

/// Nobody needs an object any more.
async fn release(db: &mut AnyConnection, place: &str) -> Result<(), Error> {
    sqlx::query("UPDATE objects SET due = 0 WHERE place = $1").bind(place).execute(db).await?;
    Ok(())
}

/// Nobody needs the objects of a session any more, but these.
pub(super) async fn release_others(
    db: &mut AnyConnection,
    upload: &str,
    places: &[String],
) -> Result<(), Error> {
    let mut query = Query::new("UPDATE objects SET due = 0 WHERE upload = ");
    query.push_bind(upload.to_owned());
    if !places.is_empty() {
        query.push(" AND place NOT IN (").push_list(places.iter().cloned());
        query.push(")");
    }
    query.build().execute(db).await?;
    Ok(())
}
