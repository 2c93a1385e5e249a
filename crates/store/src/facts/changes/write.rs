//! Writing the findings of a judgement: only what differs from what is stored, with the news of it.

use std::collections::HashMap;

use boltseal_model::Finding;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    super::{
        rows::{severity_of, severity_rank},
        sql::{Query, Row},
    },
    Cause, Standing,
    compare::{Known, compare, standing},
};
use crate::Error;

/// Rows of one statement: twelve values each stay below the number that every build of SQLite takes (999).
const HITS: usize = 80;
/// The same for nineteen values.
const CHANGES: usize = 50;
/// The same for three values, and one more.
const GONE: usize = 300;
/// Where the number of the last change is kept: rows go, numbers never come again.
const LAST: &str = "findings.changes";

/// What a judgement was made from, as against the one before.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Basis<'a> {
    /// Why there may be findings that were not there.
    pub(in super::super) cause: Cause,
    /// The vulnerability data.
    pub(in super::super) snapshot: Option<&'a str>,
    /// Milliseconds.
    pub(in super::super) now: i64,
}

/// Hands out numbers of changes within one transaction.
#[derive(Debug, Default)]
pub(in super::super) struct Numbers {
    last: Option<i64>,
}

impl Numbers {
    async fn next(&mut self, db: &mut AnyConnection) -> Result<i64, Error> {
        let last = if let Some(last) = self.last {
            last
        } else {
            let kept: Option<String> = sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
                .bind(LAST)
                .fetch_optional(db)
                .await?;
            kept.and_then(|text| text.parse().ok()).unwrap_or(0)
        };
        self.last = Some(last + 1);
        Ok(last + 1)
    }

    /// Keeps the last one, at the end of the transaction.
    pub(in super::super) async fn keep(self, db: &mut AnyConnection) -> Result<(), Error> {
        let Some(last) = self.last else { return Ok(()) };
        let sql = "INSERT INTO settings (name, value) VALUES ($1, $2) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        sqlx::query(sql).bind(LAST).bind(last.to_string()).execute(db).await?;
        Ok(())
    }
}

/// A change about to be written.
struct New<'a> {
    number: i64,
    cause: Cause,
    key: [&'a str; 3],
    package: &'a str,
    installed: &'a str,
    since: Option<i64>,
    now: Standing,
    before: Option<&'a Standing>,
}

/// Puts `findings` in place of what is stored of an image.
pub(in super::super) async fn write_findings(
    db: &mut AnyConnection,
    image: &str,
    basis: Basis<'_>,
    findings: &[Finding],
    numbers: &mut Numbers,
) -> Result<(), Error> {
    let difference = compare(stored(db, image).await?, findings);
    let first = basis.cause == Cause::Push;
    // Whoever looks at the first judgement of an image need not ask what it had before.
    let gone_before =
        if first || difference.new.is_empty() { HashMap::new() } else { gone_before(db, image).await? };
    let mut hits = Vec::with_capacity(difference.new.len() + difference.other.len());
    let mut changes = Vec::new();
    for finding in &difference.new {
        let known = gone_before.get(&key(finding).map(str::to_owned));
        let cause = if known.is_some() { Cause::Returned } else { basis.cause };
        let since = known.copied().flatten().unwrap_or(basis.now);
        hits.push((*finding, cause, since));
        if !first {
            changes.push(New {
                number: numbers.next(db).await?,
                cause,
                key: key(finding),
                package: &finding.package,
                installed: &finding.installed,
                since: Some(since),
                now: standing(finding),
                before: None,
            });
        }
    }
    for (finding, known, cause) in &difference.other {
        // What is stored of its beginning stays.
        hits.push((*finding, basis.cause, basis.now));
        if let Some(cause) = cause.filter(|_| !first) {
            changes.push(New {
                number: numbers.next(db).await?,
                cause,
                key: key(finding),
                package: &finding.package,
                installed: &finding.installed,
                since: known.since,
                now: standing(finding),
                before: Some(&known.standing),
            });
        }
    }
    for known in &difference.gone {
        changes.push(New {
            number: numbers.next(db).await?,
            cause: Cause::Gone,
            key: [&known.vulnerability, &known.purl, &known.path],
            package: &known.package,
            installed: &known.installed,
            since: known.since,
            now: known.standing.clone(),
            before: None,
        });
    }
    remove(db, image, &difference.gone).await?;
    put_hits(db, image, &hits).await?;
    put_changes(db, image, basis, &changes).await
}

fn key(finding: &Finding) -> [&str; 3] {
    [&finding.id, &finding.purl, &finding.proof.path]
}

