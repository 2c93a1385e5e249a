//! Finding things by their names.
//!
//! Names of repositories, tags and labels are found by any part of them, whatever case ASCII letters have. What begins
//! with the text comes first and is found through an index; only when that does not fill the answer, all are looked
//! through, by one scan with a limit. Both databases do the same, and no copy of the texts has to be kept true: an index
//! of parts of words is an extension that not every PostgreSQL has. With 100,000 repositories of 10 tags each such a scan
//! takes 0.8 s with SQLite and 0.3 s with PostgreSQL, on two busy cores.
//!
//! What there is much more of (digests, packages, vulnerabilities) is found by how it begins.

use std::collections::BTreeSet;

use sqlx::{AnyConnection, FromRow, any::AnyRow};

use super::{Facts, signed, sql::Query};
use crate::Error;

/// Packages written in one statement: three values each stay below the number that every build of SQLite takes (999).
const ROWS: usize = 300;
/// Bytes of a name or version that are kept, as PostgreSQL's indexes have a limit.
const MAX_NAME: usize = 255;

/// Repository, digest and two texts about the manifest.
pub type Described = (String, String, String, String);

impl Facts {
    /// Repositories with `text` in their name, after `last`.
    pub async fn find_repositories(&self, text: &str, last: &str, limit: u64) -> Result<Vec<String>, Error> {
        let mut query = Query::new("SELECT name FROM repositories WHERE name > ");
        query.push_bind(last.to_owned()).push(" AND name LIKE ").push_bind(format!("%{}%", escaped(text)));
        query.push(" ESCAPE '!' ORDER BY name LIMIT ").push_bind(signed(limit));
        query.scalar::<String>().fetch_all(&self.readers).await.map_err(Error::from)
    }

    /// Tags with `text` in them, those that begin with it first: repository, tag, digest.
    pub async fn find_tags(&self, text: &str, limit: u64) -> Result<Vec<(String, String, String)>, Error> {
        let mut query = Query::new("SELECT repository, tag, digest FROM tags WHERE tag >= ");
        between(&mut query, "tag", text);
        query.push(" ORDER BY tag, repository LIMIT ").push_bind(signed(limit));
        let mut found = self.found(query).await?;
        if (found.len() as u64) < limit {
            let mut query = Query::new("SELECT repository, tag, digest FROM tags WHERE ");
            within(&mut query, "tag", text);
            query.push(" ORDER BY tag, repository LIMIT ").push_bind(signed(limit));
            add(&mut found, self.found(query).await?, limit);
        }
        Ok(found)
    }

    /// Manifests whose digest begins with `text`: repository, digest.
    pub async fn find_digests(&self, text: &str, limit: u64) -> Result<Vec<(String, String)>, Error> {
        let mut query = Query::new("SELECT repository, digest FROM manifests WHERE digest >= ");
        between(&mut query, "digest", text);
        query.push(" ORDER BY digest, repository LIMIT ").push_bind(signed(limit));
        self.found(query).await
    }

    /// Manifests with a label of this name and `value` in its value, those that begin with it first; repository, digest,
    /// name, value.
    pub async fn find_label(&self, name: &str, value: &str, limit: u64) -> Result<Vec<Described>, Error> {
        let mut query = Query::new(LABELS);
        query.push("l.name = ").push_bind(name.to_owned()).push(" AND l.value >= ");
        between(&mut query, "l.value", value);
        query.push(" ORDER BY l.value, m.repository LIMIT ").push_bind(signed(limit));
        let mut found = self.found(query).await?;
        if (found.len() as u64) < limit {
            let mut query = Query::new(LABELS);
            query.push("l.name = ").push_bind(name.to_owned()).push(" AND ");
            within(&mut query, "l.value", value);
            query.push(" ORDER BY l.value, m.repository LIMIT ").push_bind(signed(limit));
            add(&mut found, self.found(query).await?, limit);
        }
        Ok(found)
    }

    /// Manifests with a label that has `text` in its name or value, those that begin with it first.
    pub async fn find_labels(&self, text: &str, limit: u64) -> Result<Vec<Described>, Error> {
        let mut found = Vec::new();
        for (column, order) in [
            ("l.value", " ORDER BY l.value, m.repository LIMIT "),
            ("l.name", " ORDER BY l.name, l.value, m.repository LIMIT "),
        ] {
            let mut query = Query::new(LABELS);
            query.push(column).push(" >= ");
            between(&mut query, column, text);
            query.push(order).push_bind(signed(limit));
            add(&mut found, self.found(query).await?, limit);
        }
        if (found.len() as u64) < limit {
            let mut query = Query::new(LABELS);
            query.push("(");
            within(&mut query, "l.value", text);
            query.push(" OR ");
            within(&mut query, "l.name", text);
            query.push(") ORDER BY l.name, l.value, m.repository LIMIT ").push_bind(signed(limit));
            add(&mut found, self.found(query).await?, limit);
        }
        Ok(found)
    }

