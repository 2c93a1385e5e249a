//! Locks on repositories, tags and manifests, in the words of Azure's registries.
//!
//! | attribute | when it is false |
//! |---|---|
//! | `readEnabled` | nothing of it is pulled |
//! | `writeEnabled` | it does not change and does not go: no push into a repository, no other manifest under a tag |
//! | `deleteEnabled` | it does not go |
//! | `listEnabled` | lists leave it out; whoever knows its name still gets it |
//!
//! A lock on a repository holds for everything in it. A manifest stays while a tag that points to it is locked, and so
//! does everything below a locked manifest or the manifest of a locked tag: the images of an index, and their layers.

mod against;

use boltseal_model::{Digest, Timestamp};
use sqlx::{AnyConnection, Row as _, any::AnyRow};

use super::{
    super::{Facts, Topic, milliseconds, sql::Query, time},
    Refusal,
};
use crate::Error;
use against::rows;
pub(in crate::facts) use against::{against_blob, against_push, against_removal, against_write};

/// Why somebody locked something, at most this many bytes: a sentence and the number of a ticket.
const MAX_NOTE: usize = 500;

/// What of a repository can be locked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Locked {
    /// All of it.
    Repository,
    /// One tag.
    Tag(String),
    /// One manifest.
    Manifest(Digest),
}

/// What is allowed. Everything, unless somebody said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "these are the four attributes of Azure's registries")]
pub struct Attributes {
    /// It may be pulled.
    pub read: bool,
    /// It may be changed, and deleted.
    pub write: bool,
    /// It may be deleted.
    pub delete: bool,
    /// Lists show it.
    pub list: bool,
}

impl Default for Attributes {
    fn default() -> Self {
        Self { read: true, write: true, delete: true, list: true }
    }
}

/// What is to be different; absent stays as it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LockChange {
    /// [`Attributes::read`].
    pub read: Option<bool>,
    /// [`Attributes::write`].
    pub write: Option<bool>,
    /// [`Attributes::delete`].
    pub delete: Option<bool>,
    /// [`Attributes::list`].
    pub list: Option<bool>,
}

/// What is allowed with one thing, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// What it is about.
    pub target: Locked,
    /// What is allowed.
    pub attributes: Attributes,
    /// Who said so; empty where nobody did.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why.
    pub note: String,
}

impl Locked {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Repository => "repository",
            Self::Tag(_) => "tag",
            Self::Manifest(_) => "manifest",
        }
    }

    /// A tag has no colon, so that no name means two things.
    fn name(&self) -> String {
        match self {
            Self::Repository => String::new(),
            Self::Tag(tag) => tag.clone(),
            Self::Manifest(digest) => digest.to_string(),
        }
    }

    /// As people write it: `team/app:v1`.
    pub fn shown(&self, repository: &str) -> String {
        match self {
            Self::Repository => repository.to_owned(),
            Self::Tag(tag) => format!("{repository}:{tag}"),
            Self::Manifest(digest) => format!("{repository}@{digest}"),
        }
    }
}

impl Lock {
    fn none(target: Locked) -> Self {
        let (attributes, at) = (Attributes::default(), Timestamp::UNIX_EPOCH);
        Self { target, attributes, by: String::new(), at, note: String::new() }
    }

    fn refusal(self, repository: &str, attribute: &'static str) -> Refusal {
        let what = self.target.shown(repository);
        Refusal::Locked { what, attribute, by: self.by, at: self.at, note: self.note }
    }

    /// Why it must not go.
    fn against_removal(self, repository: &str) -> Option<Refusal> {
        match self.attributes {
            Attributes { write: false, .. } => Some(self.refusal(repository, "writeEnabled")),
            Attributes { delete: false, .. } => Some(self.refusal(repository, "deleteEnabled")),
            _ => None,
        }
    }
}

const COLUMNS: &str = "SELECT k.name, k.kind, k.can_read, k.can_write, k.can_delete, k.can_list, k.by_whom, \
                       k.changed, k.note FROM locks k ";

