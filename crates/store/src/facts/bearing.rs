//! What bears on the verdict about an image besides its bytes: what is attached to it, and to indexes that list it.
//!
//! Every change of that is counted in the transaction that makes it ([`changed`]); the verdict says how much of it it heeded.
//! So nothing is lost when a process dies between a change and the next judgement, and a gate sees at once that a verdict is
//! not current any more.

use std::collections::HashMap;

use boltseal_model::{Base, Digest, Ignored, Signature, VexDocument};
use serde::{Deserialize, Serialize};
use sqlx::{AnyConnection, Row as _};

use super::{Attached, Facts, attached, digest, judgements, signed, sql::Query};
use crate::Error;

/// Attachments of one image that are looked at, the newest first. An image that is signed at every build of a year has some
/// hundred.
const MAX_ATTACHED: u64 = 500;
/// Indexes that list one image and are asked about: an image is a part of a few.
const MAX_INDEXES: u64 = 50;
/// Digests that one statement asks for.
const ASKED: usize = 500;
/// Tags by which cosign attaches what it signs.
const SUFFIXES: [&str; 2] = [".sig", ".att"];

/// What a verdict was made with, besides findings.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    /// Whose signatures there are; absent where no rule asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signatures: Option<Vec<Signature>>,
    /// What it was built on; absent where no rule asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bases: Option<Vec<Base>>,
    /// Findings that do no harm, says somebody who is believed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignored: Vec<Ignored>,
    /// VEX documents that are attached, and whether they count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub vex: Vec<VexDocument>,
}

/// What is known of an image before it is judged.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bearing {
    /// How often what is attached changed: to be given back with the verdict.
    pub changes: u64,
    /// Digest of the policy that the last verdict was made with.
    pub policy: Option<String>,
    /// What the last verdict was made with, unless something changed since.
    pub claims: Option<Claims>,
}

impl Claims {
    /// Whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Facts {
    /// What is known of these images; those that are not stored are left out.
    pub async fn bearing(&self, images: &[Digest]) -> Result<HashMap<Digest, Bearing>, Error> {
        let mut found = HashMap::with_capacity(images.len());
        for some in images.chunks(ASKED) {
            let mut query = Query::new(
                "SELECT digest, attached, policy_digest, CASE WHEN attached = heeded THEN claims END AS claims \
                 FROM judgements WHERE digest IN (",
            );
            query.push_list(some.iter().map(ToString::to_string));
            query.push(")");
            for row in query.build().fetch_all(&self.readers).await? {
                let claims: Option<Vec<u8>> = row.try_get("claims")?;
                let claims =
                    claims.map(|bytes| judgements::unpack("judgements.claims", &bytes)).transpose()?;
                let changes = super::count("judgements.attached", row.try_get("attached")?)?;
                let bearing = Bearing { changes, policy: row.try_get("policy_digest")?, claims };
                found.insert(digest("judgements.digest", row.try_get("digest")?)?, bearing);
            }
        }
        Ok(found)
    }

    /// What is attached to an image itself or to an index that lists it, each with its subject; nothing that is attached to
    /// those. Of each repository the newest first, repositories in turn.
    pub async fn bearing_on(&self, image: &Digest) -> Result<Vec<(Digest, Attached)>, Error> {
        let mut subjects = vec![image.clone()];
        subjects.extend(self.indexes_of(image).await?);
        self.attached_to_any(&subjects).await
    }

    /// What is attached to any of these, each with its subject, in the same order.
    pub async fn attached_to_any(&self, subjects: &[Digest]) -> Result<Vec<(Digest, Attached)>, Error> {
        if subjects.is_empty() {
            return Ok(Vec::new());
        }
        self.attached_directly(subjects, signed(MAX_ATTACHED)).await
    }

    /// Indexes that list an image.
    pub async fn indexes_of(&self, image: &Digest) -> Result<Vec<Digest>, Error> {
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT m.digest FROM manifests c JOIN links l ON l.repository = c.repository \
             AND l.target = c.digest JOIN manifests m ON m.repository = l.repository AND m.digest = l.manifest \
             WHERE c.digest = $1 AND m.kind = 'index' ORDER BY m.digest LIMIT $2",
        )
        .bind(image.to_string())
        .bind(signed(MAX_INDEXES))
        .fetch_all(&self.readers)
        .await?;
        names.iter().map(|name| digest("manifests.digest", name)).collect()
    }

    /// Images about which something changed that their verdict has not heeded.
    pub async fn unheeded(&self, limit: u64) -> Result<Vec<Digest>, Error> {
        let names: Vec<String> = sqlx::query_scalar(
            "SELECT digest FROM judgements WHERE attached <> heeded AND state = 'judged' ORDER BY digest LIMIT $1",
        )
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        names.iter().map(|name| digest("judgements.digest", name)).collect()
    }

    /// Images that are refused and whose layers begin with these, without having only these.
    pub async fn refused_on(&self, layers: &[Digest], limit: u64) -> Result<Vec<Digest>, Error> {
        let names: Vec<String> = layers.iter().map(|layer| format!("\"{layer}\"")).collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<String> = sqlx::query_scalar(
            "SELECT j.digest FROM judgements j JOIN about a ON a.digest = j.digest WHERE j.state = 'judged' \
             AND j.decision IN ('deny', 'unknown') AND a.layers LIKE $1 ORDER BY j.digest LIMIT $2",
        )
        .bind(format!("[{},%", names.join(",")))
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        found.iter().map(|name| digest("judgements.digest", name)).collect()
    }

    /// Repositories that hold a manifest now.
    pub async fn holding(&self, manifest: &Digest, limit: u64) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT repository FROM manifests WHERE digest = $1 ORDER BY repository LIMIT $2")
            .bind(manifest.to_string())
            .bind(signed(limit))
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }
}

