//! What the dashboard and the API read: images, one image, vulnerabilities.

use boltseal_model::{Decision, Digest, Platform};
use sqlx::{Row as _, any::AnyRow};

use super::{
    Counts, Facts, Having, ImageDetail, ImageFilter, ImageRow, ImageSort, Kind, Listing, Page, ReferrerRow,
    State, Totals, count, digest, rows::read_decision, sql::Query, time,
};
use crate::Error;

mod overview;
mod vulnerabilities;

pub use overview::{FixRow, Pushes, Severities};

const COLUMNS: &str = "SELECT m.repository, m.digest, m.media_type, m.kind, m.content_size, m.pushed_at, \
     m.platform, j.state, j.decision, j.critical, j.high, j.medium, j.low, j.negligible, j.unknown, j.fixable, \
     j.packages, j.complete, j.judged, j.expires";
const JOIN: &str = " FROM manifests m LEFT JOIN judgements j ON j.digest = m.digest AND m.kind = 'image' ";
/// The same for what an index points to.
const CHILDREN: &str = " FROM links l JOIN manifests m ON m.repository = l.repository AND m.digest = l.target \
     LEFT JOIN judgements j ON j.digest = m.digest AND m.kind = 'image' WHERE l.repository = ";
/// The most children of one index that a page shows; real ones have a dozen.
const MAX_CHILDREN: usize = 1000;

impl Facts {
    /// Images and indexes, in the order of the filter.
    pub async fn images(&self, filter: &ImageFilter, page: Page) -> Result<Listing<ImageRow>, Error> {
        let mut counting = Query::new("SELECT COUNT(*)");
        counting.push(JOIN);
        restrict(&mut counting, filter);
        let total: i64 = counting.scalar::<i64>().fetch_one(&self.readers).await?;

        let mut query = Query::new(COLUMNS);
        query.push(JOIN);
        restrict(&mut query, filter);
        query.push(order(filter.sort));
        limit(&mut query, page);
        let found = query.build().fetch_all(&self.readers).await?;
        Ok(Listing { rows: self.complete_rows(&found).await?, total: count("images", total)? })
    }

    /// Everything about one digest, or nothing when no repository holds it.
    pub async fn image(&self, wanted: &Digest) -> Result<Option<ImageDetail>, Error> {
        let mut query = Query::new(COLUMNS);
        query
            .push(JOIN)
            .push("WHERE m.digest = ")
            .push_bind(wanted.to_string())
            .push(" ORDER BY m.repository");
        let found = query.build().fetch_all(&self.readers).await?;
        let rows = self.complete_rows(&found).await?;
        let Some(first) = rows.first() else { return Ok(None) };
        let children = match first.kind {
            Kind::Index => self.children(&first.repository, wanted).await?,
            Kind::Image | Kind::Artifact => Vec::new(),
        };
        let error = self.judgement(wanted).await?.and_then(|judgement| judgement.error);
        let report = self.report(wanted).await?;
        let referrers = self.referring(wanted).await?;
        Ok(Some(ImageDetail { rows, report, error, children, referrers }))
    }

    /// The digest a tag or a digest text names in a repository.
    pub async fn resolve(&self, repository: &str, reference: &str) -> Result<Option<Digest>, Error> {
        if let Ok(digest) = reference.parse() {
            return Ok(self.manifest(repository, &digest).await?.map(|manifest| manifest.digest));
        }
        self.tag(repository, reference).await
    }

    /// The whole store in a few numbers.
    pub async fn totals(&self) -> Result<Totals, Error> {
        let row = sqlx::query(
            "SELECT (SELECT COUNT(DISTINCT repository) FROM manifests) AS repositories, \
             (SELECT COUNT(DISTINCT digest) FROM manifests WHERE kind = 'image') AS images, \
             (SELECT COUNT(*) FROM judgements WHERE state = 'judged' AND decision = 'allow') AS allowed, \
             (SELECT COUNT(*) FROM judgements WHERE state = 'judged' AND decision = 'warn') AS warned, \
             (SELECT COUNT(*) FROM judgements WHERE state = 'judged' AND decision = 'deny') AS denied, \
             (SELECT COUNT(*) FROM judgements WHERE state = 'failed' \
                OR (state = 'judged' AND decision = 'unknown')) AS unknown, \
             (SELECT COUNT(*) FROM judgements WHERE state = 'pending') AS pending, \
             (SELECT COUNT(DISTINCT vulnerability) FROM hits) AS vulnerabilities, \
             (SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM (SELECT DISTINCT digest, size FROM blobs) AS b) AS bytes",
        )
        .fetch_one(&self.readers)
        .await?;
        let number = |column: &'static str| count(column, row.try_get(column)?);
        Ok(Totals {
            repositories: number("repositories")?,
            images: number("images")?,
            allowed: number("allowed")?,
            warned: number("warned")?,
            denied: number("denied")?,
            unknown: number("unknown")?,
            pending: number("pending")?,
            vulnerabilities: number("vulnerabilities")?,
            bytes: number("bytes")?,
        })
    }

