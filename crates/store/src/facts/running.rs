//! What runs on nodes, as their agents say it: all of a node at once, in place of what it said before.
//!
//! It is what was said, and when: whoever asks is told of each node how old that is. Nodes that say nothing any more are
//! forgotten after [`FORGOTTEN`].

use std::fmt::Write as _;

use boltseal_model::{Digest, Timestamp};

use sqlx::{AnyConnection, FromRow};

use super::{Facts, digest, milliseconds, search::escaped, signed, sql::Query, time};
use crate::Error;

/// Containers of one node, more than any runs.
pub const MAX_RUNNING: usize = 10_000;
/// Rows of one statement: six values each stay below the number that every build of SQLite takes (999).
const ROWS: usize = 150;
/// Digests that one statement asks for.
const ASKED: usize = 500;
/// How long a node that says nothing is remembered, milliseconds: a month.
const FORGOTTEN: i64 = 30 * 86_400_000;

/// Node, container, digest, image, since when, with what, whether its node looked what it uses, what it does with that.
type Row = (String, String, String, String, i64, String, i64, i64);

/// A container that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// `GROUP/CONTAINER`.
    pub container: String,
    /// Of the manifest that it was made of.
    pub digest: Digest,
    /// As the group names it.
    pub image: String,
    /// Since when.
    pub since: Timestamp,
    /// The packages that it was seen to use. `None`: nobody looked.
    pub uses: Option<Vec<UsedPackage>>,
}

/// A package of which a container was seen to use a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedPackage {
    /// Its name.
    pub package: String,
    /// As installed.
    pub version: String,
    /// Whether one was executed, or else only loaded.
    pub executed: bool,
}

/// What a container was seen to do with what was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    /// Nothing.
    Present,
    /// It loaded a file of it as code.
    Loaded,
    /// It executed one.
    Executed,
}

/// The same, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAt {
    /// The node.
    pub host: String,
    /// What runs there; what it uses is not read.
    pub run: Run,
    /// What it has of what was asked for: the package with the vulnerability, or the version.
    pub with: String,
    /// What it was seen to do with that package. `None`: nobody looked, or an image was asked for.
    pub used: Option<Used>,
}

/// What is looked for among what runs.
#[derive(Clone, Copy, Debug)]
pub enum RunWith<'a> {
    /// Whatever it is.
    Anything,
    /// Images with one of these digests.
    Images(&'a [Digest]),
    /// A vulnerability, by its id.
    Vulnerability(&'a str),
    /// A package by its name, of whichever version or of one.
    Package(&'a str, Option<&'a str>),
    /// A container by its name (`GROUP/CONTAINER`), or all of a group.
    Name(&'a str),
}

impl Facts {
    /// What a node runs, in place of what it said before.
    pub async fn report_running(&self, host: &str, runs: Vec<Run>, at: Timestamp) -> Result<(), Error> {
        let (host, at) = (host.to_owned(), milliseconds(at));
        let said = said(&runs);
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let same = sqlx::query("UPDATE nodes SET reported = $1 WHERE host = $2 AND said = $3")
                        .bind(at)
                        .bind(&host)
                        .bind(&said)
                        .execute(&mut *db)
                        .await?;
                    if same.rows_affected() > 0 {
                        return Ok(());
                    }
                    let old = at.saturating_sub(FORGOTTEN);
                    for sql in [
                        "DELETE FROM used WHERE host = $1 OR host IN (SELECT host FROM nodes WHERE reported < $2)",
                        "DELETE FROM running WHERE host = $1 OR host IN (SELECT host FROM nodes WHERE reported < $2)",
                        "DELETE FROM nodes WHERE host = $1 OR reported < $2",
                    ] {
                        sqlx::query(sql).bind(&host).bind(old).execute(&mut *db).await?;
                    }
                    sqlx::query("INSERT INTO nodes (host, reported, said) VALUES ($1, $2, $3)")
                        .bind(&host)
                        .bind(at)
                        .bind(said)
                        .execute(&mut *db)
                        .await?;
                    insert(&mut *db, &host, &runs).await
                })
            })
            .await
    }

    /// Every node, and when it said last what runs there.
    pub async fn nodes(&self) -> Result<Vec<(String, Timestamp)>, Error> {
        let rows: Vec<(String, i64)> =
            sqlx::query_as("SELECT host, reported FROM nodes ORDER BY host").fetch_all(&self.readers).await?;
        rows.into_iter().map(|(host, at)| Ok((host, time("nodes.reported", at)?))).collect()
    }

    /// Containers that have something, in the order of nodes and names; at most `limit`.
    pub async fn running(&self, with: RunWith<'_>, limit: u64) -> Result<Vec<RunAt>, Error> {
        const COLUMNS: &str = "SELECT DISTINCT r.host, r.container, r.digest, r.image, r.since, ";
        const USED: &str = ", r.looked, COALESCE((SELECT MAX(u.how) FROM used u WHERE u.host = r.host AND \
                            u.container = r.container AND u.package = ";
        let mut found = Vec::new();
        let statements: Vec<Query> = match with {
            RunWith::Images(images) => images
                .chunks(ASKED)
                .map(|some| {
                    let mut query = Query::new(COLUMNS);
                    query.push("'', 0, 0 FROM running r WHERE r.digest IN (");
                    query.push_list(some.iter().map(ToString::to_string));
                    query.push(")");
                    query
                })
                .collect(),
            RunWith::Anything => {
                let mut query = Query::new(COLUMNS);
                query.push("'', 0, 0 FROM running r");
                vec![query]
            }
            RunWith::Name(name) => {
                let mut query = Query::new(COLUMNS);
                query.push("'', 0, 0 FROM running r WHERE (r.container = ").push_bind(name.to_owned());
                query.push(" OR r.container LIKE ").push_bind(format!("{}/%", escaped(name)));
                query.push(" ESCAPE '!')");
                vec![query]
            }
            RunWith::Vulnerability(id) => {
                let mut query = Query::new(COLUMNS);
                query.push("h.package").push(USED).push("h.package AND u.version = h.installed), 0) ");
                query.push("FROM running r JOIN hits h ON h.digest = r.digest WHERE h.vulnerability = ");
                query.push_bind(id.to_owned());
                vec![query]
            }
            RunWith::Package(name, version) => {
                let mut query = Query::new(COLUMNS);
                query.push("i.version").push(USED).push("i.name AND u.version = i.version), 0) ");
                query.push("FROM running r JOIN installed i ON i.digest = r.digest WHERE i.name = ");
                query.push_bind(name.to_owned());
                if let Some(version) = version {
                    query.push(" AND i.version = ").push_bind(version.to_owned());
                }
                vec![query]
            }
        };
        for query in statements {
            found.extend(self.runs(query, limit).await?);
        }
        if let RunWith::Name(name) = with {
            // SQLite takes small letters for capital ones.
            let of = |rest: &str| rest.is_empty() || rest.starts_with('/');
            found.retain(|one| one.run.container.strip_prefix(name).is_some_and(of));
        }
        Ok(found)
    }

    /// Containers of images that were never looked into here: nobody knows what those have.
    pub async fn running_unlooked(&self, limit: u64) -> Result<Vec<RunAt>, Error> {
        let query = Query::new(
            "SELECT r.host, r.container, r.digest, r.image, r.since, '', 0, 0 FROM running r WHERE NOT EXISTS \
             (SELECT 1 FROM judgements j WHERE j.digest = r.digest AND j.state = 'judged')",
        );
        self.runs(query, limit).await
    }

    async fn runs(&self, mut query: Query, limit: u64) -> Result<Vec<RunAt>, Error> {
        query.push(" ORDER BY r.host, r.container LIMIT ").push_bind(signed(limit));
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter()
            .map(|row| {
                let (host, container, of, image, since, with, looked, how): Row = FromRow::from_row(row)?;
                let (digest, since) = (digest("running.digest", &of)?, time("running.since", since)?);
                let used = (looked > 0).then_some(match how {
                    2 => Used::Executed,
                    1 => Used::Loaded,
                    _ => Used::Present,
                });
                let run = Run { container, digest, image, since, uses: None };
                Ok(RunAt { host, run, with, used })
            })
            .collect()
    }
}

