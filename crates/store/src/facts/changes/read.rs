//! Reading what changed, and where the images are that it is about.

use std::collections::{BTreeMap, HashMap};

use boltseal_model::{Digest, Severity, Timestamp};
use serde::Serialize;
use sqlx::{Row as _, any::AnyRow};

use super::{
    super::{
        Facts, count, digest, milliseconds,
        rows::{severity_of, severity_rank},
        search::escaped,
        signed,
        sql::Query,
        time,
    },
    Cause, Change, Standing,
};
use crate::Error;

/// Digests that one statement asks for.
const ASKED: usize = 500;
/// Sums count to here, and then say that there are more.
const MAX_COUNTED: u64 = 10_000;

const COLUMNS: &str = "SELECT c.number, c.at, c.cause, c.digest, c.vulnerability, c.purl, c.path, c.package, \
     c.installed, c.since, c.fixed, c.severity, c.kev, c.epss, c.was_fixed, c.was_severity, c.was_kev, c.was_epss, \
     c.snapshot, v.title FROM finding_changes c LEFT JOIN vulnerabilities v ON v.id = c.vulnerability WHERE ";
/// Only what is still there.
const STILL: &str = " AND EXISTS (SELECT 1 FROM hits h WHERE h.vulnerability = c.vulnerability AND \
     h.digest = c.digest AND h.purl = c.purl AND h.path = c.path)";

/// Which changes to list.
#[derive(Clone, Debug, PartialEq)]
pub struct ChangeFilter {
    /// Those noticed at or after this time.
    pub since: Timestamp,
    /// Only with one of these causes. [`Cause::Gone`] alone lists what is not there any more; with the others only what
    /// is still there is listed.
    pub causes: Vec<Cause>,
    /// At least this severe.
    pub severity: Option<Severity>,
    /// Only in repositories that match; `*` stands for any text.
    pub repository: Option<String>,
    /// Only those with a smaller number.
    pub below: Option<u64>,
}

impl Default for ChangeFilter {
    /// All that is newly vulnerable.
    fn default() -> Self {
        Self {
            since: Timestamp::UNIX_EPOCH,
            causes: Cause::NEWS.to_vec(),
            severity: None,
            repository: None,
            below: None,
        }
    }
}

/// How much is news.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ChangeSums {
    /// Changes.
    pub findings: u64,
    /// Images that they are about.
    pub images: u64,
    /// There are more than were counted.
    pub more: bool,
}

/// Where an image is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Name of the repository.
    pub repository: String,
    /// Its tags there, and those of the indexes that point to it; sorted.
    pub tags: Vec<String>,
    /// The last pull from there, if there was one.
    pub pulled: Option<LastPull>,
}

/// A pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LastPull {
    /// When it was.
    pub at: Timestamp,
    /// Who it was; absent where that was before it was kept.
    pub by: Option<String>,
}

impl Facts {
    /// Changes, the newest first.
    pub async fn finding_changes(&self, filter: &ChangeFilter, limit: u64) -> Result<Vec<Change>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("c.at >= ").push_bind(milliseconds(filter.since));
        restrict(&mut query, filter);
        query.push(" ORDER BY c.number DESC LIMIT ").push_bind(signed(limit));
        query.build().fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// Changes after a number, up to another and in their order: what is still there of them, and nothing that has gone.
    pub async fn changes_between(&self, after: u64, to: u64, limit: u64) -> Result<Vec<Change>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("c.number > ").push_bind(signed(after));
        query.push(" AND c.number <= ").push_bind(signed(to));
        query.push(" AND c.cause <> ").push_bind(Cause::Gone.word()).push(STILL);
        query.push(" ORDER BY c.number LIMIT ").push_bind(signed(limit));
        query.build().fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// Changes of one image, of those after a number and up to another: what is still there of them, and nothing that has
    /// gone.
    pub async fn changes_of(
        &self,
        image: &Digest,
        after: u64,
        to: u64,
        limit: u64,
    ) -> Result<Vec<Change>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("c.digest = ").push_bind(image.to_string());
        query.push(" AND c.number > ").push_bind(signed(after));
        query.push(" AND c.number <= ").push_bind(signed(to));
        query.push(" AND c.cause <> ").push_bind(Cause::Gone.word()).push(STILL);
        query.push(" ORDER BY c.number LIMIT ").push_bind(signed(limit));
        query.build().fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// The number of the newest change and when it was noticed; nothing where none is kept.
    pub async fn newest_change(&self) -> Result<Option<(u64, Timestamp)>, Error> {
        let sql = "SELECT number, at FROM finding_changes ORDER BY number DESC LIMIT 1";
        self.one_change(sqlx::query_as(sql).fetch_optional(&self.readers).await?)
    }

    /// The first change after a number, and when it was noticed.
    pub async fn change_after(&self, number: u64) -> Result<Option<(u64, Timestamp)>, Error> {
        let sql = "SELECT number, at FROM finding_changes WHERE number > $1 ORDER BY number LIMIT 1";
        let found = sqlx::query_as(sql).bind(signed(number)).fetch_optional(&self.readers).await?;
        self.one_change(found)
    }

    #[expect(clippy::unused_self, reason = "it belongs to the two above")]
    fn one_change(&self, found: Option<(i64, i64)>) -> Result<Option<(u64, Timestamp)>, Error> {
        let one =
            |(number, at)| Ok((count("finding_changes.number", number)?, time("finding_changes.at", at)?));
        found.map(one).transpose()
    }

