//! Facts that change, in SQLite: one writer with group commit, many readers.

mod content;
mod documents;
mod entries;
mod judgements;
mod pending;
mod rows;
mod views;
mod writer;

use std::{path::Path, time::Duration};

use boltseal_model::{Digest, Timestamp};
use sqlx::{
    SqlSafeStr, SqlitePool,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::Error;
pub use content::{NewManifest, Referrer, StoredManifest};
pub use documents::Document;
pub use entries::{Batch, Entry, MAX_ENTRY};
pub use pending::Pending;
pub use rows::{
    Counts, Hit, ImageDetail, ImageFilter, ImageRow, ImageSort, Judgement, Kind, Listing, Material, Outcome,
    Page, ReferrerRow, State, Totals, VulnerabilityDetail, VulnerabilityFilter, VulnerabilityRow,
    VulnerabilitySort,
};
pub use views::{FixRow, Pushes, Severities};
use writer::Writer;

/// Readers at the same time. More do not make two cores faster.
const READERS: u32 = 4;
/// How long a reader waits for a checkpoint to let it in.
const BUSY: Duration = Duration::from_secs(10);

/// The database of everything but bytes. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Facts {
    readers: SqlitePool,
    writer: Writer,
}

impl Facts {
    /// Opens `folder/facts.db`, creating and migrating it as needed.
    pub async fn open(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("facts.db");
        create_private(&path)?;
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY);
        let writing = SqlitePoolOptions::new().max_connections(1).connect_with(options.clone()).await?;
        migrate(&writing).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .min_connections(0)
            .connect_lazy_with(options.read_only(true).create_if_missing(false));
        let mut connection = writing.acquire().await?.detach();
        let next = entries::next(&mut connection).await?;
        Ok(Self { readers, writer: Writer::start(connection, next) })
    }
}

/// An empty file that only its owner may read, so that SQLite never creates a readable one.
fn create_private(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::OpenOptionsExt as _;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Error::file("create", folder, e))?;
    }
    std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .mode(0o600)
        .open(path)
        .map(drop)
        .map_err(|e| Error::file("create", path, e))
}

async fn migrate(pool: &SqlitePool) -> Result<(), Error> {
    let scripts = [
        (1, "start", include_str!("../migrations/0001_start.sql")),
        (2, "access and log", include_str!("../migrations/0002_access_and_log.sql")),
    ];
    let migrations = scripts.map(|(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, sql.into_sql_str(), false)
    });
    Migrator::with_migrations(migrations.into()).run(pool).await.map_err(|e| Error::Migration(e.to_string()))
}

fn milliseconds(time: Timestamp) -> i64 {
    time.as_millisecond()
}

fn time(what: &'static str, value: i64) -> Result<Timestamp, Error> {
    Timestamp::from_millisecond(value).map_err(|e| Error::corrupt(what, &e))
}

fn digest(what: &'static str, text: &str) -> Result<Digest, Error> {
    text.parse().map_err(|e| Error::corrupt(what, &e))
}

/// A count or size; never negative in what we write.
fn count(what: &'static str, value: i64) -> Result<u64, Error> {
    u64::try_from(value).map_err(|e| Error::corrupt(what, &e))
}

/// The other way; sizes are limited far below `i64::MAX`.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