async fn insert(db: &mut AnyConnection, host: &str, runs: &[Run]) -> Result<(), Error> {
    for some in runs.chunks(ROWS) {
        let mut query = Query::new("INSERT INTO running (host, container, digest, image, since, looked) ");
        query.push_values(some, |row, run| {
            row.push_bind(host.to_owned());
            row.push_bind(run.container.clone());
            row.push_bind(run.digest.to_string());
            row.push_bind(run.image.clone());
            row.push_bind(milliseconds(run.since));
            row.push_bind(i64::from(run.uses.is_some()));
        });
        query.build().execute(&mut *db).await?;
    }
    let used: Vec<(&str, &UsedPackage)> = runs
        .iter()
        .flat_map(|run| run.uses.iter().flatten().map(|one| (run.container.as_str(), one)))
        .collect();
    for some in used.chunks(ROWS) {
        let mut query = Query::new("INSERT INTO used (host, container, package, version, how) ");
        query.push_values(some, |row, (container, one)| {
            row.push_bind(host.to_owned());
            row.push_bind((*container).to_owned());
            row.push_bind(one.package.clone());
            row.push_bind(one.version.clone());
            row.push_bind(if one.executed { 2_i64 } else { 1 });
        });
        // Of a package that was told twice, either.
        query.push(" ON CONFLICT DO NOTHING");
        query.build().execute(&mut *db).await?;
    }
    Ok(())
}

/// A hash of all of it.
fn said(runs: &[Run]) -> String {
    let mut text = String::new();
    // None of them has a line break in it that another could be mistaken for: all are as long as they say.
    let mut say = |part: &str| {
        // A text takes whatever is written to it.
        let _ = writeln!(text, "{} {part}", part.len());
    };
    for Run { container, digest, image, since, uses } in runs {
        for part in [container, &digest.to_string(), image, &milliseconds(*since).to_string()] {
            say(part);
        }
        say(&uses.as_ref().map_or_else(String::new, |uses| uses.len().to_string()));
        for UsedPackage { package, version, executed } in uses.iter().flatten() {
            for part in [package, version, &executed.to_string()] {
                say(part);
            }
        }
    }
    Digest::of(text.as_bytes()).to_string()
}