    /// How much is newly vulnerable since then, and still is.
    pub async fn newly_vulnerable(&self, since: Timestamp) -> Result<ChangeSums, Error> {
        let mut query = Query::new(
            "SELECT COUNT(*), COUNT(DISTINCT digest) FROM (SELECT c.digest FROM finding_changes c WHERE c.at >= ",
        );
        query.push_bind(milliseconds(since));
        restrict(&mut query, &ChangeFilter::default());
        query.push(" LIMIT ").push_bind(signed(MAX_COUNTED + 1)).push(") AS counted");
        let row = query.build().fetch_one(&self.readers).await?;
        let findings = count("finding_changes", row.try_get(0)?)?;
        let images = count("finding_changes", row.try_get(1)?)?;
        Ok(ChangeSums { findings: findings.min(MAX_COUNTED), images, more: findings > MAX_COUNTED })
    }

    /// Where images are, by digest; each in order of the repositories' names.
    pub async fn places(&self, images: &[Digest]) -> Result<BTreeMap<Digest, Vec<Place>>, Error> {
        let mut found = BTreeMap::new();
        for some in images.chunks(ASKED) {
            for (name, places) in self.some_places(some).await? {
                let places =
                    places.into_iter().map(|(repository, (tags, pulled))| Place { repository, tags, pulled });
                found.insert(digest("manifests.digest", &name)?, places.collect());
            }
        }
        Ok(found)
    }

    async fn some_places(&self, images: &[Digest]) -> Result<HashMap<String, Places>, Error> {
        let mut found: HashMap<String, Places> = HashMap::new();
        for sql in [
            "SELECT m.digest, m.repository, t.tag FROM manifests m LEFT JOIN tags t ON t.repository = m.repository \
             AND t.digest = m.digest WHERE m.digest IN (",
            "SELECT m.digest, m.repository, t.tag FROM manifests m JOIN links l ON l.repository = m.repository \
             AND l.target = m.digest JOIN tags t ON t.repository = l.repository AND t.digest = l.manifest \
             WHERE m.digest IN (",
        ] {
            for row in self.of_digests(sql, images).await? {
                let places: &mut Places = found.entry(row.try_get(0)?).or_default();
                let (tags, _) = places.entry(row.try_get(1)?).or_default();
                if let Some(tag) = row.try_get::<Option<String>, _>(2)?
                    && let Err(place) = tags.binary_search(&tag)
                {
                    tags.insert(place, tag);
                }
            }
        }
        let sql = "SELECT digest, repository, last_pull, puller FROM pulls WHERE digest IN (";
        for row in self.of_digests(sql, images).await? {
            let repository: &str = row.try_get(1)?;
            let known =
                found.get_mut(row.try_get::<&str, _>(0)?).and_then(|places| places.get_mut(repository));
            let Some((_, pulled)) = known else { continue };
            let at = time("pulls.last_pull", row.try_get(2)?)?;
            if pulled.as_ref().is_none_or(|pulled| pulled.at < at) {
                *pulled = Some(LastPull { at, by: row.try_get(3)? });
            }
        }
        Ok(found)
    }

    async fn of_digests(&self, sql: &'static str, images: &[Digest]) -> Result<Vec<AnyRow>, Error> {
        let mut query = Query::new(sql);
        query.push_list(images.iter().map(ToString::to_string));
        query.push(")");
        Ok(query.build().fetch_all(&self.readers).await?)
    }
}

/// Repositories, and in each the tags and the last pull.
type Places = BTreeMap<String, (Vec<String>, Option<LastPull>)>;

fn restrict(query: &mut Query, filter: &ChangeFilter) {
    query.push(" AND c.cause IN (");
    query.push_list(filter.causes.iter().map(|cause| cause.word()));
    query.push(")");
    if let Some(severity) = filter.severity {
        query.push(" AND c.severity >= ").push_bind(severity_rank(severity));
    }
    if let Some(number) = filter.below {
        query.push(" AND c.number < ").push_bind(signed(number));
    }
    if filter.causes != [Cause::Gone] {
        query.push(STILL);
    }
    if let Some(pattern) = &filter.repository {
        query.push(" AND EXISTS (SELECT 1 FROM manifests m WHERE m.digest = c.digest AND m.repository LIKE ");
        query.push_bind(escaped(pattern).replace('*', "%")).push(" ESCAPE '!')");
    }
}

fn read(row: &AnyRow) -> Result<Change, Error> {
    let moment = |column: &'static str| {
        let value: Option<i64> = row.try_get(column)?;
        value.map(|value| time(column, value)).transpose()
    };
    let before: Option<i64> = row.try_get("was_severity")?;
    let before = match before {
        Some(severity) => Some(Standing {
            severity: severity_of(severity),
            fixed: row.try_get("was_fixed")?,
            kev: row.try_get::<Option<i64>, _>("was_kev")?.is_some_and(|kev| kev != 0),
            epss: row.try_get("was_epss")?,
        }),
        None => None,
    };
    Ok(Change {
        number: count("finding_changes.number", row.try_get("number")?)?,
        at: time("finding_changes.at", row.try_get("at")?)?,
        cause: Cause::read(row.try_get("cause")?)?,
        image: digest("finding_changes.digest", row.try_get("digest")?)?,
        vulnerability: row.try_get("vulnerability")?,
        title: row.try_get::<Option<String>, _>("title")?.unwrap_or_default(),
        package: row.try_get("package")?,
        purl: row.try_get("purl")?,
        path: row.try_get("path")?,
        installed: row.try_get("installed")?,
        since: moment("since")?,
        now: Standing {
            severity: severity_of(row.try_get("severity")?),
            fixed: row.try_get("fixed")?,
            kev: row.try_get::<i64, _>("kev")? != 0,
            epss: row.try_get("epss")?,
        },
        before,
        snapshot: row.try_get("snapshot")?,
    })
}
