//! What a repository has, in the words that rules about keeping and deleting speak in; and what moves tags left behind.

use std::collections::{HashMap, HashSet};

use boltseal_model::{Digest, Timestamp};
use sqlx::Row as _;

use super::{Facts, count, digest, milliseconds, signed, time};
use crate::Error;

/// A manifest of a repository, for deciding whether it stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptManifest {
    /// Of the exact bytes.
    pub digest: Digest,
    /// Bytes of the manifest and of what it points to.
    pub size: u64,
    /// Names that point to it, sorted.
    pub tags: Vec<String>,
    /// When it was pushed last.
    pub pushed: Timestamp,
    /// When it was pulled last, if ever.
    pub pulled: Option<Timestamp>,
    /// Since when its verdict has been deny, if it is.
    pub denied: Option<Timestamp>,
    /// The manifest it speaks about.
    pub subject: Option<Digest>,
    /// Manifests that it points to.
    pub children: Vec<Digest>,
    /// Somebody forbade to delete it, or one of its tags, or anything of the repository.
    pub locked: bool,
}

impl Facts {
    /// All manifests of a repository, at most `limit`, in order of their digest.
    pub async fn kept_manifests(&self, repository: &str, limit: u64) -> Result<Vec<KeptManifest>, Error> {
        let rows = sqlx::query(
            "SELECT m.digest, m.size, m.content_size, m.pushed_at, m.subject, \
             CASE WHEN m.kind = 'image' AND j.decision = 'deny' THEN j.decided END AS denied \
             FROM manifests m LEFT JOIN judgements j ON j.digest = m.digest WHERE m.repository = $1 \
             ORDER BY m.digest LIMIT $2",
        )
        .bind(repository)
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        let mut tags =
            self.pairs("SELECT digest, tag FROM tags WHERE repository = $1 ORDER BY tag", repository).await?;
        let mut children = self
            .pairs(
                "SELECT l.manifest, l.target FROM links l JOIN manifests c ON c.repository = l.repository \
                 AND c.digest = l.target WHERE l.repository = $1 ORDER BY l.target",
                repository,
            )
            .await?;
        let locked = self.undeletable(repository).await?;
        let pulled: HashMap<Digest, Timestamp> = self.last_pulls(repository).await?.into_iter().collect();
        rows.iter()
            .map(|row| {
                let name: String = row.try_get("digest")?;
                let (denied, subject): (Option<i64>, Option<String>) =
                    (row.try_get("denied")?, row.try_get("subject")?);
                let digest = digest("manifests.digest", &name)?;
                let size = count("manifests.size", row.try_get("size")?)?;
                let content = count("manifests.content_size", row.try_get("content_size")?)?;
                let children = children.remove(&name).unwrap_or_default();
                let tags = tags.remove(&name).unwrap_or_default();
                Ok(KeptManifest {
                    size: size.saturating_add(content),
                    locked: locked.contains("")
                        || locked.contains(&name)
                        || tags.iter().any(|tag| locked.contains(tag)),
                    tags,
                    pushed: time("manifests.pushed_at", row.try_get("pushed_at")?)?,
                    pulled: pulled.get(&digest).copied(),
                    denied: denied.map(|value| time("judgements.decided", value)).transpose()?,
                    subject: subject.and_then(|text| text.parse().ok()),
                    children: children.iter().filter_map(|text| text.parse().ok()).collect(),
                    digest,
                })
            })
            .collect()
    }

    /// Whether a manifest still is as it was when a plan was made of it: not pushed, pulled or named since.
    pub async fn is_as_kept(&self, repository: &str, kept: &KeptManifest) -> Result<bool, Error> {
        let row: Option<(i64, Option<i64>)> = sqlx::query_as(
            "SELECT m.pushed_at, (SELECT MAX(p.last_pull) FROM pulls p WHERE p.repository = m.repository \
             AND p.digest = m.digest) FROM manifests m WHERE m.repository = $1 AND m.digest = $2",
        )
        .bind(repository)
        .bind(kept.digest.to_string())
        .fetch_optional(&self.readers)
        .await?;
        let same = (milliseconds(kept.pushed), kept.pulled.map(milliseconds));
        Ok(row == Some(same) && self.tags_of(repository, &kept.digest).await? == kept.tags)
    }

    /// Names of tags and digests of a repository that must not be deleted; an empty one stands for all of it.
    async fn undeletable(&self, repository: &str) -> Result<HashSet<String>, Error> {
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT name FROM locks WHERE repository = $1 AND (can_delete = 0 OR can_write = 0)",
        )
        .bind(repository)
        .fetch_all(&self.readers)
        .await?;
        Ok(names.into_iter().collect())
    }

    /// Pairs of texts, gathered by the first.
    async fn pairs(
        &self,
        sql: &'static str,
        repository: &str,
    ) -> Result<HashMap<String, Vec<String>>, Error> {
        let rows: Vec<(String, String)> =
            sqlx::query_as(sql).bind(repository).fetch_all(&self.readers).await?;
        let mut gathered: HashMap<String, Vec<String>> = HashMap::new();
        for (first, second) in rows {
            gathered.entry(first).or_default().push(second);
        }
        Ok(gathered)
    }
}
