//! Finding things by their names.
//!
//! Names of repositories are looked through, all of them: a hundred thousand are some megabytes. What that
//! costs has not been measured yet. Everything there is much more of (tags, digests, labels, packages, vulnerabilities) is found
//! by how it begins, through an index: the same plan in both databases, and no copy of the texts to keep true.

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

    /// Tags that begin with `text`: repository, tag, digest.
    pub async fn find_tags(&self, text: &str, limit: u64) -> Result<Vec<(String, String, String)>, Error> {
        let mut query = Query::new("SELECT repository, tag, digest FROM tags WHERE tag >= ");
        between(&mut query, "tag", text);
        query.push(" ORDER BY tag, repository LIMIT ").push_bind(signed(limit));
        self.found(query).await
    }

    /// Manifests whose digest begins with `text`: repository, digest.
    pub async fn find_digests(&self, text: &str, limit: u64) -> Result<Vec<(String, String)>, Error> {
        let mut query = Query::new("SELECT repository, digest FROM manifests WHERE digest >= ");
        between(&mut query, "digest", text);
        query.push(" ORDER BY digest, repository LIMIT ").push_bind(signed(limit));
        self.found(query).await
    }

    /// Manifests with a label of this name whose value begins with `value`; repository, digest, name, value.
    pub async fn find_label(&self, name: &str, value: &str, limit: u64) -> Result<Vec<Described>, Error> {
        let mut query = Query::new(LABELS);
        query.push("l.name = ").push_bind(name.to_owned()).push(" AND l.value >= ");
        between(&mut query, "l.value", value);
        query.push(" ORDER BY l.value, m.repository LIMIT ").push_bind(signed(limit));
        self.found(query).await
    }

    /// Manifests with a label whose name or value begins with `text`.
    pub async fn find_labels(&self, text: &str, limit: u64) -> Result<Vec<Described>, Error> {
        let mut found = Vec::new();
        for (column, order) in [
            ("l.value", " ORDER BY l.value, m.repository LIMIT "),
            ("l.name", " ORDER BY l.name, l.value LIMIT "),
        ] {
            let mut query = Query::new(LABELS);
            query.push(column).push(" >= ");
            between(&mut query, column, text);
            query.push(order).push_bind(signed(limit));
            for one in self.found::<Described>(query).await? {
                if !found.contains(&one) && (found.len() as u64) < limit {
                    found.push(one);
                }
            }
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

fn escaped(text: &str) -> String {
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
