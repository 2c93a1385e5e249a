//! Vulnerabilities over all images.

use boltseal_model::{Digest, Finding};
use sqlx::{Row as _, any::AnyRow};

use super::{contains, limit};
use crate::{
    Error,
    facts::{
        Facts, Hit, Listing, Page, State, VulnerabilityDetail, VulnerabilityFilter, VulnerabilityRow,
        VulnerabilitySort, count, digest,
        rows::{read_decision, severity_of, severity_rank},
        sql::Query,
        time,
    },
};

const COLUMNS: &str = "SELECT h.vulnerability, COALESCE(MAX(v.title), '') AS title, MAX(h.severity) AS severity, \
     MAX(h.kev) AS kev, MAX(h.epss) AS epss, COUNT(DISTINCT h.digest) AS images, \
     MAX(CASE WHEN h.fixed IS NULL THEN 0 ELSE 1 END) AS fixable";
const JOIN: &str = " FROM hits h LEFT JOIN vulnerabilities v ON v.id = h.vulnerability ";
/// More hits than this are counted, not listed: a page must stay readable.
const MAX_HITS: i64 = 5000;

impl Facts {
    /// Every vulnerability that hits something stored, in the order of the filter.
    pub async fn vulnerabilities(
        &self,
        filter: &VulnerabilityFilter,
        page: Page,
    ) -> Result<Listing<VulnerabilityRow>, Error> {
        let mut counting = Query::new("SELECT COUNT(*) FROM (SELECT h.vulnerability");
        counting.push(JOIN);
        restrict(&mut counting, filter);
        counting.push(") AS found");
        let total: i64 = counting.scalar::<i64>().fetch_one(&self.readers).await?;

        let mut query = Query::new(COLUMNS);
        query.push(JOIN);
        restrict(&mut query, filter);
        query.push(match filter.sort {
            VulnerabilitySort::Risk => {
                " ORDER BY kev DESC, severity DESC, COALESCE(MAX(h.epss), -1) DESC, images DESC, h.vulnerability"
            }
            VulnerabilitySort::Images => " ORDER BY images DESC, kev DESC, severity DESC, h.vulnerability",
            VulnerabilitySort::Epss => {
                " ORDER BY COALESCE(MAX(h.epss), -1) DESC, severity DESC, h.vulnerability"
            }
            VulnerabilitySort::Id => " ORDER BY h.vulnerability",
        });
        limit(&mut query, page);
        let mut rows = Vec::new();
        for row in query.build().fetch_all(&self.readers).await? {
            rows.push(self.complete_vulnerability(&row).await?);
        }
        Ok(Listing { rows, total: count("hits", total)? })
    }

    /// One vulnerability and every image it hits; nothing when it hits none.
    pub async fn vulnerability(&self, id: &str) -> Result<Option<VulnerabilityDetail>, Error> {
        let finding: Option<String> = sqlx::query_scalar("SELECT finding FROM vulnerabilities WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.readers)
            .await?;
        let Some(finding) = finding else { return Ok(None) };
        let finding: Finding =
            serde_json::from_str(&finding).map_err(|e| Error::corrupt("vulnerabilities.finding", &e))?;

        let mut query = Query::new(COLUMNS);
        query.push(JOIN).push("WHERE h.vulnerability = ").push_bind(id.to_owned());
        query.push(" GROUP BY h.vulnerability");
        let Some(row) = query.build().fetch_optional(&self.readers).await? else { return Ok(None) };
        let row = self.complete_vulnerability(&row).await?;
        Ok(Some(VulnerabilityDetail { finding, row, hits: self.hits(id).await? }))
    }

    async fn hits(&self, id: &str) -> Result<Vec<Hit>, Error> {
        let found = sqlx::query(
            "SELECT DISTINCT m.repository, h.digest, h.package, h.purl, h.installed, h.fixed, h.severity, h.since, \
             j.state, j.decision FROM hits h JOIN manifests m ON m.digest = h.digest \
             LEFT JOIN judgements j ON j.digest = h.digest WHERE h.vulnerability = $1 \
             ORDER BY m.repository, h.package, h.installed, h.digest LIMIT $2",
        )
        .bind(id)
        .bind(MAX_HITS)
        .fetch_all(&self.readers)
        .await?;
        let mut hits = Vec::with_capacity(found.len());
        for row in &found {
            let repository: String = row.try_get("repository")?;
            let image: Digest = digest("hits.digest", row.try_get("digest")?)?;
            let state: Option<&str> = row.try_get("state")?;
            let decision: Option<&str> = row.try_get("decision")?;
            let judged = state.map(State::read).transpose()? == Some(State::Judged);
            hits.push(Hit {
                tags: self.tags_of(&repository, &image).await?,
                repository,
                digest: image,
                package: row.try_get("package")?,
                purl: row.try_get("purl")?,
                installed: row.try_get("installed")?,
                fixed: row.try_get("fixed")?,
                severity: severity_of(row.try_get("severity")?),
                since: row
                    .try_get::<Option<i64>, _>("since")?
                    .map(|since| time("hits.since", since))
                    .transpose()?,
                decision: decision.filter(|_| judged).map(read_decision).transpose()?,
            });
        }
        Ok(hits)
    }

    async fn complete_vulnerability(&self, row: &AnyRow) -> Result<VulnerabilityRow, Error> {
        let id: String = row.try_get("vulnerability")?;
        let packages =
            sqlx::query_scalar("SELECT DISTINCT package FROM hits WHERE vulnerability = $1 ORDER BY package")
                .bind(&id)
                .fetch_all(&self.readers)
                .await?;
        let flag = |column: &'static str| row.try_get::<i64, _>(column).map(|value| value != 0);
        Ok(VulnerabilityRow {
            id,
            title: row.try_get("title")?,
            severity: severity_of(row.try_get("severity")?),
            kev: flag("kev")?,
            epss: row.try_get("epss")?,
            images: count("hits", row.try_get("images")?)?,
            packages,
            fixable: flag("fixable")?,
        })
    }
}

fn restrict(query: &mut Query, filter: &VulnerabilityFilter) {
    query.push("WHERE 1 = 1");
    if let Some(text) = filter.text.as_deref().filter(|text| !text.is_empty()) {
        let part = contains(text);
        query
            .push(" AND (LOWER(h.vulnerability) LIKE ")
            .push_bind(part.clone())
            .push(" ESCAPE '\\' OR LOWER(h.package) LIKE ");
        query.push_bind(part.clone()).push(" ESCAPE '\\' OR LOWER(v.title) LIKE ").push_bind(part);
        query.push(" ESCAPE '\\')");
    }
    query.push(" GROUP BY h.vulnerability HAVING 1 = 1");
    if let Some(severity) = filter.severity {
        query.push(" AND MAX(h.severity) >= ").push_bind(severity_rank(severity));
    }
    if filter.fixable {
        query.push(" AND MAX(CASE WHEN h.fixed IS NULL THEN 0 ELSE 1 END) = 1");
    }
    if filter.kev {
        query.push(" AND MAX(h.kev) = 1");
    }
}
