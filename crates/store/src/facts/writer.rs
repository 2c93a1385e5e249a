//! One task owns the only writing connection and commits what has gathered in one transaction.
//!
//! A commit costs an `fsync`; while one runs, the next changes queue, and they share the one after it. Each change runs
//! in its own savepoint, so that one that fails takes nobody with it. Callers hear of success after the commit only.

use std::{fmt, future::Future, pin::Pin};

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::Error;

/// Changes that may wait. Beyond it callers wait, which is the back pressure.
const QUEUE: usize = 1024;
/// Changes in one commit: bounds how long the first of them waits for the last.
const GROUP: usize = 256;

type Pinned<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;
/// Called with how the commit ended.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
type Job = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> Pinned<'c, Answer> + Send>;

/// Hands changes to the writing task.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Job>);

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the task; it ends, with everything committed, when the last handle is dropped.
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        tokio::spawn(write(connection, receiver));
        Self(sender)
    }

    /// Runs `change` in the next commit, and returns when that is on disk.
    pub(super) async fn run<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Pinned<'c, Result<T, Error>> + Send + 'static,
    {
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            Box::pin(async move {
                let result = in_savepoint(connection, change).await;
                let answer: Answer = Box::new(move |commit| {
                    let _gone = sender.send(commit.and(result));
                });
                answer
            })
        });
        self.0.send(job).await.map_err(|_| Error::Closed)?;
        receiver.await.map_err(|_| Error::Closed)?
    }
}

async fn in_savepoint<T, F>(connection: &mut SqliteConnection, change: F) -> Result<T, Error>
where
    F: for<'c> FnOnce(&'c mut SqliteConnection) -> Pinned<'c, Result<T, Error>>,
{
    let mut savepoint = connection.begin().await?;
    match change(&mut savepoint).await {
        Ok(value) => savepoint.commit().await.map(|()| value).map_err(Error::from),
        Err(error) => {
            savepoint.rollback().await?;
            Err(error)
        }
    }
}

async fn write(mut connection: SqliteConnection, mut jobs: mpsc::Receiver<Job>) {
    let mut group = Vec::with_capacity(GROUP);
    while jobs.recv_many(&mut group, GROUP).await > 0 {
        commit(&mut connection, &mut group).await;
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "closing the facts database");
    }
}

async fn commit(connection: &mut SqliteConnection, group: &mut Vec<Job>) {
    let mut answers = Vec::with_capacity(group.len());
    let committed = async {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for job in group.drain(..) {
            answers.push(job(&mut transaction).await);
        }
        transaction.commit().await
    }
    .await
    .map_err(Error::from);
    if let Err(error) = &committed {
        tracing::error!(%error, changes = answers.len() + group.len(), "commit failed");
    }
    group.clear();
    for answer in answers {
        answer(committed.clone());
    }
}
