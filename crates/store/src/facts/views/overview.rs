//! Sums over everything stored, for a front page.

use boltseal_model::{Decision, Severity, Timestamp};
use serde::Serialize;
use sqlx::Row as _;

use crate::{
    Error,
    facts::{
        Counts, Facts, State, count, milliseconds,
        rows::{read_decision, severity_of},
        sql::Query,
    },
};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;
/// Parameters of one query; SQLite allows 32,766.
const MAX_PURLS: usize = 10_000;

/// Distinct vulnerabilities of everything stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Severities {
    /// By the worst severity of their hits.
    pub all: Counts,
    /// Those of them that have a fixed version somewhere.
    pub fixable: Counts,
    /// Those that are known to be exploited.
    pub kev: u64,
}

/// What one fixed version would remove from one installed package, over all images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FixRow {
    /// Package URL of the installed package.
    pub purl: String,
    /// Its name.
    pub package: String,
    /// Its version.
    pub installed: String,
    /// The fixed version.
    pub fixed: String,
    /// Hits that it removes; one vulnerability in two images is two.
    pub findings: u64,
    /// The worst of them.
    pub severity: Severity,
    /// Whether any is known to be exploited.
    pub kev: bool,
}

/// Images pushed on one day that share a standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Pushes {
    /// Days since 1970, UTC.
    pub day: i64,
    /// How far their judgement is today.
    pub state: Option<State>,
    /// Their verdict today.
    pub decision: Option<Decision>,
    /// How many.
    pub images: u64,
}

impl Facts {
    /// Distinct vulnerabilities by their worst severity.
    pub async fn severities(&self) -> Result<Severities, Error> {
        let found = sqlx::query(
            "SELECT severity, COUNT(*) AS every, CAST(SUM(fixable) AS BIGINT) AS fixable, CAST(SUM(kev) AS BIGINT) AS kev FROM \
             (SELECT MAX(severity) AS severity, MAX(CASE WHEN fixed IS NULL THEN 0 ELSE 1 END) AS fixable, \
             MAX(kev) AS kev FROM hits GROUP BY vulnerability) AS worst GROUP BY severity",
        )
        .fetch_all(&self.readers)
        .await?;
        let mut severities = Severities::default();
        for row in &found {
            let severity = severity_of(row.try_get("severity")?);
            *severities.all.of_severity_mut(severity) += count("hits", row.try_get("every")?)?;
            *severities.fixable.of_severity_mut(severity) += count("hits", row.try_get("fixable")?)?;
            severities.kev += count("hits", row.try_get("kev")?)?;
        }
        Ok(severities)
    }

    /// Every fixed version of every installed package that has one.
    pub async fn fixes(&self) -> Result<Vec<FixRow>, Error> {
        let found = sqlx::query(
            "SELECT purl, package, installed, fixed, COUNT(*) AS findings, MAX(severity) AS severity, \
             MAX(kev) AS kev FROM hits WHERE fixed IS NOT NULL GROUP BY purl, package, installed, fixed \
             ORDER BY purl, fixed",
        )
        .fetch_all(&self.readers)
        .await?;
        found
            .iter()
            .map(|row| {
                Ok(FixRow {
                    purl: row.try_get("purl")?,
                    package: row.try_get("package")?,
                    installed: row.try_get("installed")?,
                    fixed: row.try_get("fixed")?,
                    findings: count("hits", row.try_get("findings")?)?,
                    severity: severity_of(row.try_get("severity")?),
                    kev: row.try_get::<i64, _>("kev")? != 0,
                })
            })
            .collect()
    }

    /// Images with a fixable finding in any of these packages.
    pub async fn images_fixed_by(&self, purls: &[&str]) -> Result<u64, Error> {
        let mut query =
            Query::new("SELECT COUNT(DISTINCT digest) FROM hits WHERE fixed IS NOT NULL AND purl IN (");
        query.push_list(purls.iter().take(MAX_PURLS).copied());
        query.push(")");
        let images: i64 = query.scalar::<i64>().fetch_one(&self.readers).await?;
        count("hits", images)
    }

    /// Images pushed since then, by day and by what is said of them today.
    pub async fn pushes(&self, since: Timestamp) -> Result<Vec<Pushes>, Error> {
        let found = sqlx::query(
            "SELECT m.pushed_at / $1 AS day, j.state, j.decision, COUNT(*) AS images FROM manifests m \
             LEFT JOIN judgements j ON j.digest = m.digest WHERE m.kind = 'image' AND m.pushed_at >= $2 \
             GROUP BY m.pushed_at / $1, j.state, j.decision ORDER BY day",
        )
        .bind(DAY)
        .bind(milliseconds(since))
        .fetch_all(&self.readers)
        .await?;
        found
            .iter()
            .map(|row| {
                let state: Option<&str> = row.try_get("state")?;
                let decision: Option<&str> = row.try_get("decision")?;
                Ok(Pushes {
                    day: row.try_get("day")?,
                    state: state.map(State::read).transpose()?,
                    decision: decision.map(read_decision).transpose()?,
                    images: count("manifests", row.try_get("images")?)?,
                })
            })
            .collect()
    }
}
