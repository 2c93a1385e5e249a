//! The inventory of credentials: which ones lie in images, by fingerprint, and where. Values are not known here.

use boltseal_model::{Confidence, Digest, Fingerprint, Timestamp};
use serde::{Deserialize, Serialize};
use sqlx::{Row as _, any::AnyRow};

use super::{Facts, State, digest, signed, sql::Query, time};
use crate::Error;

mod write;

pub(super) use write::{Observed, forget};

/// Fingerprints that one statement asks for.
const ASKED: usize = 500;

/// A credential that lies, or lay, in an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// What it is recognised by.
    pub fingerprint: Fingerprint,
    /// The rule that found it.
    pub rule: String,
    /// What people call it.
    pub title: String,
    /// How sure it is, at its surest place.
    pub confidence: Confidence,
    /// Whether it belongs to published packages in every place: then it was public before.
    pub published: bool,
    /// When an image with it was looked at for the first time.
    pub first_seen: Timestamp,
    /// When the last of them was looked at, or deleted.
    pub last_seen: Timestamp,
}

/// One place of a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LeakRow {
    /// Of which credential.
    pub fingerprint: Fingerprint,
    /// A repository that has the image.
    pub repository: String,
    /// The image.
    pub digest: Digest,
    /// Where in it, in words.
    pub place: String,
    /// The layer that brought it; absent for what stands in the configuration.
    pub layer: Option<Digest>,
    /// Whether a later layer deleted or replaced the file.
    pub hidden: bool,
    /// The published package that the file belongs to.
    pub package: Option<String>,
}

/// Which credentials to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CredentialFilter {
    /// Part of the title or the rule, whatever its case, or the beginning of the fingerprint.
    pub text: Option<String>,
    /// Found by this rule.
    pub rule: Option<String>,
    /// At least this sure.
    pub confidence: Option<Confidence>,
    /// Also those that belong to published packages everywhere.
    pub published: bool,
    /// Only those that are in no image any more (`true`), or that are in one (`false`).
    pub gone: Option<bool>,
}

/// What was seen in an image besides packages and findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Having {
    /// Credentials, without those of published packages and doubtful ones.
    Secrets,
    /// Malware.
    Malware,
    /// Misconfigurations.
    Misconfigurations,
    /// Executables of no package.
    Unowned,
    /// A distribution whose support had ended by this moment, in milliseconds since 1970.
    Unsupported(i64),
    /// Credentials without fingerprints: an older version looked at it.
    Unrecognised,
}

/// How many images hold what, for the front page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observations {
    /// Different credentials in images, without those of published packages and doubtful ones.
    pub credentials: u64,
    /// Images with at least one of those.
    pub secrets: u64,
    /// Images with malware.
    pub malware: u64,
    /// Images of a distribution whose support has ended.
    pub unsupported: u64,
    /// Images whose credentials have no fingerprints: an older version looked at them.
    pub unrecognised: u64,
}

impl Facts {
    /// Credentials, the newest first, after one that was first seen then and has that fingerprint.
    pub async fn credentials(
        &self,
        filter: &CredentialFilter,
        after: Option<(i64, Fingerprint)>,
        limit: u64,
    ) -> Result<Vec<Credential>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push(" WHERE 1 = 1");
        restrict(&mut query, filter);
        if let Some((first_seen, fingerprint)) = after {
            query.push(" AND (c.first_seen < ").push_bind(first_seen);
            query.push(" OR (c.first_seen = ").push_bind(first_seen);
            query.push(" AND c.fingerprint > ").push_bind(fingerprint.to_string()).push("))");
        }
        query.push(" ORDER BY c.first_seen DESC, c.fingerprint LIMIT ").push_bind(signed(limit));
        query.build().fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// One of them.
    pub async fn credential(&self, wanted: Fingerprint) -> Result<Option<Credential>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push(" WHERE c.fingerprint = ").push_bind(wanted.to_string());
        query.build().fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// Where these lie, by fingerprint, repository and image; at most `limit` places.
    pub async fn leaks_of(&self, wanted: &[Fingerprint], limit: u64) -> Result<Vec<LeakRow>, Error> {
        let mut found = Vec::new();
        for some in wanted.chunks(ASKED) {
            let mut query = Query::new(
                "SELECT l.fingerprint, m.repository, l.digest, l.place, l.layer, l.hidden, l.package FROM leaks l \
                 JOIN manifests m ON m.digest = l.digest WHERE l.fingerprint IN (",
            );
            query.push_list(some.iter().map(ToString::to_string));
            query.push(") ORDER BY l.fingerprint, m.repository, l.digest, l.place LIMIT ");
            query.push_bind(signed(limit));
            for row in query.build().fetch_all(&self.readers).await? {
                found.push(read_leak(&row)?);
            }
        }
        Ok(found)
    }

    /// In how many images each of these lies, whatever repositories hold them.
    pub async fn images_with(&self, wanted: &[Fingerprint]) -> Result<Vec<(Fingerprint, u64)>, Error> {
        let mut found = Vec::new();
        for some in wanted.chunks(ASKED) {
            let mut query = Query::new(
                "SELECT fingerprint, CAST(COUNT(DISTINCT digest) AS BIGINT) AS images FROM leaks WHERE fingerprint IN (",
            );
            query.push_list(some.iter().map(ToString::to_string));
            query.push(") GROUP BY fingerprint");
            for row in query.build().fetch_all(&self.readers).await? {
                let images = super::count("leaks", row.try_get("images")?)?;
                found.push((fingerprint(row.try_get("fingerprint")?)?, images));
            }
        }
        Ok(found)
    }

