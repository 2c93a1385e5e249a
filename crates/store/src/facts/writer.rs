//! One task owns the only writing connection and commits what has gathered in one transaction.
//!
//! A commit costs an `fsync`; while one runs, the next changes queue, and they share the one after it. Each change runs
//! in its own savepoint, so that one that fails takes nobody with it. Callers hear of success after the commit only.
//!
//! A change may bring entries for the log of what was done (see [`entries`](super::entries)). Those of all changes that
//! happened are written as one row in the same transaction: there is no change without its entry, and no entry of a
//! change that did not happen.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot, watch};

use super::entries::{self, Entry};
use crate::Error;

/// Changes that may wait. Beyond it callers wait, which is the back pressure.
const QUEUE: usize = 1024;
/// Changes in one commit: bounds how long the first of them waits for the last.
const GROUP: usize = 256;

type Pinned<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;
/// Called with how the commit ended.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
type Change = Box<dyn for<'c> FnOnce(&'c mut SqliteConnection) -> Pinned<'c, Ran> + Send>;

/// What waits for the next commit.
enum Job {
    /// A change, with what the log shall say of it if it happens.
    Change(Change),
    /// Entries alone.
    Entries(Vec<Entry>, oneshot::Sender<Result<(), Error>>),
    /// The next entry gets this number, if that is ahead.
    Skip(u64, oneshot::Sender<Result<(), Error>>),
}

/// A change that ran, before its commit.
struct Ran {
    entries: Vec<Entry>,
    answer: Answer,
}

/// Hands changes to the writing task.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// For the next change of this handle.
    entries: Option<Arc<Mutex<Vec<Entry>>>>,
    /// The number of the next entry; changes after every commit that brought some.
    entered: watch::Receiver<u64>,
    /// Why nothing may be recorded any more.
    closed: Arc<OnceLock<String>>,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer")
    }
}

impl Writer {
    /// Starts the task; it ends, with everything committed, when the last handle is dropped. `next` is the number of
    /// the next entry.
    pub(super) fn start(connection: SqliteConnection, next: u64) -> Self {
        let (jobs, receiver) = mpsc::channel(QUEUE);
        let (tell, entered) = watch::channel(next);
        tokio::spawn(write(connection, receiver, tell));
        Self { jobs, entries: None, entered, closed: Arc::default() }
    }

    /// A handle whose next change brings these entries with it.
    pub(super) fn with(&self, entries: Vec<Entry>) -> Self {
        Self { entries: Some(Arc::new(Mutex::new(entries))), ..self.clone() }
    }

    /// The number of the next entry, as of the last commit.
    pub(super) fn entered(&self) -> watch::Receiver<u64> {
        self.entered.clone()
    }

    /// Refuses whatever brings entries from now on.
    pub(super) fn close_log(&self, why: &str) {
        let _first_reason_stays = self.closed.set(why.to_owned());
    }

    /// Runs `change` in the next commit, and returns when that is on disk.
    pub(super) async fn run<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Pinned<'c, Result<T, Error>> + Send + 'static,
    {
        self.run_if(change, |_| true).await
    }

    /// The same for a change that may turn out to change nothing: then its entries are not written.
    pub(super) async fn run_if<T, F>(&self, change: F, happened: fn(&T) -> bool) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut SqliteConnection) -> Pinned<'c, Result<T, Error>> + Send + 'static,
    {
        let entries = self.take()?;
        let (sender, receiver) = oneshot::channel();
        let job: Change = Box::new(move |connection| {
            Box::pin(async move {
                let result = in_savepoint(connection, change).await;
                let entries = if result.as_ref().is_ok_and(happened) { entries } else { Vec::new() };
                let answer: Answer = Box::new(move |commit| {
                    let _gone = sender.send(commit.and(result));
                });
                Ran { entries, answer }
            })
        });
        self.jobs.send(Job::Change(job)).await.map_err(|_| Error::Closed)?;
        receiver.await.map_err(|_| Error::Closed)?
    }

    /// Writes entries in the next commit, and returns when that is on disk.
    pub(super) async fn append(&self, entries: Vec<Entry>) -> Result<(), Error> {
        let handle = self.with(entries);
        let entries = handle.take()?;
        let (sender, receiver) = oneshot::channel();
        self.jobs.send(Job::Entries(entries, sender)).await.map_err(|_| Error::Closed)?;
        receiver.await.map_err(|_| Error::Closed)?
    }

    /// Lets the numbers of entries go on from `next`.
    pub(super) async fn skip(&self, next: u64) -> Result<(), Error> {
        let (sender, receiver) = oneshot::channel();
        self.jobs.send(Job::Skip(next, sender)).await.map_err(|_| Error::Closed)?;
        receiver.await.map_err(|_| Error::Closed)?
    }

    /// The entries of the next change, if they may be written.
    fn take(&self) -> Result<Vec<Entry>, Error> {
        let Some(entries) = &self.entries else { return Ok(Vec::new()) };
        let entries = std::mem::take(&mut *entries.lock().unwrap_or_else(PoisonError::into_inner));
        match self.closed.get() {
            Some(why) if !entries.is_empty() => Err(Error::LogClosed(why.clone())),
            _ => entries::check(&entries).map(|()| entries),
        }
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

async fn write(mut connection: SqliteConnection, mut jobs: mpsc::Receiver<Job>, entered: watch::Sender<u64>) {
    let mut group = Vec::with_capacity(GROUP);
    while jobs.recv_many(&mut group, GROUP).await > 0 {
        commit(&mut connection, &mut group, &entered).await;
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "closing the facts database");
    }
}

async fn commit(connection: &mut SqliteConnection, group: &mut Vec<Job>, entered: &watch::Sender<u64>) {
    let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
    let (mut gathered, mut next) = (Vec::new(), *entered.borrow());
    let committed = async {
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
        for job in group.drain(..) {
            let entries = match job {
                Job::Change(change) => {
                    let ran = change(&mut transaction).await;
                    answers.push(ran.answer);
                    ran.entries
                }
                Job::Entries(entries, sender) => {
                    answers.push(Box::new(move |commit| {
                        let _gone = sender.send(commit);
                    }));
                    entries
                }
                Job::Skip(to, sender) => {
                    if to > next && gathered.is_empty() {
                        entries::insert(&mut transaction, to, &[]).await?;
                        next = to;
                    }
                    answers.push(Box::new(move |commit| {
                        let _gone = sender.send(commit);
                    }));
                    Vec::new()
                }
            };
            gathered.extend(entries);
        }
        if !gathered.is_empty() {
            entries::insert(&mut transaction, next, &gathered).await?;
        }
        transaction.commit().await.map_err(Error::from)
    }
    .await;
    match &committed {
        Ok(()) => {
            next += gathered.len() as u64;
            entered.send_if_modified(|told| std::mem::replace(told, next) != next);
        }
        Err(error) => tracing::error!(%error, changes = answers.len() + group.len(), "commit failed"),
    }
    group.clear();
    for answer in answers {
        answer(committed.clone());
    }
}
