//! The changes themselves, each a part of a transaction.

use boltseal_model::{Digest, Timestamp};
use sqlx::{AnyConnection, Row as _};

use super::{
    super::{
        Kind, State, about, bearing,
        blobs::{claim, hold, keep, release},
        credentials,
        life::{self, Wanted},
        milliseconds, pushers, search, signed,
        sql::Query,
    },
    Missing, NewManifest,
};
use crate::Error;

pub(in super::super) async fn add_repository(
    db: &mut AnyConnection,
    name: &str,
    now: i64,
) -> Result<(), Error> {
    let sql = "INSERT INTO repositories (name, created) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    let added = sqlx::query(sql).bind(name).bind(now).execute(&mut *db).await?.rows_affected();
    if added > 0 {
        life::count_repository(db, name).await?;
    }
    Ok(())
}

/// As a part of a larger change, which is not made where a lock, a rule or a quota has something against it.
pub(in super::super) async fn put_manifest(
    db: &mut AnyConnection,
    manifest: NewManifest,
) -> Result<Missing, Error> {
    store_manifest(db, manifest).await?.map_err(Error::Refused)
}

/// Stores a manifest, or says why not: what a lock, a rule or a quota has against it, or what is missing.
pub(super) async fn store_manifest(
    db: &mut AnyConnection,
    manifest: NewManifest,
) -> Result<Result<Missing, life::Refusal>, Error> {
    let (repository, name) = (&manifest.repository, manifest.digest.to_string());
    let now = milliseconds(manifest.at);
    // The bytes are stored already: without anybody who has them they are garbage, and known to be.
    keep(db, &name, manifest.size, &manifest.place, now).await?;
    let before = tags_before(db, repository, &manifest.tags).await?;
    if let Some(refusal) = life::against_push(db, repository, &name, &before).await? {
        return Ok(Err(refusal));
    }
    let missing = missing(db, &manifest, now).await?;
    if !missing.is_empty() {
        return Ok(Ok(missing));
    }
    let bytes = [(name.clone(), manifest.size)];
    let new_tags = manifest.tags.len().saturating_sub(before.len()) as u64;
    let wanted = Wanted { bytes: &bytes, tags: new_tags };
    if let Some(refusal) = life::against_quota(db, repository, wanted).await? {
        return Ok(Err(refusal));
    }
    add_repository(db, repository, now).await?;
    write_manifest(db, &manifest, &name, now).await?;
    if let Some(pusher) = &manifest.by {
        pushers::pushed(db, repository, &name, pusher, now).await?;
    }
    if let Some(said) = &manifest.about {
        about::write(db, &name, said).await?;
    }
    for target in manifest.blobs.iter().chain(&manifest.manifests) {
        link(db, repository, &name, &target.to_string()).await?;
    }
    point_tags(db, repository, &name, &manifest.tags, &before, now).await?;
    if manifest.kind != Kind::Image || manifest.subject.is_some() {
        bearing::changed_by(db, repository, &name).await?;
    }
    // It is live again, with everything it points to.
    life::forget(db, repository, &name, now).await?;
    if manifest.kind == Kind::Image {
        request_judgement(db, &name, now).await?;
    }
    Ok(Ok(missing))
}

async fn write_manifest(
    db: &mut AnyConnection,
    manifest: &NewManifest,
    name: &str,
    now: i64,
) -> Result<(), Error> {
    let repository = &manifest.repository;
    let known: Option<i64> =
        sqlx::query_scalar("SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2")
            .bind(repository)
            .bind(name)
            .fetch_optional(&mut *db)
            .await?;
    if known.is_none() {
        claim(db, name).await?;
        life::add(db, repository, name, manifest.size).await?;
    }
    sqlx::query(
        "INSERT INTO manifests (repository, digest, media_type, size, content_size, kind, platform, subject, \
         artifact_type, annotations, pushed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) \
         ON CONFLICT (repository, digest) DO UPDATE SET media_type = excluded.media_type, \
         pushed_at = excluded.pushed_at",
    )
    .bind(repository)
    .bind(name)
    .bind(&manifest.media_type)
    .bind(signed(manifest.size))
    .bind(signed(manifest.content_size))
    .bind(manifest.kind.word())
    .bind(manifest.platform.as_ref().map(ToString::to_string))
    .bind(manifest.subject.as_ref().map(ToString::to_string))
    .bind(&manifest.artifact_type)
    .bind(&manifest.annotations)
    .bind(now)
    .execute(db)
    .await?;
    Ok(())
}

