//! How much a repository, everything below a prefix, or the registry may hold.

use boltseal_model::Timestamp;
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    super::{Facts, Topic, count, milliseconds, signed, time},
    Usage,
};
use crate::Error;

/// A limit for a scope: `*` (the registry), `team/*` (everything below `team/`) or `team/app`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What it counts.
    pub scope: String,
    /// Bytes, each content once; `None` for no limit.
    pub bytes: Option<u64>,
    /// Repositories.
    pub repositories: Option<u64>,
    /// Tags.
    pub tags: Option<u64>,
}

/// A quota, and what is used of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotaRow {
    /// The limits.
    pub quota: Quota,
    /// What is used.
    pub used: Usage,
    /// Who set it.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// The scopes that count a repository, the widest first.
pub(super) fn covering(repository: &str) -> Vec<String> {
    let mut scopes = vec!["*".to_owned()];
    scopes.extend(
        repository
            .match_indices('/')
            .filter_map(|(at, _)| repository.get(..at).map(|prefix| format!("{prefix}/*"))),
    );
    scopes.push(repository.to_owned());
    scopes
}

/// The names of repositories that a scope counts: from the first, up to before the second.
fn range(scope: &str) -> (String, String) {
    match scope.strip_suffix('*') {
        // Names begin with a letter or a digit; `~` comes after both.
        Some("") => (String::new(), "~".to_owned()),
        // `0` comes after `/`.
        Some(prefix) => (prefix.to_owned(), format!("{}0", prefix.trim_end_matches('/'))),
        // No character of a name comes before `!`.
        None => (scope.to_owned(), format!("{scope}!")),
    }
}

const COLUMNS: &str = "SELECT scope, max_bytes, max_repositories, max_tags, used_bytes, used_repositories, \
                       used_tags, by_whom, changed FROM quotas ORDER BY scope";
/// Every row that needs bytes, in the repositories of a scope.
const HOLDING: &str = "(SELECT digest, size FROM blobs WHERE repository >= $1 AND repository < $2 \
    UNION ALL SELECT digest, size FROM manifests WHERE repository >= $1 AND repository < $2 \
    UNION ALL SELECT digest, size FROM trash WHERE repository >= $1 AND repository < $2 \
    UNION ALL SELECT target, size FROM trash_links WHERE repository >= $1 AND repository < $2 AND size IS NOT NULL)";

impl Facts {
    /// All quotas with what is used of them, by scope.
    pub async fn quotas(&self) -> Result<Vec<QuotaRow>, Error> {
        let rows = sqlx::query(COLUMNS).fetch_all(&self.readers).await?;
        rows.iter().map(read).collect()
    }

    /// Sets the limits of a scope. A new quota counts what is there, which takes as long as reading the rows of its
    /// repositories does. What is already more than the limit stays; nothing more comes.
    pub async fn put_quota(&self, quota: Quota, by: &str, at: Timestamp) -> Result<(), Error> {
        let by = by.to_owned();
        self.writer
            .touching(Topic::Settings)
            .run(move |db| Box::pin(async move { put(db, quota, &by, milliseconds(at)).await }))
            .await
    }

    /// Ends a quota; false when the scope has none.
    pub async fn remove_quota(&self, scope: &str) -> Result<bool, Error> {
        let scope = scope.to_owned();
        self.writer
            .touching(Topic::Settings)
            .run_if(
                move |db| {
                    Box::pin(async move {
                        sqlx::query("DELETE FROM usage_of_quotas WHERE scope = $1")
                            .bind(&scope)
                            .execute(&mut *db)
                            .await?;
                        let done = sqlx::query("DELETE FROM quotas WHERE scope = $1").bind(scope).execute(db);
                        Ok(done.await?.rows_affected() > 0)
                    })
                },
                |removed| *removed,
            )
            .await
    }

    /// What the repositories of a scope hold, counted anew from all rows: what the kept figures must be.
    pub async fn measure(&self, scope: &str) -> Result<Usage, Error> {
        let mut connection = self.readers.acquire().await?;
        measure(&mut connection, scope).await
    }
}

