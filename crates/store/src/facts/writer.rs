//! One task owns the only writing connection and commits what has gathered in one transaction.
//!
//! A commit costs an `fsync`; while one runs, the next changes queue, and they share the one after it. Each change runs
//! in its own savepoint, so that one that fails takes nobody with it. Callers hear of success after the commit only.
//!
//! A change may bring entries for the log of what was done (see [`entries`](super::entries)). Those of all changes that
//! happened are written as one row in the same transaction: there is no change without its entry, and no entry of a
//! change that did not happen.
//!
//! Where several servers share a database, each has such a task, and a lock that lasts as long as a transaction lets one
//! of them write at a time: numbers of entries stay without gaps, and a change sees all changes before it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use sqlx::{AnyConnection, Connection as _};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    database::{Dialect, Place},
    entries::{self, Entry},
    follow::{self, Topic},
};
use crate::Error;

/// Changes that may wait. Beyond it callers wait, which is the back pressure.
const QUEUE: usize = 1024;
/// Changes in one commit: bounds how long the first of them waits for the last.
const GROUP: usize = 256;
/// The name of the lock that lets one server write at a time: any number that nobody else uses.
const LOCK: i64 = 0x626f_6c74_7365_616c;

type Pinned<'c, T> = Pin<Box<dyn Future<Output = T> + Send + 'c>>;
/// Called with how the commit ended.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
type Change = Box<dyn for<'c> FnOnce(&'c mut AnyConnection) -> Pinned<'c, Ran> + Send>;

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
    topics: Vec<Topic>,
    /// Why nothing else of its transaction can be trusted any more.
    broke: Option<Error>,
    answer: Answer,
}