    /// Images with a package: by the beginning of its name, or by name and version. Repository, digest, name, version.
    pub async fn find_packages(
        &self,
        name: &str,
        version: Option<&str>,
        limit: u64,
    ) -> Result<Vec<Described>, Error> {
        let mut query = Query::new(
            "SELECT m.repository, i.digest, i.name, i.version FROM installed i \
             JOIN manifests m ON m.digest = i.digest WHERE ",
        );
        if let Some(version) = version {
            query.push("i.name = ").push_bind(name.to_owned());
            query.push(" AND i.version = ").push_bind(version.to_owned());
        } else {
            query.push("i.name >= ");
            between(&mut query, "i.name", name);
        }
        query.push(" ORDER BY i.name, i.digest, m.repository LIMIT ").push_bind(signed(limit));
        self.found(query).await
    }

    /// Images with a vulnerability whose id begins with `text`. Repository, digest, id, package.
    pub async fn find_vulnerable(&self, text: &str, limit: u64) -> Result<Vec<Described>, Error> {
        let mut query = Query::new(
            "SELECT DISTINCT m.repository, h.digest, h.vulnerability, h.package FROM hits h \
             JOIN manifests m ON m.digest = h.digest WHERE h.vulnerability >= ",
        );
        between(&mut query, "h.vulnerability", text);
        query
            .push(" ORDER BY h.vulnerability, m.repository, h.digest, h.package LIMIT ")
            .push_bind(signed(limit));
        self.found(query).await
    }

    async fn found<T>(&self, query: Query) -> Result<Vec<T>, Error>
    where
        T: for<'r> FromRow<'r, AnyRow> + Send + Unpin,
    {
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter().map(|row| T::from_row(row).map_err(Error::from)).collect()
    }
}

const LABELS: &str = "SELECT m.repository, l.digest, l.name, l.value FROM labels l \
                      JOIN manifests m ON m.digest = l.digest WHERE ";

/// What begins with `text`, after `COLUMN >= `: texts compare byte by byte, and no text has a later sign than this.
fn between(query: &mut Query, column: &'static str, text: &str) {
    query.push_bind(text.to_owned()).push(" AND ").push(column).push(" < ");
    query.push_bind(format!("{text}\u{10ffff}"));
}

/// What has `text` in it, whatever case its ASCII letters have.
fn within(query: &mut Query, column: &'static str, text: &str) {
    query.push("LOWER(").push(column).push(") LIKE ");
    query.push_bind(format!("%{}%", escaped(&text.to_ascii_lowercase()))).push(" ESCAPE '!'");
}

/// Adds what is new, up to `limit`.
fn add<T: Ord + Clone>(found: &mut Vec<T>, more: Vec<T>, limit: u64) {
    let known: BTreeSet<T> = found.iter().cloned().collect();
    let room = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(found.len());
    found.extend(more.into_iter().filter(|one| !known.contains(one)).take(room));
}

/// `text` for LIKE with `!` before its own signs.
pub(super) fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// Writes down which packages are in an image, by name and version, in place of what was known.
pub(super) async fn write_packages(
    db: &mut AnyConnection,
    image: &str,
    packages: &[(String, String)],
) -> Result<(), Error> {
    forget_packages(db, image).await?;
    for some in packages.chunks(ROWS) {
        let mut insert = Query::new("INSERT INTO installed (name, digest, version) ");
        insert.push_values(some, |row, (name, version)| {
            row.push_bind(cut(name)).push_bind(image).push_bind(cut(version));
        });
        insert.push(" ON CONFLICT DO NOTHING");
        insert.build().execute(&mut *db).await?;
    }
    Ok(())
}

/// Forgets them.
pub(super) async fn forget_packages(db: &mut AnyConnection, image: &str) -> Result<(), Error> {
    sqlx::query("DELETE FROM installed WHERE digest = $1").bind(image).execute(db).await?;
    Ok(())
}

fn cut(text: &str) -> String {
    let mut end = MAX_NAME.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().replace('\0', "\u{fffd}")
}
