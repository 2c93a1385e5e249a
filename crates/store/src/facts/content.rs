//! Repositories, manifests and tags: what the distribution API is about.

mod change;

use boltseal_model::{Digest, Platform, Timestamp};
use sqlx::{Row as _, any::AnyRow};

use super::{
    About, Facts, Kind, Pusher, Topic, count, digest,
    life::{self, Locked},
    milliseconds, signed,
    sql::Query,
};
use crate::Error;
pub(super) use change::{
    add_repository, link, point_tags, put_manifest, remove_manifest, request_judgement, tags_before,
};
use change::{remove_tag, store_manifest};

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
    /// What it and its configuration say, where that can be read.
    pub about: Option<About>,
    /// Blobs that the repository must have.
    pub blobs: Vec<Digest>,
    /// Manifests that the repository must have.
    pub manifests: Vec<Digest>,
    /// Tags to point to it.
    pub tags: Vec<String>,
    /// Who pushes it; nobody where it comes from another registry.
    pub by: Option<Pusher>,
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
            .run_if(
                move |db| Box::pin(store_manifest(db, manifest)),
                |done| done.as_ref().is_ok_and(Vec::is_empty),
            )
            .await?
            .map_err(Error::Refused)
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

    /// What an index points to, as far as it is stored: in one repository, or else in any. At most `limit` of them.
    pub async fn pointed_to(
        &self,
        repository: Option<&str>,
        index: &Digest,
        limit: u64,
    ) -> Result<Vec<(Digest, Kind)>, Error> {
        let mut query = Query::new(
            "SELECT DISTINCT m.digest, m.kind FROM manifests i JOIN links l ON l.repository = i.repository \
             AND l.manifest = i.digest JOIN manifests m ON m.repository = l.repository AND m.digest = l.target \
             WHERE i.digest = ",
        );
        query.push_bind(index.to_string());
        if let Some(repository) = repository {
            query.push(" AND i.repository = ").push_bind(repository.to_owned());
        }
        query.push(" LIMIT ").push_bind(signed(limit));
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                Ok((digest("manifests.digest", row.try_get("digest")?)?, Kind::read(row.try_get("kind")?)?))
            })
            .collect()
    }

    /// What a manifest is, wherever it is stored.
    pub async fn kind(&self, wanted: &Digest) -> Result<Option<Kind>, Error> {
        let found: Option<String> =
            sqlx::query_scalar("SELECT kind FROM manifests WHERE digest = $1 LIMIT 1")
                .bind(wanted.to_string())
                .fetch_optional(&self.readers)
                .await?;
        found.map(|text| Kind::read(&text)).transpose()
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

    /// Takes a manifest and its tags out of a repository; false when it was not there. It stays in the trash for as long
    /// as [`Facts::trash_days`] says; then what only it pointed to goes with the next collection of garbage.
    pub async fn remove_manifest(&self, repository: &str, wanted: &Digest) -> Result<bool, Error> {
        self.remove_manifest_by("", repository, wanted).await
    }

    /// The same, with the name of whoever does it for the list of what is in the trash.
    pub async fn remove_manifest_by(
        &self,
        by: &str,
        repository: &str,
        wanted: &Digest,
    ) -> Result<bool, Error> {
        let (by, repository, wanted) = (by.to_owned(), repository.to_owned(), wanted.clone());
        let now = milliseconds(Timestamp::now());
        self.writer
            .touching(Topic::Repository(repository.clone()))
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let target = Locked::Manifest(wanted.clone());
                        if let Some(refusal) = life::against_removal(db, &repository, &target).await? {
                            return Err(refusal.into());
                        }
                        life::remove(db, &repository, &wanted.to_string(), &by, now).await
                    })
                },
                |removed| *removed,
            )
            .await
    }

    /// Removes a tag; false when there was none. For as long as [`Facts::trash_days`] says, it can be taken back.
    pub async fn remove_tag(&self, repository: &str, tag: &str) -> Result<bool, Error> {
        let (repository, tag) = (repository.to_owned(), tag.to_owned());
        let now = milliseconds(Timestamp::now());
        self.writer
            .touching(Topic::Repository(repository.clone()))
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let target = Locked::Tag(tag.clone());
                        if let Some(refusal) = life::against_removal(db, &repository, &target).await? {
                            return Err(refusal.into());
                        }
                        remove_tag(db, &repository, &tag, now).await
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
