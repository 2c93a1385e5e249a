//! Repositories, manifests and tags: what the distribution API is about.

use boltseal_model::{Digest, Platform, Timestamp};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    Facts, Kind, State, Topic,
    blobs::{claim, keep, release},
    count, digest, milliseconds, signed,
};
use crate::Error;

/// A manifest about to be stored, with everything that must appear together with it.
#[derive(Clone, Debug)]
pub struct NewManifest {
    /// Name of the repository.
    pub repository: String,
    /// Of the exact bytes, which are in the blob store already.
    pub digest: Digest,
    /// As sent, without parameters.
    pub media_type: String,
    /// Bytes of the manifest.
    pub size: u64,
    /// Where an object store has them; empty where their digest is their name.
    pub place: String,
    /// Bytes of what it points to.
    pub content_size: u64,
    /// What it is for; an image gets a pending judgement unless it has one.
    pub kind: Kind,
    /// What it runs on, when the configuration says so.
    pub platform: Option<Platform>,
    /// The manifest it speaks about.
    pub subject: Option<Digest>,
    /// What kind of artifact it is, as lists of referrers show it.
    pub artifact_type: Option<String>,
    /// JSON object of its annotations, as sent.
    pub annotations: Option<String>,
    /// Blobs that the repository must have.
    pub blobs: Vec<Digest>,
    /// Manifests that the repository must have.
    pub manifests: Vec<Digest>,
    /// Tags to point to it.
    pub tags: Vec<String>,
    /// Now.
    pub at: Timestamp,
}

/// A manifest as stored; its bytes are a blob of the same digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// Of the exact bytes.
    pub digest: Digest,
    /// As sent.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// What it is for.
    pub kind: Kind,
}

/// One entry of a list of referrers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Of the referring manifest.
    pub digest: Digest,
    /// As sent.
    pub media_type: String,
    /// Bytes.
    pub size: u64,
    /// What kind of artifact it is.
    pub artifact_type: Option<String>,
    /// JSON object, as sent.
    pub annotations: Option<String>,
}

/// What a repository lacks, if anything: then nothing was stored.
pub type Missing = Vec<Digest>;

impl Facts {
    /// Stores a manifest, its links, its tags and, for an image, its pending judgement; or tells what is missing.
    pub async fn put_manifest(&self, manifest: NewManifest) -> Result<Missing, Error> {
        let topic = Topic::Repository(manifest.repository.clone());
        self.writer
            .touching(topic)
            .run_if(move |db| Box::pin(put_manifest(db, manifest)), Vec::is_empty)
            .await
    }

    /// A manifest of a repository.
    pub async fn manifest(&self, repository: &str, wanted: &Digest) -> Result<Option<StoredManifest>, Error> {
        let row = sqlx::query(
            "SELECT digest, media_type, size, kind FROM manifests WHERE repository = $1 AND digest = $2",
        )
        .bind(repository)
        .bind(wanted.to_string())
        .fetch_optional(&self.readers)
        .await?;
        row.as_ref().map(read_manifest).transpose()
    }

    /// The manifest a tag points to.
    pub async fn tag(&self, repository: &str, tag: &str) -> Result<Option<Digest>, Error> {
        let found: Option<String> =
            sqlx::query_scalar("SELECT digest FROM tags WHERE repository = $1 AND tag = $2")
                .bind(repository)
                .bind(tag)
                .fetch_optional(&self.readers)
                .await?;
        found.map(|text| digest("tags.digest", &text)).transpose()
    }

    /// Takes a manifest and its tags out of a repository; false when it was not there. What only it pointed to goes
    /// with the next collection of garbage.
    pub async fn remove_manifest(&self, repository: &str, wanted: &Digest) -> Result<bool, Error> {
        let (repository, wanted) = (repository.to_owned(), wanted.to_string());
        self.writer
            .touching(Topic::Repository(repository.clone()))
            .run_if(
                move |db| Box::pin(async move { remove_manifest(db, &repository, &wanted).await }),
                |removed| *removed,
            )
            .await
    }

