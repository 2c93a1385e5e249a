//! Deleted manifests, which can be taken back for a while.
//!
//! A row of the trash holds its own bytes and those of its blobs in `contents.refs`, apart from everything live: so a
//! deleted image is gone for whoever pulls, lists or mounts, and its bytes are not. Quotas count what is in the trash,
//! since it is on the disk. How long it stays is one setting, asked when its time is looked at: a longer time saves what
//! was deleted before, too. A tag that is removed alone is only a name: it is remembered beside (`tags`).

mod restore;
mod tags;

use boltseal_model::{Digest, Timestamp};
use sqlx::AnyConnection;

use super::{
    super::{
        Facts, Kind, Topic,
        blobs::{claim, let_go, release},
        content, count, digest, milliseconds, time,
    },
    add, against_write, subtract,
};
use crate::Error;
use restore::restore;
pub(in super::super) use tags::remember_tag;

/// The setting that says for how many days deleted manifests stay.
const DAYS: &str = "registry.trash.days";
/// The most days. Azure's registries have the same limit.
pub(super) const MAX_DAYS: u32 = 90;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A deleted manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trashed {
    /// The repository it was in.
    pub repository: String,
    /// Of the manifest.
    pub digest: Digest,
    /// As pushed.
    pub media_type: String,
    /// What it was for.
    pub kind: Kind,
    /// Bytes of what it points to.
    pub content_size: u64,
    /// Tags that pointed to it.
    pub tags: Vec<String>,
    /// When it was deleted.
    pub deleted: Timestamp,
    /// Who deleted it.
    pub by: String,
}

/// What came back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Undeleted {
    /// Manifests: the one asked for, and those that it lists.
    pub manifests: Vec<Digest>,
    /// Tags that point to it again.
    pub tags: Vec<String>,
    /// Tags that point to something else by now, and stay there.
    pub taken: Vec<String>,
}

type Row = (String, String, String, String, i64, i64, String);

impl Facts {
    /// For how many days deleted manifests stay; 0: not at all.
    pub async fn trash_days(&self) -> Result<u32, Error> {
        Ok(self.setting(DAYS).await?.and_then(|text| text.parse().ok()).unwrap_or(0))
    }

    /// Whether anybody ever said for how long deleted manifests stay.
    pub async fn has_trash_days(&self) -> Result<bool, Error> {
        Ok(self.setting(DAYS).await?.is_some())
    }

    /// Sets for how many days deleted manifests stay, 90 at most.
    pub async fn set_trash_days(&self, days: u32) -> Result<(), Error> {
        self.set(DAYS, &days.min(MAX_DAYS).to_string()).await
    }