/// Counts a change of what is attached to `subjects`: for each that is an image, and for the images that each lists.
pub(super) async fn changed(db: &mut AnyConnection, subjects: Vec<String>) -> Result<(), Error> {
    let mut all = subjects;
    // What signs a document that is attached to an image is about the image, too.
    for place in 0..all.len() {
        let Some(name) = all.get(place) else { break };
        let sql = "SELECT DISTINCT subject FROM manifests WHERE digest = $1 AND subject IS NOT NULL";
        let above: Vec<String> = sqlx::query_scalar(sql).bind(name).fetch_all(&mut *db).await?;
        all.extend(above);
    }
    for subject in all {
        sqlx::query(
            "UPDATE judgements SET attached = attached + 1 WHERE digest = $1 OR digest IN \
             (SELECT l.target FROM manifests m JOIN links l ON l.repository = m.repository \
             AND l.manifest = m.digest WHERE m.digest = $1 AND m.kind = 'index')",
        )
        .bind(subject)
        .execute(&mut *db)
        .await?;
    }
    Ok(())
}

/// Counts what the manifest `name`, which is stored, speaks about: its subject, what its tags name, and where it is an index
/// that something is attached to, what it lists.
pub(super) async fn changed_by(db: &mut AnyConnection, repository: &str, name: &str) -> Result<(), Error> {
    let row: Option<(String, Option<String>)> =
        sqlx::query_as("SELECT kind, subject FROM manifests WHERE repository = $1 AND digest = $2")
            .bind(repository)
            .bind(name)
            .fetch_optional(&mut *db)
            .await?;
    let Some((kind, subject)) = row else { return Ok(()) };
    let mut about: Vec<String> = subject.into_iter().collect();
    let sql = "SELECT tag FROM tags WHERE repository = $1 AND digest = $2 AND tag LIKE 'sha%'";
    let tags: Vec<String> = sqlx::query_scalar(sql).bind(repository).bind(name).fetch_all(&mut *db).await?;
    about.extend(tags.iter().filter_map(|tag| spoken_of(tag)));
    if kind == "index" && speaks(db, name).await? {
        about.push(name.to_owned());
    }
    changed(db, about).await
}

/// Whether anything is attached to the manifest.
async fn speaks(db: &mut AnyConnection, name: &str) -> Result<bool, Error> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM manifests WHERE subject = $1 LIMIT 1")
        .bind(name)
        .fetch_optional(&mut *db)
        .await?;
    if found.is_some() {
        return Ok(true);
    }
    let stem = name.replace(':', "-");
    let [first, second] = SUFFIXES.map(|suffix| format!("{stem}{suffix}"));
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM tags WHERE tag IN ($1, $2) LIMIT 1")
        .bind(first)
        .bind(second)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

/// The digest that a tag of cosign's older form attaches something to.
pub(super) fn spoken_of(tag: &str) -> Option<String> {
    let stem = SUFFIXES.iter().find_map(|suffix| tag.strip_suffix(suffix))?;
    let (algorithm, hex) = stem.split_once('-')?;
    let name = format!("{algorithm}:{hex}");
    name.parse::<Digest>().ok().map(|digest| digest.to_string())
}

impl Facts {
    async fn attached_directly(
        &self,
        subjects: &[Digest],
        limit: i64,
    ) -> Result<Vec<(Digest, Attached)>, Error> {
        // Tags first: there are few, and what is cut off is cut off at the end.
        let mut found = attached::by_tag(self, subjects).await?;
        found.extend(attached::by_subject(self, subjects, limit).await?);
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_cosign_name_a_digest() {
        let hex = "ab".repeat(32);
        for (tag, expected) in [
            (format!("sha256-{hex}.sig"), Some(format!("sha256:{hex}"))),
            (format!("sha256-{hex}.att"), Some(format!("sha256:{hex}"))),
            (format!("sha256-{hex}.sbom"), None),
            (format!("sha256-{hex}"), None),
            ("v1.sig".to_owned(), None),
            (format!("sha256-{}.sig", &hex[1..]), None),
        ] {
            assert_eq!(spoken_of(&tag), expected, "{tag}");
        }
    }
}
