//! What is known about repositories, tags and manifests, in lists as ACR's API gives them; and what somebody decided
//! about an image whatever its verdict says.

use boltseal_model::{Digest, Platform, Timestamp};

use super::{Document, Facts, Kind, Topic, count, digest, signed, time};
use crate::Error;

/// The kind of document that holds a decision.
const QUARANTINE: &str = "registry.quarantine";

/// A repository in a few numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepositoryAttributes {
    /// When something was first stored under this name.
    pub created: Timestamp,
    /// When a tag was moved or a manifest pushed last.
    pub updated: Timestamp,
    /// How many.
    pub manifests: u64,
    /// How many.
    pub tags: u64,
}

/// A tag and what it points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagAttributes {
    /// The tag.
    pub name: String,
    /// Of the manifest.
    pub digest: Digest,
    /// When it was set last.
    pub updated: Timestamp,
}

/// A manifest and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManifestAttributes {
    /// Of the exact bytes.
    pub digest: Digest,
    /// As sent.
    pub media_type: String,
    /// Bytes of the manifest.
    pub size: u64,
    /// Bytes of what it points to.
    pub content_size: u64,
    /// What it is for.
    pub kind: Kind,
    /// What it runs on, where its configuration says so.
    pub platform: Option<Platform>,
    /// When it was pushed last.
    pub pushed: Timestamp,
    /// Sorted.
    pub tags: Vec<String>,
}

/// The order of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AttributeOrder {
    /// By tag, or by digest.
    #[default]
    Name,
    /// What changed first comes first.
    Oldest,
    /// What changed last comes first.
    Newest,
}

/// Which part of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttributePage<'a> {
    /// What comes first.
    pub order: AttributeOrder,
    /// The tag or digest after which it begins; empty for the beginning.
    pub last: &'a str,
    /// How many at most.
    pub limit: u64,
}

type ManifestRow = (String, String, i64, i64, String, Option<String>, i64);

impl Facts {
    /// A repository in a few numbers, if anything was ever stored there.
    pub async fn attributes_of_repository(&self, name: &str) -> Result<Option<RepositoryAttributes>, Error> {
        let row: Option<(i64, i64, i64, i64, i64)> = sqlx::query_as(
            "SELECT r.created, \
             (SELECT CAST(COUNT(*) AS BIGINT) FROM manifests m WHERE m.repository = r.name), \
             (SELECT CAST(COUNT(*) AS BIGINT) FROM tags t WHERE t.repository = r.name), \
             (SELECT CAST(COALESCE(MAX(m.pushed_at), 0) AS BIGINT) FROM manifests m WHERE m.repository = r.name), \
             (SELECT CAST(COALESCE(MAX(t.updated), 0) AS BIGINT) FROM tags t WHERE t.repository = r.name) \
             FROM repositories r WHERE r.name = $1",
        )
        .bind(name)
        .fetch_optional(&self.readers)
        .await?;
        let Some((created, manifests, tags, pushed, tagged)) = row else { return Ok(None) };
        Ok(Some(RepositoryAttributes {
            created: time("repositories.created", created)?,
            updated: time("manifests.pushed_at", created.max(pushed).max(tagged))?,
            manifests: count("manifests", manifests)?,
            tags: count("tags", tags)?,
        }))
    }

    /// Tags of a repository, those of one manifest where it is given.
    pub async fn tag_attributes(
        &self,
        repository: &str,
        of: Option<&Digest>,
        page: AttributePage<'_>,
    ) -> Result<Vec<TagAttributes>, Error> {
        let sql = match page.order {
            AttributeOrder::Name => {
                "SELECT tag, digest, updated FROM tags WHERE repository = $1 AND ($2 = '' OR digest = $2) \
                 AND tag > $3 ORDER BY tag LIMIT $4"
            }
            AttributeOrder::Oldest => {
                "SELECT tag, digest, updated FROM tags WHERE repository = $1 AND ($2 = '' OR digest = $2) \
                 AND ($3 = '' OR (updated, tag) > (SELECT l.updated, l.tag FROM tags l \
                    WHERE l.repository = $1 AND l.tag = $3)) \
                 ORDER BY updated, tag LIMIT $4"
            }
            AttributeOrder::Newest => {
                "SELECT tag, digest, updated FROM tags WHERE repository = $1 AND ($2 = '' OR digest = $2) \
                 AND ($3 = '' OR (updated, tag) < (SELECT l.updated, l.tag FROM tags l \
                    WHERE l.repository = $1 AND l.tag = $3)) \
                 ORDER BY updated DESC, tag DESC LIMIT $4"
            }
        };
        let rows: Vec<(String, String, i64)> = sqlx::query_as(sql)
            .bind(repository)
            .bind(of.map(ToString::to_string).unwrap_or_default())
            .bind(page.last)
            .bind(signed(page.limit))
            .fetch_all(&self.readers)
            .await?;
        let read = |(name, text, updated): (String, String, i64)| {
            let digest = digest("tags.digest", &text)?;
            Ok(TagAttributes { name, digest, updated: time("tags.updated", updated)? })
        };
        rows.into_iter().map(read).collect()
    }