impl Facts {
    /// What is locked in a repository, by name.
    pub async fn locks(&self, repository: &str) -> Result<Vec<Lock>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("WHERE k.repository = ").push_bind(repository.to_owned()).push(" ORDER BY k.name");
        let rows = query.build().fetch_all(&self.readers).await?;
        rows.iter().map(read).collect()
    }

    /// What is allowed with one thing, whether it exists or not.
    pub async fn lock(&self, repository: &str, target: Locked) -> Result<Lock, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("WHERE k.repository = ").push_bind(repository.to_owned());
        query.push(" AND k.name = ").push_bind(target.name());
        let row = query.build().fetch_optional(&self.readers).await?;
        row.as_ref().map_or_else(|| Ok(Lock::none(target)), read)
    }

    /// Changes what is allowed with something; `None` when there is no such thing.
    pub async fn change_lock(
        &self,
        repository: &str,
        target: Locked,
        change: LockChange,
        by: &str,
        note: &str,
        at: Timestamp,
    ) -> Result<Option<Lock>, Error> {
        let mut end = note.len().min(MAX_NOTE);
        while !note.is_char_boundary(end) {
            end -= 1;
        }
        let note = note.get(..end).unwrap_or_default().to_owned();
        let (name, by) = (repository.to_owned(), by.to_owned());
        let topic = Topic::Repository(name.clone());
        let changed = self
            .writer
            .touching(topic.clone())
            .run_if(
                move |db| {
                    Box::pin(async move {
                        if !exists(db, &name, &target).await? {
                            return Ok(None);
                        }
                        let names = [target.name()];
                        let before = rows(db, &name, &names).await?.into_iter().next();
                        let before = before.unwrap_or_else(|| Lock::none(target.clone()));
                        let lock = Lock { attributes: change.of(before.attributes), by, at, note, target };
                        write(db, &name, &lock).await?;
                        Ok(Some(lock))
                    })
                },
                Option::is_some,
            )
            .await?;
        // The registry of this very server keeps in memory what may be pulled.
        self.follow.announce(topic);
        Ok(changed)
    }

    /// Why a manifest must not be pulled under a tag or by its digest.
    pub async fn read_lock(
        &self,
        repository: &str,
        tag: Option<&str>,
        manifest: &Digest,
    ) -> Result<Option<Refusal>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("WHERE k.repository = ").push_bind(repository.to_owned());
        query.push(" AND k.can_read = 0 AND k.name IN (");
        query.push_list([String::new(), tag.unwrap_or_default().to_owned(), manifest.to_string()]);
        query.push(") ORDER BY k.name LIMIT 1");
        let row = query.build().fetch_optional(&self.readers).await?;
        Ok(row.as_ref().map(read).transpose()?.map(|lock| lock.refusal(repository, "readEnabled")))
    }

    /// Locks that concern pulls of a blob: on the repository, and on manifests that point to it.
    pub async fn read_locks_around(
        &self,
        repository: &str,
        blob: &Digest,
    ) -> Result<Vec<(Locked, Refusal)>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("WHERE k.repository = ").push_bind(repository.to_owned());
        query.push(" AND k.can_read = 0 AND (k.name = '' OR k.name IN (SELECT manifest FROM links WHERE repository = ");
        query.push_bind(repository.to_owned()).push(" AND target = ").push_bind(blob.to_string()).push("))");
        let rows = query.build().fetch_all(&self.readers).await?;
        let refusal = |lock: Lock| (lock.target.clone(), lock.refusal(repository, "readEnabled"));
        rows.iter().map(|row| read(row).map(refusal)).collect()
    }

    /// Tags and digests of a repository that lists leave out.
    pub async fn unlisted(&self, repository: &str) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT name FROM locks WHERE repository = $1 AND can_list = 0 AND name <> ''")
            .bind(repository)
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }

    /// Repositories that lists leave out.
    pub async fn unlisted_repositories(&self) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("SELECT repository FROM locks WHERE name = '' AND can_list = 0")
            .fetch_all(&self.readers)
            .await
            .map_err(Error::from)
    }
}

impl LockChange {
    fn of(self, before: Attributes) -> Attributes {
        Attributes {
            read: self.read.unwrap_or(before.read),
            write: self.write.unwrap_or(before.write),
            delete: self.delete.unwrap_or(before.delete),
            list: self.list.unwrap_or(before.list),
        }
    }
}

async fn exists(db: &mut AnyConnection, repository: &str, target: &Locked) -> Result<bool, Error> {
    let sql = match target {
        Locked::Repository => "SELECT 1 FROM repositories WHERE name = $1 AND $2 = ''",
        Locked::Tag(_) => "SELECT 1 FROM tags WHERE repository = $1 AND tag = $2",
        Locked::Manifest(_) => "SELECT 1 FROM manifests WHERE repository = $1 AND digest = $2",
    };
    let found: Option<i64> =
        sqlx::query_scalar(sql).bind(repository).bind(target.name()).fetch_optional(db).await?;
    Ok(found.is_some())
}

async fn write(db: &mut AnyConnection, repository: &str, lock: &Lock) -> Result<(), Error> {
    sqlx::query("DELETE FROM locks WHERE repository = $1 AND name = $2")
        .bind(repository)
        .bind(lock.target.name())
        .execute(&mut *db)
        .await?;
    let Attributes { read, write, delete, list } = lock.attributes;
    if lock.attributes == Attributes::default() {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO locks (repository, name, kind, can_read, can_write, can_delete, can_list, by_whom, changed, note) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(repository)
    .bind(lock.target.name())
    .bind(lock.target.kind())
    .bind(i64::from(read))
    .bind(i64::from(write))
    .bind(i64::from(delete))
    .bind(i64::from(list))
    .bind(&lock.by)
    .bind(milliseconds(lock.at))
    .bind(&lock.note)
    .execute(db)
    .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Lock, Error> {
    let name: String = row.try_get("name")?;
    let kind: String = row.try_get("kind")?;
    let target = match kind.as_str() {
        "repository" => Locked::Repository,
        "tag" => Locked::Tag(name),
        "manifest" => Locked::Manifest(super::super::digest("locks.name", &name)?),
        other => return Err(Error::corrupt("locks.kind", other)),
    };
    let allowed = |column: &str| row.try_get::<i64, _>(column).map(|value| value != 0);
    Ok(Lock {
        target,
        attributes: Attributes {
            read: allowed("can_read")?,
            write: allowed("can_write")?,
            delete: allowed("can_delete")?,
            list: allowed("can_list")?,
        },
        by: row.try_get("by_whom")?,
        at: time("locks.changed", row.try_get("changed")?)?,
        note: row.try_get("note")?,
    })
}