    /// What is in the trash, of one repository or of all, after this repository and digest.
    pub async fn trash(
        &self,
        repository: Option<&str>,
        after: (&str, &str),
        limit: u64,
    ) -> Result<Vec<Trashed>, Error> {
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT repository, digest, media_type, kind, content_size, deleted, by_whom FROM trash \
             WHERE (repository = $1 OR $1 = '') AND (repository > $2 OR (repository = $2 AND digest > $3)) \
             ORDER BY repository, digest LIMIT $4",
        )
        .bind(repository.unwrap_or_default())
        .bind(after.0)
        .bind(after.1)
        .bind(super::super::signed(limit))
        .fetch_all(&self.readers)
        .await?;
        self.with_tags(rows).await
    }

    /// What has been in the trash for longer than it stays, a few of it.
    pub async fn trash_over(&self, now: Timestamp, limit: u64) -> Result<Vec<Trashed>, Error> {
        let days = i64::from(self.trash_days().await?);
        let rows: Vec<Row> = sqlx::query_as(
            "SELECT repository, digest, media_type, kind, content_size, deleted, by_whom FROM trash \
             WHERE deleted <= $1 ORDER BY deleted, repository, digest LIMIT $2",
        )
        .bind(milliseconds(now).saturating_sub(days * DAY))
        .bind(super::super::signed(limit))
        .fetch_all(&self.readers)
        .await?;
        self.with_tags(rows).await
    }

    async fn with_tags(&self, rows: Vec<Row>) -> Result<Vec<Trashed>, Error> {
        let mut all = Vec::with_capacity(rows.len());
        for (repository, name, media_type, kind, content_size, deleted, by) in rows {
            let sql = "SELECT tag FROM trash_tags WHERE repository = $1 AND digest = $2 ORDER BY tag";
            let tags = sqlx::query_scalar(sql).bind(&repository).bind(&name).fetch_all(&self.readers).await?;
            all.push(Trashed {
                repository,
                digest: digest("trash.digest", &name)?,
                media_type,
                kind: Kind::read(&kind)?,
                content_size: count("trash.content_size", content_size)?,
                tags,
                deleted: time("trash.deleted", deleted)?,
                by,
            });
        }
        Ok(all)
    }

    /// Takes a deletion back: the manifest, what it lists, and those of its tags that are free. `None` when it is not in
    /// the trash.
    pub async fn undelete(
        &self,
        repository: &str,
        wanted: &Digest,
        at: Timestamp,
    ) -> Result<Option<Undeleted>, Error> {
        let (name, wanted, now) = (repository.to_owned(), wanted.clone(), milliseconds(at));
        let topic = Topic::Repository(name.clone());
        let done = self
            .writer
            .touching(topic.clone())
            .run_if(
                move |db| {
                    Box::pin(async move {
                        if let Some(refusal) = against_write(db, &name).await? {
                            return Err(refusal.into());
                        }
                        let mut back = Undeleted::default();
                        let found = restore(db, &name, &wanted, now, 0, &mut back).await?;
                        Ok(found.then_some(back))
                    })
                },
                Option::is_some,
            )
            .await?;
        self.follow.announce(topic);
        Ok(done)
    }

    /// Ends what is in the trash for good; gives how many of them were there. Bytes go with the next collection of
    /// garbage.
    pub async fn purge(&self, trashed: Vec<(String, Digest)>, at: Timestamp) -> Result<u64, Error> {
        let now = milliseconds(at);
        self.writer
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let mut purged = 0;
                        for (repository, digest) in trashed {
                            let digest = digest.to_string();
                            if !forget(db, &repository, &digest, now).await? {
                                continue;
                            }
                            purged += 1;
                            sqlx::query("DELETE FROM locks WHERE repository = $1 AND name = $2")
                                .bind(&repository)
                                .bind(&digest)
                                .execute(&mut *db)
                                .await?;
                        }
                        Ok(purged)
                    })
                },
                |purged| *purged > 0,
            )
            .await
    }
}

/// Removes a manifest as the setting says: into the trash, or for good.
pub(in super::super) async fn remove(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
    by: &str,
    now: i64,
) -> Result<bool, Error> {
    if !keeps(db).await? || !copy(db, repository, digest, by, now).await? {
        let removed = content::remove_manifest(db, repository, digest).await?;
        sqlx::query("DELETE FROM locks WHERE repository = $1 AND name = $2")
            .bind(repository)
            .bind(digest)
            .execute(db)
            .await?;
        return Ok(removed);
    }
    content::remove_manifest(db, repository, digest).await?;
    // What nothing live points to any more goes at once: it is neither to be pulled nor mounted.
    let loose: Vec<String> = sqlx::query_scalar(
        "SELECT b.digest FROM trash_links t JOIN blobs b ON b.repository = t.repository AND b.digest = t.target \
         WHERE t.repository = $1 AND t.manifest = $2 AND b.links = 0",
    )
    .bind(repository)
    .bind(digest)
    .fetch_all(&mut *db)
    .await?;
    for blob in loose {
        let_go(db, repository, &blob, now).await?;
    }
    Ok(true)
}