    /// What was seen besides packages, in numbers.
    pub async fn observations(&self, now: Timestamp) -> Result<Observations, Error> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(*) FROM credentials c WHERE c.published = 0 AND c.confidence >= 1 \
                AND EXISTS (SELECT 1 FROM leaks l WHERE l.fingerprint = c.fingerprint)) AS credentials, \
             (SELECT COUNT(*) FROM judgements WHERE secrets > 0) AS secrets, \
             (SELECT COUNT(*) FROM judgements WHERE malware > 0) AS malware, \
             (SELECT COUNT(*) FROM judgements WHERE unsupported <= $1) AS unsupported, \
             (SELECT COUNT(*) FROM judgements WHERE recognised = 0 AND material IS NOT NULL) AS unrecognised",
        )
        .bind(super::milliseconds(now))
        .fetch_one(&self.readers)
        .await?;
        let number = |column: &'static str| super::count(column, row.try_get(column)?);
        Ok(Observations {
            credentials: number("credentials")?,
            secrets: number("secrets")?,
            malware: number("malware")?,
            unsupported: number("unsupported")?,
            unrecognised: number("unrecognised")?,
        })
    }

    /// Images that an older version looked at and whose credentials have no fingerprints: those after `last`, in the order
    /// of digests.
    pub async fn unrecognised(&self, last: Option<&Digest>, limit: u64) -> Result<Vec<Digest>, Error> {
        let rows: Vec<String> = sqlx::query_scalar(
            "SELECT digest FROM judgements WHERE recognised = 0 AND material IS NOT NULL AND state = $1 AND digest > $2 \
             ORDER BY digest LIMIT $3",
        )
        .bind(State::Judged.word())
        .bind(last.map(ToString::to_string).unwrap_or_default())
        .bind(signed(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|text| digest("judgements.digest", text)).collect()
    }

    /// Tags of a manifest in a repository, sorted.
    pub async fn tags_at(&self, repository: &str, manifest: &Digest) -> Result<Vec<String>, Error> {
        self.tags_of(repository, manifest).await
    }

    /// The rules that found what lies in images, by name.
    pub async fn credential_rules(&self) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT DISTINCT rule FROM credentials ORDER BY rule")
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }
}

const COLUMNS: &str = "SELECT c.fingerprint, c.rule, c.title, c.confidence, c.published, c.first_seen, c.last_seen \
                       FROM credentials c";

fn restrict(query: &mut Query, filter: &CredentialFilter) {
    if !filter.published {
        query.push(" AND c.published = 0");
    }
    if let Some(least) = filter.confidence {
        query.push(" AND c.confidence >= ").push_bind(rank(least));
    }
    if let Some(rule) = &filter.rule {
        query.push(" AND c.rule = ").push_bind(rule.clone());
    }
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        let part = super::views::contains(text);
        query.push(" AND (LOWER(c.title) LIKE ").push_bind(part.clone());
        query.push(" ESCAPE '\\' OR LOWER(c.rule) LIKE ").push_bind(part.clone());
        // Of a fingerprint only the beginning counts.
        let start = part.strip_prefix('%').unwrap_or_default().to_owned();
        query.push(" ESCAPE '\\' OR c.fingerprint LIKE ").push_bind(start).push(" ESCAPE '\\')");
    }
    match filter.gone {
        Some(true) => {
            query.push(" AND NOT EXISTS (SELECT 1 FROM leaks l WHERE l.fingerprint = c.fingerprint)")
        }
        Some(false) => query.push(" AND EXISTS (SELECT 1 FROM leaks l WHERE l.fingerprint = c.fingerprint)"),
        None => query,
    };
}

fn read(row: &AnyRow) -> Result<Credential, Error> {
    Ok(Credential {
        fingerprint: fingerprint(row.try_get("fingerprint")?)?,
        rule: row.try_get("rule")?,
        title: row.try_get("title")?,
        confidence: confidence(row.try_get("confidence")?)?,
        published: row.try_get::<i64, _>("published")? != 0,
        first_seen: time("credentials.first_seen", row.try_get("first_seen")?)?,
        last_seen: time("credentials.last_seen", row.try_get("last_seen")?)?,
    })
}

fn read_leak(row: &AnyRow) -> Result<LeakRow, Error> {
    let layer: Option<&str> = row.try_get("layer")?;
    Ok(LeakRow {
        fingerprint: fingerprint(row.try_get("fingerprint")?)?,
        repository: row.try_get("repository")?,
        digest: digest("leaks.digest", row.try_get("digest")?)?,
        place: row.try_get("place")?,
        layer: layer.map(|text| digest("leaks.layer", text)).transpose()?,
        hidden: row.try_get::<i64, _>("hidden")? != 0,
        package: row.try_get("package")?,
    })
}

fn fingerprint(text: &str) -> Result<Fingerprint, Error> {
    text.parse().map_err(|e| Error::corrupt("a fingerprint", &e))
}

/// A confidence as stored: its place in the order, so that the database can compare.
fn rank(confidence: Confidence) -> i64 {
    Confidence::ALL.iter().position(|one| *one == confidence).map_or(0, |rank| signed(rank as u64))
}

fn confidence(rank: i64) -> Result<Confidence, Error> {
    let known = usize::try_from(rank).ok().and_then(|rank| Confidence::ALL.get(rank));
    known.copied().ok_or_else(|| Error::corrupt("credentials.confidence", &rank))
}
