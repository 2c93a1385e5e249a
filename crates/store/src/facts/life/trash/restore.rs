//! Taking a deletion back.

use boltseal_model::Digest;
use sqlx::AnyConnection;

use super::{
    super::{
        super::{
            Kind, bearing,
            blobs::{claim, hold},
            content, count, digest,
        },
        Wanted, add, against_quota,
    },
    Undeleted, forget,
};
use crate::Error;

/// Indexes in indexes that come back together; real ones have one level.
const MAX_DEPTH: usize = 4;

/// Makes a manifest live again, and what it lists before it.
pub(super) async fn restore(
    db: &mut AnyConnection,
    repository: &str,
    wanted: &Digest,
    now: i64,
    depth: usize,
    back: &mut Undeleted,
) -> Result<bool, Error> {
    let name = wanted.to_string();
    let sql = "SELECT size, kind FROM trash WHERE repository = $1 AND digest = $2";
    let found: Option<(i64, String)> =
        sqlx::query_as(sql).bind(repository).bind(&name).fetch_optional(&mut *db).await?;
    let Some((size, kind)) = found else { return Ok(false) };
    let links: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT target, size FROM trash_links WHERE repository = $1 AND manifest = $2 ORDER BY target",
    )
    .bind(repository)
    .bind(&name)
    .fetch_all(&mut *db)
    .await?;
    for (target, size) in &links {
        match size {
            Some(size) => hold(db, repository, target, count("trash_links.size", *size)?, now).await?,
            None if depth < MAX_DEPTH => {
                let child = digest("trash_links.target", target)?;
                Box::pin(restore(db, repository, &child, now, depth + 1, back)).await?;
            }
            None => {}
        }
    }
    sqlx::query(
        "INSERT INTO manifests (repository, digest, media_type, size, content_size, kind, platform, subject, \
         artifact_type, annotations, pushed_at) SELECT repository, digest, media_type, size, content_size, kind, \
         platform, subject, artifact_type, annotations, pushed_at FROM trash WHERE repository = $1 AND digest = $2",
    )
    .bind(repository)
    .bind(&name)
    .execute(&mut *db)
    .await?;
    claim(db, &name).await?;
    add(db, repository, &name, count("trash.size", size)?).await?;
    for (target, _) in &links {
        content::link(db, repository, &name, target).await?;
    }
    restore_tags(db, repository, &name, now, back).await?;
    bearing::changed_by(db, repository, &name).await?;
    forget(db, repository, &name, now).await?;
    if Kind::read(&kind)? == Kind::Image {
        content::request_judgement(db, &name, now).await?;
    }
    back.manifests.insert(0, wanted.clone());
    Ok(true)
}

async fn restore_tags(
    db: &mut AnyConnection,
    repository: &str,
    name: &str,
    now: i64,
    back: &mut Undeleted,
) -> Result<(), Error> {
    let sql = "SELECT tag FROM trash_tags WHERE repository = $1 AND digest = $2 ORDER BY tag";
    let tags: Vec<String> = sqlx::query_scalar(sql).bind(repository).bind(name).fetch_all(&mut *db).await?;
    point(db, repository, name, tags, now, back).await
}

/// Points a tag that was removed alone to its manifest again, if that is live. Gives whether it was removed.
pub(super) async fn restore_tag(
    db: &mut AnyConnection,
    repository: &str,
    tag: &str,
    name: &str,
    now: i64,
    back: &mut Undeleted,
) -> Result<bool, Error> {
    let live: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2")
            .bind(repository)
            .bind(name)
            .fetch_optional(&mut *db)
            .await?;
    if live.is_none() {
        return Ok(false);
    }
    let removed = sqlx::query("DELETE FROM removed_tags WHERE repository = $1 AND tag = $2 AND digest = $3")
        .bind(repository)
        .bind(tag)
        .bind(name)
        .execute(&mut *db)
        .await?
        .rows_affected();
    if removed == 0 {
        return Ok(false);
    }
    if !back.tags.iter().chain(&back.taken).any(|known| known == tag) {
        point(db, repository, name, vec![tag.to_owned()], now, back).await?;
    }
    Ok(true)
}

/// Points those of the tags to a manifest that are free.
async fn point(
    db: &mut AnyConnection,
    repository: &str,
    name: &str,
    tags: Vec<String>,
    now: i64,
    back: &mut Undeleted,
) -> Result<(), Error> {
    let before = content::tags_before(db, repository, &tags).await?;
    let (taken, free): (Vec<_>, Vec<_>) =
        tags.into_iter().partition(|tag| before.iter().any(|(known, _)| known == tag));
    let wanted = Wanted { bytes: &[], tags: free.len() as u64 };
    if let Some(refusal) = against_quota(db, repository, wanted).await? {
        return Err(refusal.into());
    }
    content::point_tags(db, repository, name, &free, &before, now).await?;
    back.tags.extend(free);
    back.taken.extend(taken);
    Ok(())
}
