//! What is asked about images that may have grown old: all of them, part by part, and the names of what they were built
//! on.

use std::collections::BTreeMap;

use boltseal_model::{Digest, Timestamp};
use sqlx::Row as _;

use super::{Facts, digest, signed, sql::Query, time};
use crate::Error;

/// Manifests asked about at a time.
const ASKED: usize = 500;

/// A name of a manifest, or of an index that has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TagOf {
    /// Name of the repository.
    pub repository: String,
    /// The tag.
    pub tag: String,
    /// Whether it points there now; otherwise it did once.
    pub current: bool,
    /// What it points to now, and since when; nothing where the tag is gone.
    pub now: Option<(Digest, Timestamp)>,
}

impl Facts {
    /// Images by digest, after `last`, and when each was pushed last; whatever repositories hold it.
    pub async fn images_by_digest(&self, last: &str, limit: u64) -> Result<Vec<(Digest, Timestamp)>, Error> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT digest, MAX(pushed_at) FROM manifests WHERE kind = 'image' AND digest > $1 \
             GROUP BY digest ORDER BY digest LIMIT $2",
        )
        .bind(last)
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.into_iter()
            .map(|(name, pushed)| {
                Ok((digest("manifests.digest", &name)?, time("manifests.pushed_at", pushed)?))
            })
            .collect()
    }

    /// Repository and tag of every name that these manifests have now, also through an index that has them; sorted.
    pub async fn tags_now(&self, wanted: &[Digest]) -> Result<Vec<(Digest, String, String)>, Error> {
        let mut found = Vec::new();
        for some in wanted.chunks(ASKED) {
            let some: Vec<String> = some.iter().map(ToString::to_string).collect();
            let mut query = Query::new(
                "SELECT m.digest, t.repository, t.tag FROM manifests m \
                 JOIN tags t ON t.repository = m.repository AND t.digest = m.digest WHERE m.digest IN (",
            );
            query.push_list(some.iter().cloned());
            query.push(
                ") UNION SELECT m.digest, t.repository, t.tag FROM manifests m \
                 JOIN links l ON l.repository = m.repository AND l.target = m.digest \
                 JOIN tags t ON t.repository = l.repository AND t.digest = l.manifest WHERE m.digest IN (",
            );
            query.push_list(some.iter().cloned());
            query.push(")");
            for row in query.build().fetch_all(&self.readers).await? {
                let of = digest("manifests.digest", row.try_get(0)?)?;
                found.push((of, row.try_get(1)?, row.try_get(2)?));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Names that a manifest has or had, in any repository, also through an index that has it.
    pub async fn tags_ever(&self, wanted: &Digest) -> Result<Vec<TagOf>, Error> {
        let name = wanted.to_string();
        let mut held: Vec<(String, String)> = sqlx::query_as(
            "SELECT l.repository, l.manifest FROM manifests m JOIN links l ON l.repository = m.repository \
             AND l.target = m.digest WHERE m.digest = $1",
        )
        .bind(&name)
        .fetch_all(&self.readers)
        .await?;
        let homes: Vec<String> = sqlx::query_scalar("SELECT repository FROM manifests WHERE digest = $1")
            .bind(&name)
            .fetch_all(&self.readers)
            .await?;
        held.extend(homes.into_iter().map(|repository| (repository, name.clone())));
        // The current ones last, so that they count where a tag went away and came back.
        let mut found: BTreeMap<(String, String), TagOf> = BTreeMap::new();
        for (repository, manifest) in held {
            for (sql, current) in [
                (
                    "SELECT f.tag, t.digest, t.updated FROM former_tags f LEFT JOIN tags t \
                     ON t.repository = f.repository AND t.tag = f.tag WHERE f.repository = $1 AND f.digest = $2",
                    false,
                ),
                ("SELECT tag, digest, updated FROM tags WHERE repository = $1 AND digest = $2", true),
            ] {
                let rows =
                    sqlx::query(sql).bind(&repository).bind(&manifest).fetch_all(&self.readers).await?;
                for row in rows {
                    let tag: String = row.try_get("tag")?;
                    let (to, updated): (Option<String>, Option<i64>) =
                        (row.try_get("digest")?, row.try_get("updated")?);
                    let now = match (to, updated) {
                        (Some(to), Some(at)) => {
                            Some((digest("tags.digest", &to)?, time("tags.updated", at)?))
                        }
                        _ => None,
                    };
                    let of = TagOf { repository: repository.clone(), tag: tag.clone(), current, now };
                    let known = found.entry((repository.clone(), tag)).or_insert_with(|| of.clone());
                    if current {
                        *known = of;
                    }
                }
            }
        }
        Ok(found.into_values().collect())
    }

    /// What a tag points to, and since when; and whether that is `wanted` or an index that has it.
    pub async fn pointed(
        &self,
        repository: &str,
        tag: &str,
        wanted: &Digest,
    ) -> Result<Option<(Digest, Timestamp, bool)>, Error> {
        let row: Option<(String, i64, i64)> = sqlx::query_as(
            "SELECT t.digest, t.updated, CASE WHEN t.digest = $3 THEN 1 ELSE (SELECT CAST(COUNT(*) AS BIGINT) \
             FROM links l WHERE l.repository = t.repository AND l.manifest = t.digest AND l.target = $3) END \
             FROM tags t WHERE t.repository = $1 AND t.tag = $2",
        )
        .bind(repository)
        .bind(tag)
        .bind(wanted.to_string())
        .fetch_optional(&self.readers)
        .await?;
        let Some((name, updated, same)) = row else { return Ok(None) };
        Ok(Some((digest("tags.digest", &name)?, time("tags.updated", updated)?, same > 0)))
    }

    /// Which of these repositories have or had a manifest.
    pub async fn homes(&self, wanted: &Digest, among: &[String]) -> Result<Vec<String>, Error> {
        if among.is_empty() {
            return Ok(Vec::new());
        }
        let name = wanted.to_string();
        let mut query = Query::new("SELECT repository FROM manifests WHERE digest = ");
        query.push_bind(name.clone()).push(" AND repository IN (").push_list(among.iter().cloned());
        query.push(") UNION SELECT repository FROM former_tags WHERE digest = ").push_bind(name);
        query.push(" AND repository IN (").push_list(among.iter().cloned());
        query.push(")");
        query.scalar::<String>().fetch_all(&self.readers).await.map_err(Error::from)
    }
}
