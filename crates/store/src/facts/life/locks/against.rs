//! What locks have against a change, asked in its transaction.

use sqlx::{AnyConnection, AssertSqlSafe};

use super::{
    super::{super::sql::Query, Refusal, immutable},
    COLUMNS, Lock, Locked, read,
};
use crate::Error;

/// The locks under these names.
pub(super) async fn rows(
    db: &mut AnyConnection,
    repository: &str,
    names: &[String],
) -> Result<Vec<Lock>, Error> {
    let mut query = Query::new(COLUMNS);
    query.push("WHERE k.repository = ").push_bind(repository.to_owned()).push(" AND k.name IN (");
    query.push_list(names.iter().cloned());
    query.push(") ORDER BY k.name");
    let rows = query.build().fetch_all(db).await?;
    rows.iter().map(read).collect()
}

/// Why nothing may be brought into a repository.
pub(in crate::facts) async fn against_write(
    db: &mut AnyConnection,
    repository: &str,
) -> Result<Option<Refusal>, Error> {
    let locks = rows(db, repository, &[String::new()]).await?;
    let closed = locks.into_iter().find(|lock| !lock.attributes.write);
    Ok(closed.map(|lock| lock.refusal(repository, "writeEnabled")))
}

/// Why a manifest may not be pushed under these tags, of which `before` says where they point now.
pub(in crate::facts) async fn against_push(
    db: &mut AnyConnection,
    repository: &str,
    manifest: &str,
    before: &[(String, String)],
) -> Result<Option<Refusal>, Error> {
    // Pushing again what is there changes nothing, and answers a client that did not hear the first answer.
    let moving = before.iter().filter(|(_, digest)| digest != manifest).map(|(tag, _)| tag);
    let moving: Vec<String> = moving.cloned().collect();
    let names: Vec<String> = moving.iter().cloned().chain([String::new()]).collect();
    let locks = rows(db, repository, &names).await?;
    if let Some(lock) = locks.into_iter().find(|lock| !lock.attributes.write) {
        return Ok(Some(lock.refusal(repository, "writeEnabled")));
    }
    immutable::against(db, repository, &moving).await
}

/// Why a tag or a manifest may not be removed.
pub(in crate::facts) async fn against_removal(
    db: &mut AnyConnection,
    repository: &str,
    target: &Locked,
) -> Result<Option<Refusal>, Error> {
    let tags: Vec<String> = match target {
        Locked::Repository => Vec::new(),
        Locked::Tag(tag) => vec![tag.clone()],
        Locked::Manifest(digest) => {
            let sql = "SELECT tag FROM tags WHERE repository = $1 AND digest = $2 ORDER BY tag";
            sqlx::query_scalar(sql).bind(repository).bind(digest.to_string()).fetch_all(&mut *db).await?
        }
    };
    let names: Vec<String> = tags.iter().cloned().chain([String::new(), target.name()]).collect();
    let locks = rows(db, repository, &names).await?;
    if let Some(refusal) = locks.into_iter().find_map(|lock| lock.against_removal(repository)) {
        return Ok(Some(refusal));
    }
    if let Some(refusal) = immutable::against(db, repository, &tags).await? {
        return Ok(Some(refusal));
    }
    match target {
        Locked::Manifest(digest) => held_above(db, repository, &digest.to_string()).await,
        Locked::Repository | Locked::Tag(_) => Ok(None),
    }
}

/// Why a blob may not be removed.
pub(in crate::facts) async fn against_blob(
    db: &mut AnyConnection,
    repository: &str,
    blob: &str,
) -> Result<Option<Refusal>, Error> {
    let locks = rows(db, repository, &[String::new()]).await?;
    if let Some(refusal) = locks.into_iter().find_map(|lock| lock.against_removal(repository)) {
        return Ok(Some(refusal));
    }
    held_above(db, repository, blob).await
}

/// A lock on what points to something, at whatever distance, or a lock or rule on a tag of that: an index holds its
/// images, and so their layers.
async fn held_above(
    db: &mut AnyConnection,
    repository: &str,
    target: &str,
) -> Result<Option<Refusal>, Error> {
    // UNION leaves out what was found before, so this ends, also where something should point to itself.
    const ABOVE: &str = "WITH RECURSIVE above (name) AS \
         (SELECT manifest FROM links WHERE repository = $1 AND target = $2 UNION \
         SELECT l.manifest FROM above a JOIN links l ON l.repository = $1 AND l.target = a.name) ";
    let locks = [
        ABOVE,
        COLUMNS,
        "WHERE k.repository = $1 AND (k.can_write = 0 OR k.can_delete = 0) AND (k.name IN (SELECT name FROM above) \
         OR k.name IN (SELECT t.tag FROM above a JOIN tags t ON t.repository = $1 AND t.digest = a.name)) \
         ORDER BY k.name LIMIT 1",
    ];
    let row = sqlx::query(AssertSqlSafe(locks.concat()))
        .bind(repository)
        .bind(target)
        .fetch_optional(&mut *db)
        .await?;
    if let Some(lock) = row.as_ref().map(read).transpose()? {
        return Ok(lock.against_removal(repository));
    }
    let tags = [
        ABOVE,
        "SELECT t.tag FROM above a JOIN tags t ON t.repository = $1 AND t.digest = a.name ORDER BY t.tag",
    ];
    let tags: Vec<String> = sqlx::query_scalar(AssertSqlSafe(tags.concat()))
        .bind(repository)
        .bind(target)
        .fetch_all(&mut *db)
        .await?;
    immutable::against(db, repository, &tags).await
}
