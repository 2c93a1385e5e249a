//! What quotas count, kept right in the transaction of every change.
//!
//! Bytes count once in each scope, however many blobs, manifests and things in the trash of its repositories need them:
//! `usage_of_quotas` counts who does. Only scopes that have a quota are counted, so that without quotas a push costs one
//! look for them.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    super::{count, signed, sql::Query},
    Measure, Refusal,
    quotas::covering,
};
use crate::Error;

/// What the repositories of a scope hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Bytes, each content once, with what is in the trash.
    pub bytes: u64,
    /// Repositories that were ever pushed to.
    pub repositories: u64,
    /// Tags.
    pub tags: u64,
}

/// What a change is about to bring.
#[derive(Debug, Default)]
pub(in super::super) struct Wanted<'a> {
    /// Digests with their bytes.
    pub bytes: &'a [(String, u64)],
    /// New tags.
    pub tags: u64,
}

struct Limits {
    scope: String,
    max_bytes: i64,
    max_repositories: i64,
    max_tags: i64,
    used_bytes: i64,
    used_repositories: i64,
    used_tags: i64,
}

/// The quotas that count a repository.
async fn limits(db: &mut AnyConnection, repository: &str) -> Result<Vec<Limits>, Error> {
    let mut query = Query::new(
        "SELECT scope, max_bytes, max_repositories, max_tags, used_bytes, used_repositories, used_tags \
         FROM quotas WHERE scope IN (",
    );
    query.push_list(covering(repository));
    query.push(") ORDER BY scope");
    let rows = query.build().fetch_all(db).await?;
    rows.iter().map(read).collect()
}

fn read(row: &AnyRow) -> Result<Limits, Error> {
    Ok(Limits {
        scope: row.try_get("scope")?,
        max_bytes: row.try_get("max_bytes")?,
        max_repositories: row.try_get("max_repositories")?,
        max_tags: row.try_get("max_tags")?,
        used_bytes: row.try_get("used_bytes")?,
        used_repositories: row.try_get("used_repositories")?,
        used_tags: row.try_get("used_tags")?,
    })
}

async fn scopes(db: &mut AnyConnection, repository: &str) -> Result<Vec<String>, Error> {
    let mut query = Query::new("SELECT scope FROM quotas WHERE scope IN (");
    query.push_list(covering(repository));
    query.push(")");
    Ok(query.scalar::<String>().fetch_all(db).await?)
}

/// Why a repository may not hold more.
pub(in super::super) async fn against_quota(
    db: &mut AnyConnection,
    repository: &str,
    wanted: Wanted<'_>,
) -> Result<Option<Refusal>, Error> {
    for limits in limits(db, repository).await? {
        let mut more_bytes = 0_u64;
        for (digest, size) in wanted.bytes {
            if limits.max_bytes >= 0 && !counts(db, &limits.scope, digest).await? {
                more_bytes = more_bytes.saturating_add(*size);
            }
        }
        let more_repositories = u64::from(limits.max_repositories >= 0 && !exists(db, repository).await?);
        for (measure, limit, used, more) in [
            (Measure::Bytes, limits.max_bytes, limits.used_bytes, more_bytes),
            (Measure::Repositories, limits.max_repositories, limits.used_repositories, more_repositories),
            (Measure::Tags, limits.max_tags, limits.used_tags, wanted.tags),
        ] {
            let Ok(limit) = u64::try_from(limit) else { continue };
            let used = count("quotas.used", used)?;
            if more > 0 && used.saturating_add(more) > limit {
                return Ok(Some(Refusal::Quota { scope: limits.scope, measure, limit, used, more }));
            }
        }
    }
    Ok(None)
}

async fn exists(db: &mut AnyConnection, repository: &str) -> Result<bool, Error> {
    let found: Option<i64> = sqlx::query_scalar("SELECT 1 FROM repositories WHERE name = $1")
        .bind(repository)
        .fetch_optional(db)
        .await?;
    Ok(found.is_some())
}

async fn counts(db: &mut AnyConnection, scope: &str, digest: &str) -> Result<bool, Error> {
    let found: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM usage_of_quotas WHERE scope = $1 AND digest = $2")
            .bind(scope)
            .bind(digest)
            .fetch_optional(db)
            .await?;
    Ok(found.is_some())
}

/// A row of the repository needs these bytes.
pub(in super::super) async fn add(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
    size: u64,
) -> Result<(), Error> {
    for scope in scopes(db, repository).await? {
        let sql = "INSERT INTO usage_of_quotas (scope, digest, size, refs) VALUES ($1, $2, $3, 1) ON CONFLICT DO NOTHING";
        let new = sqlx::query(sql)
            .bind(&scope)
            .bind(digest)
            .bind(signed(size))
            .execute(&mut *db)
            .await?
            .rows_affected();
        if new == 0 {
            sqlx::query("UPDATE usage_of_quotas SET refs = refs + 1 WHERE scope = $1 AND digest = $2")
                .bind(&scope)
                .bind(digest)
                .execute(&mut *db)
                .await?;
            continue;
        }
        sqlx::query("UPDATE quotas SET used_bytes = used_bytes + $1 WHERE scope = $2")
            .bind(signed(size))
            .bind(&scope)
            .execute(&mut *db)
            .await?;
    }
    Ok(())
}

/// A row of the repository that needed these bytes is gone.
pub(in super::super) async fn subtract(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
) -> Result<(), Error> {
    for scope in scopes(db, repository).await? {
        let sql = "SELECT size, refs FROM usage_of_quotas WHERE scope = $1 AND digest = $2";
        let found: Option<(i64, i64)> =
            sqlx::query_as(sql).bind(&scope).bind(digest).fetch_optional(&mut *db).await?;
        let Some((size, refs)) = found else { continue };
        let sql = if refs > 1 {
            "UPDATE usage_of_quotas SET refs = refs - 1 WHERE scope = $1 AND digest = $2"
        } else {
            "DELETE FROM usage_of_quotas WHERE scope = $1 AND digest = $2"
        };
        sqlx::query(sql).bind(&scope).bind(digest).execute(&mut *db).await?;
        if refs <= 1 {
            sqlx::query("UPDATE quotas SET used_bytes = used_bytes - $1 WHERE scope = $2")
                .bind(size)
                .bind(&scope)
                .execute(&mut *db)
                .await?;
        }
    }
    Ok(())
}

/// A repository is new.
pub(in super::super) async fn count_repository(
    db: &mut AnyConnection,
    repository: &str,
) -> Result<(), Error> {
    change(db, repository, "UPDATE quotas SET used_repositories = used_repositories + ", 1).await
}

/// So many tags are new, or gone.
pub(in super::super) async fn count_tags(
    db: &mut AnyConnection,
    repository: &str,
    more: i64,
) -> Result<(), Error> {
    if more == 0 {
        return Ok(());
    }
    change(db, repository, "UPDATE quotas SET used_tags = used_tags + ", more).await
}

async fn change(
    db: &mut AnyConnection,
    repository: &str,
    what: &'static str,
    more: i64,
) -> Result<(), Error> {
    let mut query = Query::new(what);
    query.push_bind(more).push(" WHERE scope IN (");
    query.push_list(covering(repository));
    query.push(")");
    query.build().execute(db).await?;
    Ok(())
}
