//! Opening the database: SQLite in the data folder, or PostgreSQL that several servers share. One text of every
//! statement serves both; what differs is here and in [`writer`](super::writer).

use std::{
    path::{Path, PathBuf},
    str::FromStr as _,
    sync::Once,
    time::Duration,
};

use sqlx::{
    AnyConnection, AnyPool, ConnectOptions as _, Executor as _, SqlSafeStr as _,
    any::{AnyConnectOptions, AnyPoolOptions},
    migrate::{Migration, MigrationType, Migrator},
};
use url::Url;

use crate::Error;

/// Readers at the same time. More do not make two cores faster.
const READERS: u32 = 4;
/// The same where every read is a trip over the network.
const REMOTE_READERS: u32 = 16;
/// How long a reader of SQLite waits for a checkpoint to let it in.
const BUSY_MILLISECONDS: &str = "PRAGMA busy_timeout = 10000";
/// A commit returns when its bytes are on disk, and readers do not wait for it.
const DURABLE: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;";
/// How long an answer of PostgreSQL's door is waited for.
const CONNECT: Duration = Duration::from_secs(10);

/// Scripts in their order. A script never changes after it was released.
const SCRIPTS: &[(i64, &str, &str)] = &[
    (1, "start", include_str!("../../migrations/0001_start.sql")),
    (2, "access and log", include_str!("../../migrations/0002_access_and_log.sql")),
    (3, "references and leases", include_str!("../../migrations/0003_references.sql")),
    (4, "jobs", include_str!("../../migrations/0004_jobs.sql")),
    (5, "objects", include_str!("../../migrations/0005_objects.sql")),
    (6, "life", include_str!("../../migrations/0006_life.sql")),
    (7, "use", include_str!("../../migrations/0007_use.sql")),
    (8, "upstreams", include_str!("../../migrations/0008_upstreams.sql")),
    (9, "webhooks", include_str!("../../migrations/0009_webhooks.sql")),
    (10, "log files", include_str!("../../migrations/0010_log_files.sql")),
    (11, "removed tags", include_str!("../../migrations/0011_removed_tags.sql")),
    (12, "history", include_str!("../../migrations/0012_history.sql")),
    (13, "changes", include_str!("../../migrations/0013_changes.sql")),
    (14, "credentials", include_str!("../../migrations/0014_credentials.sql")),
    (15, "claims", include_str!("../../migrations/0015_claims.sql")),
    (16, "passed over", include_str!("../../migrations/0016_passed_over.sql")),
    (17, "running", include_str!("../../migrations/0017_running.sql")),
    (18, "used", include_str!("../../migrations/0018_used.sql")),
];

/// What differs in what a database can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    Sqlite,
    Postgres,
}

/// Where a database is, and how to reach it again.
#[derive(Clone, Debug)]
pub(super) struct Place {
    options: AnyConnectOptions,
    pub(super) dialect: Dialect,
}

impl Place {
    /// The file `facts.db` of a data folder, created for its owner's eyes only.
    pub(super) fn folder(folder: &Path) -> Result<Self, Error> {
        let path = folder.join("facts.db");
        create_private(&path)?;
        Self::file(&path)
    }

    /// A file that exists.
    pub(super) fn file(path: &Path) -> Result<Self, Error> {
        let failed = |e: std::io::Error| Error::file("open", path, e);
        let absolute: PathBuf = std::path::absolute(path).map_err(failed)?;
        let url = Url::from_file_path(&absolute)
            .map_err(|()| failed(std::io::ErrorKind::InvalidFilename.into()))?;
        // `file:///…` with its signs escaped, under the name that chooses the driver.
        Self::url(&url.as_str().replacen("file:", "sqlite:", 1))
    }

    /// `postgres://USER@HOST/DATABASE`, with the parameters that libpq knows (`sslmode`, `options` …).
    pub(super) fn server(url: &str) -> Result<Self, Error> {
        if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
            return Err(Error::Migration(
                "the address of the database must begin with postgres://".to_owned(),
            ));
        }
        Self::url(url)
    }

    fn url(url: &str) -> Result<Self, Error> {
        static DRIVERS: Once = Once::new();
        DRIVERS.call_once(sqlx::any::install_default_drivers);
        let dialect = if url.starts_with("sqlite:") { Dialect::Sqlite } else { Dialect::Postgres };
        let options = AnyConnectOptions::from_str(url)?.log_slow_statements(
            // Rewriting ten thousand verdicts may take its time.
            log::LevelFilter::Debug,
            Duration::from_secs(1),
        );
        Ok(Self { options, dialect })
    }

    /// A connection for changes.
    pub(super) async fn connect(&self) -> Result<AnyConnection, Error> {
        let mut connection = self.options.connect().await?;
        if self.dialect == Dialect::Sqlite {
            connection.execute(BUSY_MILLISECONDS).await?;
            connection.execute(DURABLE).await?;
        }
        Ok(connection)
    }

    /// Connections for reading. Those of SQLite are opened at once and stay open: opening one writes to the disk, and a
    /// disk that stalls must not keep readers waiting. The others are opened as they are needed.
    pub(super) async fn readers(&self) -> Result<AnyPool, Error> {
        let pool = self.pool();
        if self.dialect == Dialect::Sqlite {
            let mut open = Vec::new();
            for _ in 0..READERS {
                open.push(pool.acquire().await?);
            }
        }
        Ok(pool)
    }

    /// The same, each opened when it is needed.
    pub(super) fn pool(&self) -> AnyPool {
        let local = self.dialect == Dialect::Sqlite;
        let options = AnyPoolOptions::new();
        let options = if local { options.idle_timeout(None).max_lifetime(None) } else { options };
        options
            .max_connections(if local { READERS } else { REMOTE_READERS })
            .min_connections(0)
            .acquire_timeout(CONNECT)
            .after_connect({
                let dialect = self.dialect;
                move |connection, _| {
                    Box::pin(async move {
                        if dialect == Dialect::Sqlite {
                            connection.execute(BUSY_MILLISECONDS).await?;
                            connection.execute("PRAGMA query_only = ON").await?;
                        }
                        Ok(())
                    })
                }
            })
            .connect_lazy_with(self.options.clone())
    }

    /// For a connection beside the pool.
    pub(super) fn address(&self) -> &Url {
        &self.options.database_url
    }

    /// Brings the tables to this version. Servers that start together wait for each other.
    pub(super) async fn migrate(&self, connection: &mut AnyConnection) -> Result<(), Error> {
        let migrations = SCRIPTS.iter().map(|(version, name, sql)| {
            let sql = match self.dialect {
                Dialect::Sqlite => sqlx::AssertSqlSafe((*sql).to_owned()).into_sql_str(),
                Dialect::Postgres => sqlx::AssertSqlSafe(for_postgres(sql)).into_sql_str(),
            };
            Migration::new(*version, (*name).into(), MigrationType::Simple, sql, false)
        });
        let migrator = Migrator::with_migrations(migrations.collect());
        migrator.run_direct(None, connection, false).await.map_err(|e| Error::Migration(e.to_string()))
    }
}

/// Texts compare byte by byte in SQLite; bytes have another name.
fn for_postgres(script: &str) -> String {
    let lines = script.lines().filter(|line| !line.trim_start().starts_with("--"));
    let lines = lines.map(|line| line.replace(" TEXT", " TEXT COLLATE \"C\"").replace(" BLOB", " BYTEA"));
    lines.collect::<Vec<_>>().join("\n")
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