    /// One tag.
    pub async fn attributes_of_tag(
        &self,
        repository: &str,
        tag: &str,
    ) -> Result<Option<TagAttributes>, Error> {
        let row: Option<(String, i64)> =
            sqlx::query_as("SELECT digest, updated FROM tags WHERE repository = $1 AND tag = $2")
                .bind(repository)
                .bind(tag)
                .fetch_optional(&self.readers)
                .await?;
        let Some((text, updated)) = row else { return Ok(None) };
        let digest = digest("tags.digest", &text)?;
        Ok(Some(TagAttributes { name: tag.to_owned(), digest, updated: time("tags.updated", updated)? }))
    }

    /// Manifests of a repository.
    pub async fn manifest_attributes(
        &self,
        repository: &str,
        page: AttributePage<'_>,
    ) -> Result<Vec<ManifestAttributes>, Error> {
        let sql = match page.order {
            AttributeOrder::Name => {
                "SELECT digest, media_type, size, content_size, kind, platform, pushed_at FROM manifests \
                 WHERE repository = $1 AND digest > $2 ORDER BY digest LIMIT $3"
            }
            AttributeOrder::Oldest => {
                "SELECT digest, media_type, size, content_size, kind, platform, pushed_at FROM manifests \
                 WHERE repository = $1 AND ($2 = '' OR (pushed_at, digest) > (SELECT l.pushed_at, l.digest \
                    FROM manifests l WHERE l.repository = $1 AND l.digest = $2)) \
                 ORDER BY pushed_at, digest LIMIT $3"
            }
            AttributeOrder::Newest => {
                "SELECT digest, media_type, size, content_size, kind, platform, pushed_at FROM manifests \
                 WHERE repository = $1 AND ($2 = '' OR (pushed_at, digest) < (SELECT l.pushed_at, l.digest \
                    FROM manifests l WHERE l.repository = $1 AND l.digest = $2)) \
                 ORDER BY pushed_at DESC, digest DESC LIMIT $3"
            }
        };
        let rows: Vec<ManifestRow> = sqlx::query_as(sql)
            .bind(repository)
            .bind(page.last)
            .bind(signed(page.limit))
            .fetch_all(&self.readers)
            .await?;
        let mut found = Vec::with_capacity(rows.len());
        for row in rows {
            found.push(self.complete(repository, row).await?);
        }
        Ok(found)
    }

    /// One manifest.
    pub async fn attributes_of_manifest(
        &self,
        repository: &str,
        wanted: &Digest,
    ) -> Result<Option<ManifestAttributes>, Error> {
        let row: Option<ManifestRow> = sqlx::query_as(
            "SELECT digest, media_type, size, content_size, kind, platform, pushed_at FROM manifests \
             WHERE repository = $1 AND digest = $2",
        )
        .bind(repository)
        .bind(wanted.to_string())
        .fetch_optional(&self.readers)
        .await?;
        match row {
            Some(row) => self.complete(repository, row).await.map(Some),
            None => Ok(None),
        }
    }

    async fn complete(&self, repository: &str, row: ManifestRow) -> Result<ManifestAttributes, Error> {
        let (text, media_type, size, content_size, kind, platform, pushed) = row;
        let digest = digest("manifests.digest", &text)?;
        let tags = self.tags_of(repository, &digest).await?;
        Ok(ManifestAttributes {
            digest,
            media_type,
            size: count("manifests.size", size)?,
            content_size: count("manifests.content_size", content_size)?,
            kind: Kind::read(&kind)?,
            platform: platform.and_then(|text| text.parse().ok()),
            pushed: time("manifests.pushed_at", pushed)?,
            tags,
        })
    }

    /// What somebody decided about a manifest of a repository, whatever its verdict says. Whoever writes it knows how
    /// to read it.
    pub async fn quarantine(&self, repository: &str, manifest: &Digest) -> Result<Option<String>, Error> {
        sqlx::query_scalar("SELECT body FROM documents WHERE kind = $1 AND id = $2")
            .bind(QUARANTINE)
            .bind(format!("{repository}@{manifest}"))
            .fetch_optional(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// The same in every repository that has the manifest.
    pub async fn quarantines(&self, manifest: &Digest) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(
            "SELECT d.body FROM manifests m JOIN documents d ON d.kind = $1 AND d.id = m.repository || '@' || m.digest \
             WHERE m.digest = $2",
        )
        .bind(QUARANTINE)
        .bind(manifest.to_string())
        .fetch_all(&self.readers)
        .await
        .map_err(Error::from)
    }

    /// Writes such a decision down, or takes it back.
    pub async fn set_quarantine(
        &self,
        repository: &str,
        manifest: &Digest,
        body: Option<String>,
    ) -> Result<(), Error> {
        let id = format!("{repository}@{manifest}");
        self.change(Topic::Verdicts, vec![Document { kind: QUARANTINE.to_owned(), id, body }]).await
    }
}