async fn stored(db: &mut AnyConnection, image: &str) -> Result<Vec<Known>, Error> {
    let sql = "SELECT vulnerability, purl, path, package, installed, fixed, severity, kev, epss, since FROM hits \
               WHERE digest = $1";
    let rows = sqlx::query(sql).bind(image).fetch_all(db).await?;
    let known = |row: &AnyRow| {
        Ok(Known {
            vulnerability: row.try_get(0)?,
            purl: row.try_get(1)?,
            path: row.try_get(2)?,
            package: row.try_get(3)?,
            installed: row.try_get(4)?,
            standing: Standing {
                fixed: row.try_get(5)?,
                severity: severity_of(row.try_get(6)?),
                kev: row.try_get::<i64, _>(7)? != 0,
                epss: row.try_get(8)?,
            },
            since: row.try_get(9)?,
        })
    };
    rows.iter().map(known).collect()
}

/// What an image had and lost, as far as that is not forgotten, and since when it had it first.
async fn gone_before(
    db: &mut AnyConnection,
    image: &str,
) -> Result<HashMap<[String; 3], Option<i64>>, Error> {
    let sql = "SELECT vulnerability, purl, path, since FROM finding_changes WHERE digest = $1 AND cause = $2 \
               ORDER BY number DESC";
    let rows = sqlx::query(sql).bind(image).bind(Cause::Gone.word()).fetch_all(db).await?;
    let one = |row: &AnyRow| Ok(([row.try_get(0)?, row.try_get(1)?, row.try_get(2)?], row.try_get(3)?));
    rows.iter().map(one).collect()
}

async fn remove(db: &mut AnyConnection, image: &str, gone: &[Known]) -> Result<(), Error> {
    for some in gone.chunks(GONE) {
        let mut delete = Query::new("DELETE FROM hits WHERE digest = ");
        delete.push_bind(image).push(" AND (vulnerability, purl, path) IN (");
        delete.push_values(some, |row, known| {
            row.push_bind(&known.vulnerability).push_bind(&known.purl).push_bind(&known.path);
        });
        delete.push(")");
        delete.build().execute(&mut *db).await?;
    }
    Ok(())
}

async fn put_hits(db: &mut AnyConnection, image: &str, hits: &[(&Finding, Cause, i64)]) -> Result<(), Error> {
    for some in hits.chunks(HITS) {
        let mut insert = Query::new(
            "INSERT INTO hits (vulnerability, digest, purl, path, package, installed, fixed, severity, kev, epss, \
             since, cause) ",
        );
        insert.push_values(some, |row, (finding, cause, since)| {
            row.push_bind(&finding.id)
                .push_bind(image)
                .push_bind(&finding.purl)
                .push_bind(&finding.proof.path)
                .push_bind(&finding.package)
                .push_bind(&finding.installed);
            push_standing(row, &standing(finding));
            row.push_bind(*since).push_bind(cause.word());
        });
        insert.push(
            " ON CONFLICT (vulnerability, digest, purl, path) DO UPDATE SET package = excluded.package, \
             installed = excluded.installed, fixed = excluded.fixed, severity = excluded.severity, \
             kev = excluded.kev, epss = excluded.epss",
        );
        insert.build().execute(&mut *db).await?;
    }
    Ok(())
}

fn push_standing(row: &mut Row<'_>, standing: &Standing) {
    row.push_bind(standing.fixed.clone())
        .push_bind(severity_rank(standing.severity))
        .push_bind(i64::from(standing.kev))
        .push_bind(standing.epss);
}

async fn put_changes(
    db: &mut AnyConnection,
    image: &str,
    basis: Basis<'_>,
    changes: &[New<'_>],
) -> Result<(), Error> {
    for some in changes.chunks(CHANGES) {
        let mut insert = Query::new(
            "INSERT INTO finding_changes (number, at, cause, digest, vulnerability, purl, path, package, installed, \
             since, fixed, severity, kev, epss, was_fixed, was_severity, was_kev, was_epss, snapshot) ",
        );
        insert.push_values(some, |row, new| {
            let [vulnerability, purl, path] = new.key;
            row.push_bind(new.number)
                .push_bind(basis.now)
                .push_bind(new.cause.word())
                .push_bind(image)
                .push_bind(vulnerability)
                .push_bind(purl)
                .push_bind(path)
                .push_bind(new.package)
                .push_bind(new.installed)
                .push_bind(new.since);
            push_standing(row, &new.now);
            row.push_bind(new.before.and_then(|before| before.fixed.clone()))
                .push_bind(new.before.map(|before| severity_rank(before.severity)))
                .push_bind(new.before.map(|before| i64::from(before.kev)))
                .push_bind(new.before.and_then(|before| before.epss))
                .push_bind(basis.snapshot);
        });
        insert.build().execute(&mut *db).await?;
    }
    Ok(())
}