async fn put(db: &mut AnyConnection, quota: Quota, by: &str, now: i64) -> Result<(), Error> {
    let limit = |limit: Option<u64>| limit.map_or(-1, signed);
    let known: Option<i64> = sqlx::query_scalar("SELECT 1 FROM quotas WHERE scope = $1")
        .bind(&quota.scope)
        .fetch_optional(&mut *db)
        .await?;
    if known.is_none() {
        sqlx::query(
            "INSERT INTO quotas (scope, max_bytes, max_repositories, max_tags, used_bytes, used_repositories, \
             used_tags, by_whom, changed) VALUES ($1, -1, -1, -1, 0, 0, 0, '', 0)",
        )
        .bind(&quota.scope)
        .execute(&mut *db)
        .await?;
        count_anew(db, &quota.scope).await?;
    }
    sqlx::query(
        "UPDATE quotas SET max_bytes = $1, max_repositories = $2, max_tags = $3, by_whom = $4, changed = $5 \
         WHERE scope = $6",
    )
    .bind(limit(quota.bytes))
    .bind(limit(quota.repositories))
    .bind(limit(quota.tags))
    .bind(by)
    .bind(now)
    .bind(quota.scope)
    .execute(db)
    .await?;
    Ok(())
}

/// Writes down what a scope holds.
async fn count_anew(db: &mut AnyConnection, scope: &str) -> Result<(), Error> {
    let (first, end) = range(scope);
    sqlx::query("DELETE FROM usage_of_quotas WHERE scope = $1").bind(scope).execute(&mut *db).await?;
    let sql = format!(
        "INSERT INTO usage_of_quotas (scope, digest, size, refs) \
         SELECT $3, digest, MAX(size), COUNT(*) FROM {HOLDING} AS every GROUP BY digest"
    );
    sqlx::query(sqlx::AssertSqlSafe(sql)).bind(first).bind(end).bind(scope).execute(&mut *db).await?;
    let used = measure(db, scope).await?;
    sqlx::query("UPDATE quotas SET used_bytes = $1, used_repositories = $2, used_tags = $3 WHERE scope = $4")
        .bind(signed(used.bytes))
        .bind(signed(used.repositories))
        .bind(signed(used.tags))
        .bind(scope)
        .execute(db)
        .await?;
    Ok(())
}

async fn measure(db: &mut AnyConnection, scope: &str) -> Result<Usage, Error> {
    let (first, end) = range(scope);
    let bytes = format!(
        "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM \
         (SELECT digest, MAX(size) AS size FROM {HOLDING} AS every GROUP BY digest) AS one"
    );
    let repositories = "SELECT COUNT(*) FROM repositories WHERE name >= $1 AND name < $2".to_owned();
    let tags = "SELECT COUNT(*) FROM tags WHERE repository >= $1 AND repository < $2".to_owned();
    let mut counted = [0_u64; 3];
    for (figure, sql) in counted.iter_mut().zip([bytes, repositories, tags]) {
        let found: i64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).bind(&first).bind(&end).fetch_one(&mut *db).await?;
        *figure = count("quotas", found)?;
    }
    let [bytes, repositories, tags] = counted;
    Ok(Usage { bytes, repositories, tags })
}

fn read(row: &AnyRow) -> Result<QuotaRow, Error> {
    let limit = |column: &str| row.try_get::<i64, _>(column).map(|value| u64::try_from(value).ok());
    let used = |column: &str| count("quotas.used", row.try_get(column)?);
    Ok(QuotaRow {
        quota: Quota {
            scope: row.try_get("scope")?,
            bytes: limit("max_bytes")?,
            repositories: limit("max_repositories")?,
            tags: limit("max_tags")?,
        },
        used: Usage {
            bytes: used("used_bytes")?,
            repositories: used("used_repositories")?,
            tags: used("used_tags")?,
        },
        by: row.try_get("by_whom")?,
        at: time("quotas.changed", row.try_get("changed")?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_and_ranges_agree() {
        let names = [
            "a",
            "team",
            "team/app",
            "team/app2",
            "team/app/x",
            "team-2/app",
            "team.x/app",
            "teams/app",
            "z/9",
        ];
        for scope in ["*", "team/*", "team/app", "team/app/*", "z/*", "nobody/*", "team"] {
            let (first, end) = range(scope);
            for name in names {
                let in_range = *name >= *first && *name < *end;
                assert_eq!(in_range, covering(name).iter().any(|one| one == scope), "{scope} {name}");
            }
        }
    }
}