/// Hands changes to the writing task.
#[derive(Clone)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Job>,
    /// For the next change of this handle.
    entries: Option<Arc<Mutex<Vec<Entry>>>>,
    /// What the next change of this handle is about.
    topics: Vec<Topic>,
    /// The number of the next entry; changes after every commit that brought some.
    entered: watch::Receiver<u64>,
    tell: Arc<watch::Sender<u64>>,
    place: Place,
    /// What this server calls itself when it tells others of its changes.
    server: Arc<str>,
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
    pub(super) fn start(place: Place, connection: AnyConnection, next: u64) -> Self {
        let (jobs, receiver) = mpsc::channel(QUEUE);
        let (tell, entered) = watch::channel(next);
        let (tell, server) = (Arc::new(tell), Arc::<str>::from(uuid::Uuid::new_v4().to_string()));
        let task = Task {
            place: place.clone(),
            connection,
            entered: Arc::clone(&tell),
            server: Arc::clone(&server),
        };
        tokio::spawn(task.write(receiver));
        Self { jobs, entries: None, topics: Vec::new(), entered, tell, place, server, closed: Arc::default() }
    }

    /// A handle whose next change brings these entries with it.
    pub(super) fn with(&self, entries: Vec<Entry>) -> Self {
        Self { entries: Some(Arc::new(Mutex::new(entries))), ..self.clone() }
    }

    /// A handle whose change is about this: other servers are told.
    pub(super) fn touching(&self, topic: Topic) -> Self {
        self.touching_all(vec![topic])
    }

    /// A handle whose change is about all of these.
    pub(super) fn touching_all(&self, topics: Vec<Topic>) -> Self {
        Self { topics, ..self.clone() }
    }

    /// For the task that listens to other servers.
    pub(super) fn listening(&self) -> Listening {
        Listening {
            entered: Arc::clone(&self.tell),
            server: Arc::clone(&self.server),
            place: self.place.clone(),
        }
    }

    /// Where the database is.
    pub(super) const fn place(&self) -> &Place {
        &self.place
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
        F: for<'c> FnOnce(&'c mut AnyConnection) -> Pinned<'c, Result<T, Error>> + Send + 'static,
    {
        self.run_if(change, |_| true).await
    }

    /// The same for a change that may turn out to change nothing: then its entries are not written.
    pub(super) async fn run_if<T, F>(&self, change: F, happened: fn(&T) -> bool) -> Result<T, Error>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut AnyConnection) -> Pinned<'c, Result<T, Error>> + Send + 'static,
    {
        let (entries, topics) = (self.take()?, self.topics.clone());
        let (sender, receiver) = oneshot::channel();
        let job: Change = Box::new(move |connection| {
            Box::pin(async move {
                let result = in_savepoint(connection, change).await;
                let (entries, topics) =
                    if result.as_ref().is_ok_and(happened) { (entries, topics) } else { Default::default() };
                let broke = result.as_ref().err().filter(|error| error.is_of_the_disk()).cloned();
                let answer: Answer = Box::new(move |commit| {
                    let _gone = sender.send(commit.and(result));
                });
                Ran { entries, topics, broke, answer }
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

async fn in_savepoint<T, F>(connection: &mut AnyConnection, change: F) -> Result<T, Error>
where
    F: for<'c> FnOnce(&'c mut AnyConnection) -> Pinned<'c, Result<T, Error>>,
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

/// What the task that listens to other servers knows of the writer, without keeping it alive.
pub(super) struct Listening {
    entered: Arc<watch::Sender<u64>>,
    server: Arc<str>,
    place: Place,
}

impl Listening {
    pub(super) fn server(&self) -> &str {
        &self.server
    }

    /// Another server's entries end before this number.
    pub(super) fn entered(&self, next: u64) {
        raise(&self.entered, next);
    }

    /// Reads what was missed.
    pub(super) async fn look_again(&self) {
        let next = async { entries::next(&mut self.place.connect().await?).await };
        match next.await {
            Ok(next) => raise(&self.entered, next),
            Err(error) => tracing::warn!(%error, "entries of other servers"),
        }
    }

    pub(super) async fn ended(&self) {
        self.entered.closed().await;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.entered.is_closed()
    }
}

fn raise(entered: &watch::Sender<u64>, next: u64) {
    entered.send_if_modified(|told| {
        let more = next > *told;
        *told = next.max(*told);
        more
    });
}

/// The writing connection and what it needs.
struct Task {
    place: Place,
    connection: AnyConnection,
    entered: Arc<watch::Sender<u64>>,
    server: Arc<str>,
}

impl Task {
    async fn write(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut group = Vec::with_capacity(GROUP);
        while jobs.recv_many(&mut group, GROUP).await > 0 {
            self.commit(&mut group).await;
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "closing the facts database");
        }
    }

    async fn commit(&mut self, group: &mut Vec<Job>) {
        let mut answers: Vec<Answer> = Vec::with_capacity(group.len());
        let committed = self.transact(group, &mut answers).await;
        match &committed {
            Ok(next) => raise(&self.entered, *next),
            Err(error) => {
                tracing::error!(%error, changes = answers.len() + group.len(), "commit failed");
                self.renew().await;
            }
        }
        group.clear();
        for answer in answers {
            answer(committed.clone().map(drop));
        }
    }

    /// After a full disk SQLite has no transaction any more where the driver still counts one, and would refuse all that
    /// follow; a new connection begins afresh.
    async fn renew(&mut self) {
        match self.place.connect().await {
            Ok(connection) => self.connection = connection,
            Err(error) => tracing::error!(%error, "connecting to the facts database anew"),
        }
    }

    /// Runs the group in one transaction. Gives the number of the next entry.
    async fn transact(&mut self, group: &mut Vec<Job>, answers: &mut Vec<Answer>) -> Result<u64, Error> {
        let dialect = self.place.dialect;
        // The database may have been started anew since the last commit; nothing has been tried yet.
        if dialect == Dialect::Postgres && self.connection.ping().await.is_err() {
            self.connection = self.place.connect().await?;
        }
        let mut transaction = match dialect {
            Dialect::Sqlite => self.connection.begin_with("BEGIN IMMEDIATE").await?,
            Dialect::Postgres => self.connection.begin().await?,
        };
        let (mut gathered, mut topics) = (Vec::new(), Vec::new());
        let mut next = *self.entered.borrow();
        if dialect == Dialect::Postgres {
            sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(LOCK).execute(&mut *transaction).await?;
            next = entries::next(&mut transaction).await?;
        }
        for job in group.drain(..) {
            match job {
                Job::Change(change) => {
                    let ran = change(&mut transaction).await;
                    answers.push(ran.answer);
                    gathered.extend(ran.entries);
                    topics.extend(ran.topics);
                    if let Some(broke) = ran.broke {
                        return Err(broke);
                    }
                }
                Job::Entries(entries, sender) => {
                    answers.push(answer(sender));
                    gathered.extend(entries);
                }
                Job::Skip(to, sender) => {
                    if to > next && gathered.is_empty() {
                        entries::insert(&mut transaction, to, &[]).await?;
                        next = to;
                    }
                    answers.push(answer(sender));
                }
            }
        }
        if !gathered.is_empty() {
            entries::insert(&mut transaction, next, &gathered).await?;
            next += gathered.len() as u64;
            topics.push(Topic::Entries(next));
        }
        if dialect == Dialect::Postgres && !topics.is_empty() {
            topics.sort();
            topics.dedup();
            sqlx::query("SELECT pg_notify($1, $2)")
                .bind(follow::CHANNEL)
                .bind(follow::write(&self.server, &topics))
                .execute(&mut *transaction)
                .await?;
        }
        transaction.commit().await?;
        Ok(next)
    }
}

fn answer(sender: oneshot::Sender<Result<(), Error>>) -> Answer {
    Box::new(move |commit| {
        let _gone = sender.send(commit);
    })
}