/// Where those of `tags` that exist point now.
pub(in super::super) async fn tags_before(
    db: &mut AnyConnection,
    repository: &str,
    tags: &[String],
) -> Result<Vec<(String, String)>, Error> {
    if tags.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = Query::new("SELECT tag, digest FROM tags WHERE repository = ");
    query.push_bind(repository.to_owned()).push(" AND tag IN (");
    query.push_list(tags.iter().cloned());
    query.push(")");
    let rows = query.build().fetch_all(db).await?;
    rows.iter().map(|row| Ok((row.try_get("tag")?, row.try_get("digest")?))).collect()
}

/// Points tags to a manifest; `before` says which of them exist.
pub(in super::super) async fn point_tags(
    db: &mut AnyConnection,
    repository: &str,
    manifest: &str,
    tags: &[String],
    before: &[(String, String)],
    now: i64,
) -> Result<(), Error> {
    for (tag, former) in before.iter().filter(|(_, former)| former != manifest) {
        about::moved(db, repository, tag, former, now).await?;
    }
    let speaking = tags.iter().filter_map(|tag| bearing::spoken_of(tag)).collect();
    bearing::changed(db, speaking).await?;
    let mut new = 0;
    for (place, tag) in tags.iter().enumerate() {
        let sql = "INSERT INTO tags (repository, tag, digest, updated) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest, updated = excluded.updated";
        sqlx::query(sql).bind(repository).bind(tag).bind(manifest).bind(now).execute(&mut *db).await?;
        let again = tags.iter().take(place).any(|earlier| earlier == tag);
        new += i64::from(!again && before.iter().all(|(known, _)| known != tag));
    }
    life::count_tags(db, repository, new).await
}

/// Removes a tag and what was locked of it; false when there was none. It can be taken back for as long as the trash
/// keeps things.
pub(super) async fn remove_tag(
    db: &mut AnyConnection,
    repository: &str,
    tag: &str,
    now: i64,
) -> Result<bool, Error> {
    life::remember_tag(db, repository, tag, now).await?;
    let removed = sqlx::query("DELETE FROM tags WHERE repository = $1 AND tag = $2")
        .bind(repository)
        .bind(tag)
        .execute(&mut *db)
        .await?
        .rows_affected();
    if removed == 0 {
        return Ok(false);
    }
    life::count_tags(db, repository, -1).await?;
    bearing::changed(db, bearing::spoken_of(tag).into_iter().collect()).await?;
    let sql = "DELETE FROM locks WHERE repository = $1 AND name = $2";
    sqlx::query(sql).bind(repository).bind(tag).execute(db).await?;
    Ok(true)
}

pub(in super::super) async fn request_judgement(
    db: &mut AnyConnection,
    image: &str,
    now: i64,
) -> Result<(), Error> {
    let (pending, failed) = (State::Pending.word(), State::Failed.word());
    sqlx::query(
        "INSERT INTO judgements (digest, state, requested, attempts) VALUES ($1, $2, $3, 0) \
         ON CONFLICT (digest) DO UPDATE SET state = excluded.state, requested = excluded.requested, attempts = 0 \
         WHERE judgements.state = $4",
    )
    .bind(image)
    .bind(pending)
    .bind(now)
    .bind(failed)
    .execute(db)
    .await?;
    Ok(())
}