    /// Removes a tag; false when there was none.
    pub async fn remove_tag(&self, repository: &str, tag: &str) -> Result<bool, Error> {
        let (repository, tag) = (repository.to_owned(), tag.to_owned());
        self.writer
            .touching(Topic::Repository(repository.clone()))
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let done = sqlx::query("DELETE FROM tags WHERE repository = $1 AND tag = $2")
                            .bind(repository)
                            .bind(tag)
                            .execute(db)
                            .await?;
                        Ok(done.rows_affected() > 0)
                    })
                },
                |removed| *removed,
            )
            .await
    }

    /// Tags after `last`, in byte order; `None` when there is no such repository.
    pub async fn tags(&self, repository: &str, last: &str, limit: u64) -> Result<Option<Vec<String>>, Error> {
        let tags: Vec<String> = sqlx::query_scalar(
            "SELECT tag FROM tags WHERE repository = $1 AND tag > $2 ORDER BY tag LIMIT $3",
        )
        .bind(repository)
        .bind(last)
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        if tags.is_empty() && !self.has_repository(repository).await? {
            return Ok(None);
        }
        Ok(Some(tags))
    }

    /// Whether anything was ever stored under this name.
    pub async fn has_repository(&self, repository: &str) -> Result<bool, Error> {
        let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM repositories WHERE name = $1")
            .bind(repository)
            .fetch_optional(&self.readers)
            .await?;
        Ok(found.is_some())
    }

    /// Repository names after `last`, in byte order.
    pub async fn repositories(&self, last: &str, limit: u64) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT name FROM repositories WHERE name > $1 ORDER BY name LIMIT $2")
            .bind(last)
            .bind(signed(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// Manifests of a repository that name `subject`, after `last`, in order of their digest.
    pub async fn referrers(
        &self,
        repository: &str,
        subject: &Digest,
        last: &str,
        limit: u64,
    ) -> Result<Vec<Referrer>, Error> {
        let rows = sqlx::query(
            "SELECT digest, media_type, size, artifact_type, annotations FROM manifests \
             WHERE repository = $1 AND subject = $2 AND digest > $3 ORDER BY digest LIMIT $4",
        )
        .bind(repository)
        .bind(subject.to_string())
        .bind(last)
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter()
            .map(|row| {
                Ok(Referrer {
                    digest: digest("manifests.digest", row.try_get("digest")?)?,
                    media_type: row.try_get("media_type")?,
                    size: count("manifests.size", row.try_get("size")?)?,
                    artifact_type: row.try_get("artifact_type")?,
                    annotations: row.try_get("annotations")?,
                })
            })
            .collect()
    }

    /// Manifests of a repository that point to a blob; the gate asks whether any of them may be pulled.
    pub async fn pointing_to(&self, repository: &str, target: &Digest) -> Result<Vec<StoredManifest>, Error> {
        let rows = sqlx::query(
            "SELECT m.digest, m.media_type, m.size, m.kind FROM links l \
             JOIN manifests m ON m.repository = l.repository AND m.digest = l.manifest \
             WHERE l.repository = $1 AND l.target = $2",
        )
        .bind(repository)
        .bind(target.to_string())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read_manifest).collect()
    }
}

fn read_manifest(row: &AnyRow) -> Result<StoredManifest, Error> {
    Ok(StoredManifest {
        digest: digest("manifests.digest", row.try_get("digest")?)?,
        media_type: row.try_get("media_type")?,
        size: count("manifests.size", row.try_get("size")?)?,
        kind: Kind::read(row.try_get("kind")?)?,
    })
}

