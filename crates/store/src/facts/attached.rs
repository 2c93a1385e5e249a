//! What was attached to an image: signatures, bills of materials, attestations, and what was attached to those.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_model::{Digest, Timestamp};
use sqlx::{Row as _, any::AnyRow};

use super::{Facts, count, digest, sql::Query, time};
use crate::Error;

/// How deep one is attached to another: a signature of an attestation of an image is two deep.
const MAX_DEPTH: usize = 4;
/// How many are given altogether; a page of more says nothing to anybody.
const MAX_ATTACHED: usize = 500;
/// Digests that one statement asks for.
const ASKED: usize = 200;
/// Names of tags by which clients attached things before registries knew subjects: `sha256-HEX.sig`.
const SUFFIXES: [&str; 3] = ["sig", "att", "sbom"];

/// A manifest that speaks about another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Name of the repository.
    pub repository: String,
    /// Of the manifest.
    pub digest: Digest,
    /// As pushed.
    pub media_type: String,
    /// What it is: `application/vnd.dev.sigstore.bundle.v0.3+json`, …
    pub artifact_type: Option<String>,
    /// Bytes of what it points to.
    pub size: u64,
    /// When it was pushed last.
    pub pushed: Timestamp,
    /// The tag that attaches it, where it does not name its subject itself.
    pub tag: Option<String>,
    /// JSON object, as pushed.
    pub annotations: Option<String>,
    /// What speaks about this one.
    pub attached: Vec<Self>,
}

impl Facts {
    /// What speaks about a manifest, in any repository, by repository and digest.
    pub async fn attached(&self, subject: &Digest) -> Result<Vec<Attached>, Error> {
        let mut by_subject: BTreeMap<Digest, Vec<Attached>> = BTreeMap::new();
        let mut seen = BTreeSet::from([subject.clone()]);
        let mut level = vec![subject.clone()];
        for _ in 0..MAX_DEPTH {
            let mut next = Vec::new();
            for some in level.chunks(ASKED) {
                for (of, attached) in self.attached_to(some).await? {
                    // A digest cannot be in what it is the digest of, but tags go round in circles.
                    if seen.len() <= MAX_ATTACHED && seen.insert(attached.digest.clone()) {
                        next.push(attached.digest.clone());
                        by_subject.entry(of).or_default().push(attached);
                    }
                }
            }
            level = next;
        }
        Ok(grown(subject, &mut by_subject))
    }

    /// What a manifest speaks about, where that is stored.
    pub async fn subject_of(&self, manifest: &Digest) -> Result<Option<Digest>, Error> {
        let found: Option<String> = sqlx::query_scalar(
            "SELECT m.subject FROM manifests m JOIN manifests s ON s.repository = m.repository \
             AND s.digest = m.subject WHERE m.digest = $1 LIMIT 1",
        )
        .bind(manifest.to_string())
        .fetch_optional(&self.readers)
        .await?;
        found.map(|name| digest("manifests.subject", &name)).transpose()
    }

    async fn attached_to(&self, subjects: &[Digest]) -> Result<Vec<(Digest, Attached)>, Error> {
        let mut found = by_subject(self, subjects, i64::MAX).await?;
        found.extend(by_tag(self, subjects).await?);
        found.sort_by(|(_, a), (_, b)| (&a.repository, &a.digest).cmp(&(&b.repository, &b.digest)));
        Ok(found)
    }
}

/// What names one of `subjects` itself: of each repository the newest first, and repositories in turn, so that whoever fills
/// one does not hide what is in another.
pub(super) async fn by_subject(
    facts: &Facts,
    subjects: &[Digest],
    limit: i64,
) -> Result<Vec<(Digest, Attached)>, Error> {
    let mut query = Query::new(COLUMNS);
    query.push("m.subject AS of_what, '' AS tag FROM manifests m WHERE m.subject IN (");
    query.push_list(subjects.iter().map(ToString::to_string));
    query.push(
        ") ORDER BY ROW_NUMBER() OVER (PARTITION BY m.repository ORDER BY m.pushed_at DESC, m.digest), \
         m.repository LIMIT ",
    );
    query.push_bind(limit);
    let mut found = Vec::new();
    for row in query.build().fetch_all(&facts.readers).await? {
        found.push((digest("manifests.subject", row.try_get("of_what")?)?, read(&row, None)?));
    }
    Ok(found)
}

/// What a tag attaches to one of `subjects`.
pub(super) async fn by_tag(facts: &Facts, subjects: &[Digest]) -> Result<Vec<(Digest, Attached)>, Error> {
    let tags: BTreeMap<String, &Digest> = subjects.iter().flat_map(names).collect();
    let mut query = Query::new(COLUMNS);
    query.push(
        "t.tag AS of_what, t.tag AS tag FROM tags t JOIN manifests m ON m.repository = t.repository \
         AND m.digest = t.digest WHERE m.kind = 'artifact' AND m.subject IS NULL AND t.tag IN (",
    );
    query.push_list(tags.keys().cloned());
    query.push(") ORDER BY m.repository, m.digest");
    let mut found = Vec::new();
    for row in query.build().fetch_all(&facts.readers).await? {
        let tag: String = row.try_get("tag")?;
        let Some(of) = tags.get(&tag) else { continue };
        found.push(((*of).clone(), read(&row, Some(tag))?));
    }
    Ok(found)
}

const COLUMNS: &str = "SELECT m.repository, m.digest, m.media_type, m.artifact_type, m.content_size, m.pushed_at, \
                       m.annotations, ";

fn names(of: &Digest) -> impl Iterator<Item = (String, &Digest)> {
    let name = of.to_string().replace(':', "-");
    SUFFIXES.into_iter().map(move |suffix| (format!("{name}.{suffix}"), of))
}

/// Every one is below one subject only, so this ends.
fn grown(subject: &Digest, by_subject: &mut BTreeMap<Digest, Vec<Attached>>) -> Vec<Attached> {
    let mut attached = by_subject.remove(subject).unwrap_or_default();
    for one in &mut attached {
        one.attached = grown(&one.digest, by_subject);
    }
    attached
}

fn read(row: &AnyRow, tag: Option<String>) -> Result<Attached, Error> {
    Ok(Attached {
        repository: row.try_get("repository")?,
        digest: digest("manifests.digest", row.try_get("digest")?)?,
        media_type: row.try_get("media_type")?,
        artifact_type: row.try_get("artifact_type")?,
        size: count("manifests.content_size", row.try_get("content_size")?)?,
        pushed: time("manifests.pushed_at", row.try_get("pushed_at")?)?,
        tag,
        annotations: row.try_get("annotations")?,
        attached: Vec::new(),
    })
}