/// Whether anything that is deleted stays for a while.
async fn keeps(db: &mut AnyConnection) -> Result<bool, Error> {
    let days: Option<String> = sqlx::query_scalar("SELECT value FROM settings WHERE name = $1")
        .bind(DAYS)
        .fetch_optional(db)
        .await?;
    Ok(days.and_then(|days| days.parse::<u32>().ok()).is_some_and(|days| days > 0))
}

/// Puts a copy of a manifest and of what it points to into the trash, which holds the bytes from then on as well.
async fn copy(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
    by: &str,
    now: i64,
) -> Result<bool, Error> {
    let copied = sqlx::query(
        "INSERT INTO trash (repository, digest, media_type, size, content_size, kind, platform, subject, \
         artifact_type, annotations, pushed_at, deleted, by_whom) SELECT repository, digest, media_type, size, \
         content_size, kind, platform, subject, artifact_type, annotations, pushed_at, $3, $4 FROM manifests \
         WHERE repository = $1 AND digest = $2",
    )
    .bind(repository)
    .bind(digest)
    .bind(now)
    .bind(by)
    .execute(&mut *db)
    .await?
    .rows_affected();
    if copied == 0 {
        return Ok(false);
    }
    for sql in [
        "INSERT INTO trash_links (repository, manifest, target, size) SELECT l.repository, l.manifest, l.target, \
         b.size FROM links l LEFT JOIN blobs b ON b.repository = l.repository AND b.digest = l.target \
         WHERE l.repository = $1 AND l.manifest = $2",
        "INSERT INTO trash_tags (repository, digest, tag) SELECT repository, digest, tag FROM tags \
         WHERE repository = $1 AND digest = $2",
    ] {
        sqlx::query(sql).bind(repository).bind(digest).execute(&mut *db).await?;
    }
    for (held, size) in holding(db, repository, digest).await? {
        claim(db, &held).await?;
        add(db, repository, &held, size).await?;
    }
    Ok(true)
}

/// What a row of the trash holds: its own bytes, and those of its blobs.
async fn holding(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
) -> Result<Vec<(String, u64)>, Error> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "SELECT digest, size FROM trash WHERE repository = $1 AND digest = $2 UNION ALL \
         SELECT target, size FROM trash_links WHERE repository = $1 AND manifest = $2 AND size IS NOT NULL",
    )
    .bind(repository)
    .bind(digest)
    .fetch_all(db)
    .await?;
    rows.into_iter().map(|(digest, size)| Ok((digest, count("trash.size", size)?))).collect()
}

/// Lets the trash go of a manifest; false when it is not in it.
pub(in super::super) async fn forget(
    db: &mut AnyConnection,
    repository: &str,
    digest: &str,
    now: i64,
) -> Result<bool, Error> {
    let held = holding(db, repository, digest).await?;
    if held.is_empty() {
        return Ok(false);
    }
    for (held, _) in held {
        release(db, &held, now).await?;
        subtract(db, repository, &held).await?;
    }
    for sql in [
        "DELETE FROM trash WHERE repository = $1 AND digest = $2",
        "DELETE FROM trash_links WHERE repository = $1 AND manifest = $2",
        "DELETE FROM trash_tags WHERE repository = $1 AND digest = $2",
    ] {
        sqlx::query(sql).bind(repository).bind(digest).execute(&mut *db).await?;
    }
    Ok(true)
}

/// The bytes of a blob that something in the trash of a repository holds: a push may count on what was there when it
/// looked, though the last image with it was deleted meanwhile.
pub(in super::super) async fn held_in_trash(
    db: &mut AnyConnection,
    repository: &str,
    blob: &str,
) -> Result<Option<u64>, Error> {
    let size: Option<i64> = sqlx::query_scalar(
        "SELECT size FROM trash_links WHERE repository = $1 AND target = $2 AND size IS NOT NULL LIMIT 1",
    )
    .bind(repository)
    .bind(blob)
    .fetch_optional(db)
    .await?;
    size.map(|size| count("trash_links.size", size)).transpose()
}