pub(super) async fn add_repository(db: &mut AnyConnection, name: &str, now: i64) -> Result<(), Error> {
    sqlx::query("INSERT INTO repositories (name, created) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(name)
        .bind(now)
        .execute(db)
        .await?;
    Ok(())
}

async fn put_manifest(db: &mut AnyConnection, manifest: NewManifest) -> Result<Missing, Error> {
    let (repository, name) = (&manifest.repository, manifest.digest.to_string());
    let now = milliseconds(manifest.at);
    // The bytes are stored already: without anybody who has them they are garbage, and known to be.
    keep(db, &name, manifest.size, &manifest.place, now).await?;
    let missing = missing(db, &manifest).await?;
    if !missing.is_empty() {
        return Ok(missing);
    }
    add_repository(db, repository, now).await?;
    let known: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2")
            .bind(repository)
            .bind(&name)
            .fetch_optional(&mut *db)
            .await?;
    if known.is_none() {
        claim(db, &name).await?;
    }
    sqlx::query(
        "INSERT INTO manifests (repository, digest, media_type, size, content_size, kind, platform, subject, \
         artifact_type, annotations, pushed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (repository, digest) DO UPDATE SET media_type = excluded.media_type, \
         pushed_at = excluded.pushed_at",
    )
    .bind(repository)
    .bind(&name)
    .bind(&manifest.media_type)
    .bind(signed(manifest.size))
    .bind(signed(manifest.content_size))
    .bind(manifest.kind.word())
    .bind(manifest.platform.as_ref().map(ToString::to_string))
    .bind(manifest.subject.as_ref().map(ToString::to_string))
    .bind(&manifest.artifact_type)
    .bind(&manifest.annotations)
    .bind(now)
    .execute(&mut *db)
    .await?;
    for target in manifest.blobs.iter().chain(&manifest.manifests) {
        link(db, repository, &name, &target.to_string()).await?;
    }
    for tag in &manifest.tags {
        let sql = "INSERT INTO tags (repository, tag, digest, updated) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest, updated = excluded.updated";
        sqlx::query(sql).bind(repository).bind(tag).bind(&name).bind(now).execute(&mut *db).await?;
    }
    if manifest.kind == Kind::Image {
        request_judgement(db, &name, now).await?;
    }
    Ok(missing)
}

async fn request_judgement(db: &mut AnyConnection, image: &str, now: i64) -> Result<(), Error> {
    let (pending, failed) = (State::Pending.word(), State::Failed.word());
    sqlx::query(
        "INSERT INTO judgements (digest, state, requested, attempts) VALUES ($1, $2, $3, 0) \
         ON CONFLICT (digest) DO UPDATE SET state = excluded.state, requested = excluded.requested, attempts = 0 \
         WHERE judgements.state = $4",
    )
    .bind(image)
    .bind(pending)
    .bind(now)
    .bind(failed)
    .execute(db)
    .await?;
    Ok(())
}

async fn missing(db: &mut AnyConnection, manifest: &NewManifest) -> Result<Missing, Error> {
    let mut missing = Missing::new();
    let blob = "SELECT 1 FROM blobs WHERE repository = $1 AND digest = $2";
    let child = "SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2";
    let wanted =
        (manifest.blobs.iter().map(|d| (d, blob))).chain(manifest.manifests.iter().map(|d| (d, child)));
    for (digest, sql) in wanted {
        let found: Option<i64> = sqlx::query_scalar(sql)
            .bind(&manifest.repository)
            .bind(digest.to_string())
            .fetch_optional(&mut *db)
            .await?;
        if found.is_none() {
            missing.push(digest.clone());
        }
    }
    Ok(missing)
}

/// Notes that a manifest points to something, and counts it where that is a blob.
async fn link(db: &mut AnyConnection, repository: &str, manifest: &str, target: &str) -> Result<(), Error> {
    let added = sqlx::query(
        "INSERT INTO links (repository, manifest, target) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(repository)
    .bind(manifest)
    .bind(target)
    .execute(&mut *db)
    .await?
    .rows_affected();
    if added > 0 {
        sqlx::query("UPDATE blobs SET links = links + 1 WHERE repository = $1 AND digest = $2")
            .bind(repository)
            .bind(target)
            .execute(db)
            .await?;
    }
    Ok(())
}

pub(super) async fn remove_manifest(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
) -> Result<bool, Error> {
    let now = milliseconds(Timestamp::now());
    let removed = sqlx::query("DELETE FROM manifests WHERE repository = $1 AND digest = $2")
        .bind(repository)
        .bind(digest)
        .execute(&mut *db)
        .await?
        .rows_affected();
    if removed == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE blobs SET links = links - 1, touched = $1 WHERE repository = $2 AND digest IN \
         (SELECT target FROM links WHERE repository = $2 AND manifest = $3)",
    )
    .bind(now)
    .bind(repository)
    .bind(digest)
    .execute(&mut *db)
    .await?;
    for sql in [
        "DELETE FROM tags WHERE repository = $1 AND digest = $2",
        "DELETE FROM links WHERE repository = $1 AND manifest = $2",
    ] {
        sqlx::query(sql).bind(repository).bind(digest).execute(&mut *db).await?;
    }
    release(db, digest, now).await?;
    forget_judgement(db, digest).await?;
    Ok(true)
}

/// Nothing is said of an image that no repository has.
async fn forget_judgement(db: &mut AnyConnection, digest: &str) -> Result<(), Error> {
    let elsewhere: Option<i64> = sqlx::query_scalar("SELECT 1 FROM manifests WHERE digest = $1 LIMIT 1")
        .bind(digest)
        .fetch_optional(&mut *db)
        .await?;
    if elsewhere.is_none() {
        for sql in ["DELETE FROM hits WHERE digest = $1", "DELETE FROM judgements WHERE digest = $1"] {
            sqlx::query(sql).bind(digest).execute(&mut *db).await?;
        }
    }
    Ok(())
}
