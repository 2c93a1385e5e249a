//! Both databases: a test that takes a [`Database`] runs on each.

use boltseal_store::Facts;

/// Where the facts of one test are.
pub enum Database {
    Sqlite(tempfile::TempDir),
    Postgres(String),
}

impl Database {
    /// One of each kind that this machine has. The second is skipped, aloud, where there is no PostgreSQL.
    pub fn each() -> Vec<Self> {
        let sqlite = Self::Sqlite(tempfile::tempdir().unwrap());
        let postgres = boltseal_testkit::postgres().map(|server| Self::Postgres(server.database()));
        [sqlite].into_iter().chain(postgres).collect()
    }

    /// The facts, as a process that starts sees them.
    pub async fn open(&self) -> Facts {
        match self {
            Self::Sqlite(folder) => Facts::open(folder.path()).await,
            Self::Postgres(address) => Facts::connect(address).await,
        }
        .unwrap()
    }
}