    pub(super) async fn children(&self, repository: &str, index: &Digest) -> Result<Vec<ImageRow>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push(CHILDREN).push_bind(repository.to_owned());
        query
            .push(" AND l.manifest = ")
            .push_bind(index.to_string())
            .push(" ORDER BY COALESCE(m.platform, ''), m.digest");
        let found = query.build().fetch_all(&self.readers).await?;
        let mut rows = Vec::with_capacity(found.len().min(MAX_CHILDREN));
        for row in found.iter().take(MAX_CHILDREN) {
            let mut image = read_row(row)?;
            image.tags = self.tags_of(&image.repository, &image.digest).await?;
            rows.push(image);
        }
        Ok(rows)
    }

    async fn complete_rows(&self, found: &[AnyRow]) -> Result<Vec<ImageRow>, Error> {
        let mut rows = Vec::with_capacity(found.len());
        for row in found {
            let mut image = read_row(row)?;
            image.tags = self.tags_of(&image.repository, &image.digest).await?;
            if image.kind == Kind::Index {
                let children = self.children(&image.repository, &image.digest).await?;
                sum_up(&mut image, &children);
            }
            rows.push(image);
        }
        Ok(rows)
    }

    pub(super) async fn tags_of(&self, repository: &str, digest: &Digest) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT tag FROM tags WHERE repository = $1 AND digest = $2 ORDER BY tag")
            .bind(repository)
            .bind(digest.to_string())
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }

    async fn referring(&self, subject: &Digest) -> Result<Vec<ReferrerRow>, Error> {
        let found = sqlx::query(
            "SELECT repository, digest, media_type, size, artifact_type, annotations FROM manifests \
             WHERE subject = $1 ORDER BY repository, digest",
        )
        .bind(subject.to_string())
        .fetch_all(&self.readers)
        .await?;
        found
            .iter()
            .map(|row| {
                Ok(ReferrerRow {
                    repository: row.try_get("repository")?,
                    digest: digest("manifests.digest", row.try_get("digest")?)?,
                    media_type: row.try_get("media_type")?,
                    size: count("manifests.size", row.try_get("size")?)?,
                    artifact_type: row.try_get("artifact_type")?,
                    annotations: row.try_get("annotations")?,
                })
            })
            .collect()
    }
}

/// What an index shows is what its children are: their platforms, their sums, the worst decision.
fn sum_up(index: &mut ImageRow, children: &[ImageRow]) {
    let images = || children.iter().filter(|child| child.kind == Kind::Image);
    index.platforms = images().flat_map(|child| child.platforms.iter().cloned()).collect();
    index.platforms.dedup();
    for child in images() {
        index.counts += child.counts;
        index.fixable += child.fixable;
        index.packages += child.packages;
    }
    index.complete = images().next().is_some() && images().all(|child| child.complete);
    index.decision = images().filter_map(|child| child.decision).max();
    index.judged_at = images().filter_map(|child| child.judged_at).max();
    index.expires = images().filter_map(|child| child.expires).min();
    let in_state = |state| images().any(|child| child.state == Some(state));
    index.state = [State::Pending, State::Failed, State::Judged].into_iter().find(|state| in_state(*state));
}

fn read_row(row: &AnyRow) -> Result<ImageRow, Error> {
    let number = |column: &'static str| {
        let value: Option<i64> = row.try_get(column)?;
        count(column, value.unwrap_or(0))
    };
    let moment = |column: &'static str| {
        let value: Option<i64> = row.try_get(column)?;
        value.map(|value| time(column, value)).transpose()
    };
    let state: Option<&str> = row.try_get("state")?;
    let decision: Option<&str> = row.try_get("decision")?;
    let platform: Option<&str> = row.try_get("platform")?;
    let state = state.map(State::read).transpose()?;
    let decision = decision.map(read_decision).transpose()?;
    Ok(ImageRow {
        repository: row.try_get("repository")?,
        tags: Vec::new(),
        digest: digest("manifests.digest", row.try_get("digest")?)?,
        media_type: row.try_get("media_type")?,
        kind: Kind::read(row.try_get("kind")?)?,
        size: number("content_size")?,
        pushed_at: time("manifests.pushed_at", row.try_get("pushed_at")?)?,
        platforms: platform.and_then(|text| text.parse::<Platform>().ok()).into_iter().collect(),
        state,
        decision: if state == Some(State::Failed) { Some(Decision::Unknown) } else { decision },
        counts: Counts {
            critical: number("critical")?,
            high: number("high")?,
            medium: number("medium")?,
            low: number("low")?,
            negligible: number("negligible")?,
            unknown: number("unknown")?,
        },
        fixable: number("fixable")?,
        packages: number("packages")?,
        complete: number("complete")? != 0,
        judged_at: moment("judged")?,
        expires: moment("expires")?,
    })
}