async fn missing(db: &mut AnyConnection, manifest: &NewManifest, now: i64) -> Result<Missing, Error> {
    let mut missing = Missing::new();
    let blob = "SELECT 1 FROM blobs WHERE repository = $1 AND digest = $2";
    let child = "SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2";
    let wanted =
        (manifest.blobs.iter().map(|d| (d, blob))).chain(manifest.manifests.iter().map(|d| (d, child)));
    for (digest, sql) in wanted {
        let found: Option<i64> = sqlx::query_scalar(sql)
            .bind(&manifest.repository)
            .bind(digest.to_string())
            .fetch_optional(&mut *db)
            .await?;
        if found.is_none() && !revive(db, &manifest.repository, digest, now).await? {
            missing.push(digest.clone());
        }
    }
    Ok(missing)
}

/// Gives a repository back a blob that only its trash still has.
async fn revive(db: &mut AnyConnection, repository: &str, blob: &Digest, now: i64) -> Result<bool, Error> {
    let blob = blob.to_string();
    let Some(size) = life::held_in_trash(db, repository, &blob).await? else { return Ok(false) };
    hold(db, repository, &blob, size, now).await?;
    Ok(true)
}

/// Notes that a manifest points to something, and counts it where that is a blob.
pub(in super::super) async fn link(
    db: &mut AnyConnection,
    repository: &str,
    manifest: &str,
    target: &str,
) -> Result<(), Error> {
    let added = sqlx::query(
        "INSERT INTO links (repository, manifest, target) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(repository)
    .bind(manifest)
    .bind(target)
    .execute(&mut *db)
    .await?
    .rows_affected();
    if added > 0 {
        sqlx::query("UPDATE blobs SET links = links + 1 WHERE repository = $1 AND digest = $2")
            .bind(repository)
            .bind(target)
            .execute(db)
            .await?;
    }
    Ok(())
}

pub(in super::super) async fn remove_manifest(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
) -> Result<bool, Error> {
    let now = milliseconds(Timestamp::now());
    // While it still says what it is about.
    bearing::changed_by(db, repository, digest).await?;
    let removed = sqlx::query("DELETE FROM manifests WHERE repository = $1 AND digest = $2")
        .bind(repository)
        .bind(digest)
        .execute(&mut *db)
        .await?
        .rows_affected();
    if removed == 0 {
        return Ok(false);
    }
    sqlx::query(
        "UPDATE blobs SET links = links - 1, touched = $1 WHERE repository = $2 AND digest IN \
         (SELECT target FROM links WHERE repository = $2 AND manifest = $3)",
    )
    .bind(now)
    .bind(repository)
    .bind(digest)
    .execute(&mut *db)
    .await?;
    pushers::forget(db, repository, digest).await?;
    let mut rows = [0; 3];
    for (gone, sql) in rows.iter_mut().zip([
        "DELETE FROM locks WHERE repository = $1 AND name IN \
         (SELECT tag FROM tags WHERE repository = $1 AND digest = $2)",
        "DELETE FROM links WHERE repository = $1 AND manifest = $2",
        "DELETE FROM tags WHERE repository = $1 AND digest = $2",
    ]) {
        *gone = sqlx::query(sql).bind(repository).bind(digest).execute(&mut *db).await?.rows_affected();
    }
    let [.., tags] = rows;
    life::count_tags(db, repository, signed(tags).saturating_neg()).await?;
    life::subtract(db, repository, digest).await?;
    release(db, digest, now).await?;
    forget_judgement(db, digest, now).await?;
    Ok(true)
}

/// Nothing is said of an image that no repository has.
async fn forget_judgement(db: &mut AnyConnection, digest: &str, now: i64) -> Result<(), Error> {
    let elsewhere: Option<i64> = sqlx::query_scalar("SELECT 1 FROM manifests WHERE digest = $1 LIMIT 1")
        .bind(digest)
        .fetch_optional(&mut *db)
        .await?;
    if elsewhere.is_none() {
        search::forget_packages(db, digest).await?;
        credentials::forget(db, digest, now).await?;
        for sql in [
            "DELETE FROM hits WHERE digest = $1",
            "DELETE FROM finding_changes WHERE digest = $1",
            "DELETE FROM judgements WHERE digest = $1",
        ] {
            sqlx::query(sql).bind(digest).execute(&mut *db).await?;
        }
    }
    Ok(())
}