fn restrict(query: &mut Query, filter: &ImageFilter) {
    query.push("WHERE 1 = 1");
    if !filter.artifacts {
        query.push(" AND m.kind <> 'artifact'");
    }
    if !filter.children {
        query.push(
            " AND (EXISTS (SELECT 1 FROM tags t WHERE t.repository = m.repository AND t.digest = m.digest) \
             OR NOT EXISTS (SELECT 1 FROM links l WHERE l.repository = m.repository AND l.target = m.digest))",
        );
    }
    if let Some(repository) = &filter.repository {
        query.push(" AND m.repository = ").push_bind(repository.clone());
    }
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        let part = contains(text);
        query
            .push(" AND (LOWER(m.repository) LIKE ")
            .push_bind(part.clone())
            .push(" ESCAPE '\\' OR LOWER(m.digest) LIKE ");
        query.push_bind(part.clone()).push(
            " ESCAPE '\\' OR EXISTS (SELECT 1 FROM tags t WHERE t.repository = m.repository \
             AND t.digest = m.digest AND LOWER(t.tag) LIKE ",
        );
        query.push_bind(part).push(" ESCAPE '\\'))");
    }
    if let Some(decision) = filter.decision {
        let failed = if decision == Decision::Unknown { " OR j.state = 'failed'" } else { "" };
        let of_children = if decision == Decision::Unknown { " OR c.state = 'failed'" } else { "" };
        query.push(" AND (j.decision = ").push_bind(decision.word()).push(failed);
        query.push(
            " OR EXISTS (SELECT 1 FROM links l JOIN judgements c ON c.digest = l.target \
             WHERE m.kind = 'index' AND l.repository = m.repository AND l.manifest = m.digest AND (c.decision = ",
        );
        query.push_bind(decision.word()).push(of_children).push(")))");
    }
    if let Some(state) = filter.state {
        query.push(" AND j.state = ").push_bind(state.word());
    }
    if let Some(having) = filter.having {
        query.push(match having {
            Having::Secrets => " AND j.secrets > 0",
            Having::Malware => " AND j.malware > 0",
            Having::Misconfigurations => " AND j.misconfigurations > 0",
            Having::Unowned => " AND j.unowned > 0",
            Having::Unsupported(_) => " AND j.unsupported <= ",
            Having::Unrecognised => " AND j.recognised = 0 AND j.material IS NOT NULL",
        });
        if let Having::Unsupported(moment) = having {
            query.push_bind(moment);
        }
    }
    if let Some(package) = &filter.package {
        query
            .push(" AND m.digest IN (SELECT digest FROM hits WHERE package = ")
            .push_bind(package.clone())
            .push(")");
    }
}

const fn order(sort: ImageSort) -> &'static str {
    match sort {
        ImageSort::Pushed => " ORDER BY m.pushed_at DESC, m.repository, m.digest",
        ImageSort::Name => " ORDER BY m.repository, m.pushed_at DESC, m.digest",
        ImageSort::Severity => {
            " ORDER BY COALESCE(j.critical, -1) DESC, j.high DESC, j.medium DESC, j.low DESC, j.negligible DESC, \
             m.pushed_at DESC, m.repository, m.digest"
        }
        ImageSort::Verdict => {
            " ORDER BY CASE WHEN j.state = 'failed' THEN 1 WHEN j.decision = 'deny' THEN 0 \
             WHEN j.decision = 'unknown' THEN 1 WHEN j.state = 'pending' THEN 2 WHEN j.decision = 'warn' THEN 3 \
             WHEN j.decision = 'allow' THEN 4 ELSE 5 END, m.pushed_at DESC, m.repository, m.digest"
        }
        ImageSort::Size => " ORDER BY m.content_size DESC, m.pushed_at DESC, m.repository, m.digest",
    }
}

/// A LIKE pattern for `text` anywhere, in small letters, with LIKE's own signs taken literally. Compare it with a
/// column in small letters: the databases differ in what LIKE makes of large ones.
pub(super) fn contains(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for sign in text.chars() {
        if matches!(sign, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(sign.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}

fn limit(query: &mut Query, page: Page) {
    query.push(" LIMIT ").push_bind(super::signed(page.limit.min(Page::MAX)));
    query.push(" OFFSET ").push_bind(super::signed(page.offset));
}
