//! Work that takes a while: collecting garbage, mirroring, importing. Whoever asks writes it down and goes on; a worker
//! of some server claims it, reports, and another takes over if that server dies. The store does not know what a job
//! does: its kind, what it is about and where it goes on are words of whoever asks and of the worker.

use boltseal_model::Timestamp;
use serde::Serialize;
use sqlx::{Row as _, any::AnyRow};

use super::{Facts, Topic, claims::NO_CLAIM, count, milliseconds, signed, sql::Query, time};
use crate::Error;

/// Ended jobs kept of each kind, for people to look back at.
const KEPT: i64 = 200;

/// How far a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum JobState {
    /// Nobody has begun.
    Waiting,
    /// Somebody has it.
    Running,
    /// Told to stop; the worker will notice at its next report.
    Stopping,
    /// Ended well.
    Done,
    /// Ended badly; the message says why.
    Failed,
    /// Stopped before its end.
    Stopped,
}

/// A job as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Job {
    /// Unique.
    pub id: String,
    /// Which worker can do it.
    pub kind: String,
    /// What it is about, as JSON that its worker understands.
    pub spec: String,
    /// Who asked: a principal's name, or `schedule`.
    pub by: String,
    /// How far it is.
    pub state: JobState,
    /// When it was asked for.
    pub requested: Timestamp,
    /// When it was first taken.
    pub started: Option<Timestamp>,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// Units done, of `total`; which units, the kind says.
    pub done: u64,
    /// Units to do, as far as known; 0 is unknown.
    pub total: u64,
    /// Where to go on.
    pub resume: Option<String>,
    /// What is going on, or what came of it.
    pub message: Option<String>,
}

/// What a worker says while it works.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Units done.
    pub done: u64,
    /// Units to do, as far as known.
    pub total: u64,
    /// Where to go on after a crash.
    pub resume: Option<String>,
    /// What is going on.
    pub message: Option<String>,
}

impl JobState {
    /// As stored and shown.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }

    fn read(word: &str) -> Result<Self, Error> {
        [Self::Waiting, Self::Running, Self::Stopping, Self::Done, Self::Failed, Self::Stopped]
            .into_iter()
            .find(|state| state.word() == word)
            .ok_or_else(|| Error::corrupt("jobs.state", word))
    }

    /// Nothing more will happen.
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed | Self::Stopped)
    }
}

const COLUMNS: &str = "SELECT id, kind, spec, by_whom, state, requested, started, ended, done, total, resume, \
                       message FROM jobs ";

impl Facts {
    /// Asks for a job. If one of this kind with the same `spec` is not over yet, that one is meant. Gives its id.
    pub async fn request_job(&self, kind: &str, spec: &str, by: &str) -> Result<String, Error> {
        let (kind, spec, by) = (kind.to_owned(), spec.to_owned(), by.to_owned());
        let (id, now) = (uuid::Uuid::new_v4().to_string(), milliseconds(Timestamp::now()));
        self.writer
            .touching(Topic::Jobs)
            .run(move |db| {
                Box::pin(async move {
                    let same: Option<String> = sqlx::query_scalar(
                        "SELECT id FROM jobs WHERE kind = $1 AND spec = $2 AND state IN ('waiting', 'running') \
                         ORDER BY requested LIMIT 1",
                    )
                    .bind(&kind)
                    .bind(&spec)
                    .fetch_optional(&mut *db)
                    .await?;
                    if let Some(same) = same {
                        return Ok(same);
                    }
                    sqlx::query(
                        "INSERT INTO jobs (id, kind, spec, by_whom, state, requested, claimed, done, total) \
                         VALUES ($1, $2, $3, $4, 'waiting', $5, 0, 0, 0)",
                    )
                    .bind(&id)
                    .bind(&kind)
                    .bind(spec)
                    .bind(by)
                    .bind(now)
                    .execute(&mut *db)
                    .await?;
                    sqlx::query(
                        "DELETE FROM jobs WHERE kind = $1 AND state IN ('done', 'failed', 'stopped') AND id NOT IN \
                         (SELECT id FROM jobs WHERE kind = $1 ORDER BY requested DESC LIMIT $2)",
                    )
                    .bind(kind)
                    .bind(KEPT)
                    .execute(db)
                    .await?;
                    Ok(id)
                })
            })
            .await
    }

    /// Takes the oldest job of one of these kinds that nobody has, or whose worker has not reported in time, until
    /// `until`. Report before then.
    pub async fn claim_job(
        &self,
        kinds: &'static [&'static str],
        until: Timestamp,
    ) -> Result<Option<Job>, Error> {
        let (now, until) = (milliseconds(Timestamp::now()), milliseconds(until));
        // Most of the time there is nothing; looking costs no transaction.
        let waiting = move |mut query: Query| {
            query.push("WHERE state IN ('waiting', 'running', 'stopping') AND (claimed < ").push_bind(now);
            query.push(" OR claimed >= ").push_bind(now.saturating_add(NO_CLAIM));
            query.push(") AND kind IN (").push_list(kinds.iter().copied());
            query.push(") ORDER BY requested, id LIMIT 1");
            query.build()
        };
        if waiting(Query::new(COLUMNS)).fetch_optional(&self.readers).await?.is_none() {
            return Ok(None);
        }
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    let Some(row) = waiting(Query::new(COLUMNS)).fetch_optional(&mut *db).await? else {
                        return Ok(None);
                    };
                    let mut job = read(&row)?;
                    if job.state == JobState::Waiting {
                        job.state = JobState::Running;
                    }
                    job.started = Some(match job.started {
                        Some(started) => started,
                        None => time("now", now)?,
                    });
                    sqlx::query("UPDATE jobs SET state = $1, started = $2, claimed = $3 WHERE id = $4")
                        .bind(job.state.word())
                        .bind(job.started.map(milliseconds))
                        .bind(until)
                        .bind(&job.id)
                        .execute(db)
                        .await?;
                    Ok(Some(job))
                })
            })
            .await
    }

    /// Writes down how far a job is, and keeps it until `until`. Gives whether to go on: false once it was told to stop.
    pub async fn report_job(&self, id: &str, progress: Progress, until: Timestamp) -> Result<bool, Error> {
        let (id, until) = (id.to_owned(), milliseconds(until));
        self.writer
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE jobs SET done = $1, total = $2, resume = $3, message = $4, claimed = $5 \
                         WHERE id = $6",
                    )
                    .bind(signed(progress.done))
                    .bind(signed(progress.total))
                    .bind(progress.resume)
                    .bind(progress.message)
                    .bind(until)
                    .bind(&id)
                    .execute(&mut *db)
                    .await?;
                    let state: Option<String> = sqlx::query_scalar("SELECT state FROM jobs WHERE id = $1")
                        .bind(id)
                        .fetch_optional(db)
                        .await?;
                    Ok(state.as_deref() == Some(JobState::Running.word()))
                })
            })
            .await
    }

    /// A job is over.
    pub async fn end_job(&self, id: &str, state: JobState, progress: Progress) -> Result<(), Error> {
        let (id, now) = (id.to_owned(), milliseconds(Timestamp::now()));
        self.writer
            .touching(Topic::Jobs)
            .run(move |db| {
                Box::pin(async move {
                    sqlx::query(
                        "UPDATE jobs SET state = $1, ended = $2, done = $3, total = $4, message = $5, resume = $6 \
                         WHERE id = $7",
                    )
                    .bind(state.word())
                    .bind(now)
                    .bind(signed(progress.done))
                    .bind(signed(progress.total))
                    .bind(progress.message)
                    .bind(progress.resume)
                    .bind(id)
                    .execute(db)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    /// Tells a job to stop; one that nobody has begun is over at once. False when it is over or unknown.
    pub async fn stop_job(&self, id: &str) -> Result<bool, Error> {
        let (id, now) = (id.to_owned(), milliseconds(Timestamp::now()));
        self.writer
            .touching(Topic::Jobs)
            .run_if(
                move |db| {
                    Box::pin(async move {
                        let stopped = sqlx::query(
                            "UPDATE jobs SET state = 'stopped', ended = $1 WHERE id = $2 AND state = 'waiting'",
                        )
                        .bind(now)
                        .bind(&id)
                        .execute(&mut *db)
                        .await?;
                        let told =
                            sqlx::query("UPDATE jobs SET state = 'stopping' WHERE id = $1 AND state = 'running'")
                                .bind(id)
                                .execute(db)
                                .await?;
                        Ok(stopped.rows_affected() + told.rows_affected() > 0)
                    })
                },
                |told| *told,
            )
            .await
    }

    /// Jobs, the newest first; of one kind, or of all.
    pub async fn jobs(&self, kind: Option<&str>, limit: u64) -> Result<Vec<Job>, Error> {
        let mut query = Query::new(COLUMNS);
        if let Some(kind) = kind {
            query.push("WHERE kind = ").push_bind(kind);
        }
        query.push(" ORDER BY requested DESC, id LIMIT ").push_bind(signed(limit));
        query.build().fetch_all(&self.readers).await?.iter().map(read).collect()
    }

    /// One job.
    pub async fn job(&self, id: &str) -> Result<Option<Job>, Error> {
        let mut query = Query::new(COLUMNS);
        query.push("WHERE id = ").push_bind(id);
        query.build().fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }
}

fn read(row: &AnyRow) -> Result<Job, Error> {
    let moment = |column: &'static str| {
        let value: Option<i64> = row.try_get(column)?;
        value.map(|value| time(column, value)).transpose()
    };
    Ok(Job {
        id: row.try_get("id")?,
        kind: row.try_get("kind")?,
        spec: row.try_get("spec")?,
        by: row.try_get("by_whom")?,
        state: JobState::read(row.try_get("state")?)?,
        requested: time("jobs.requested", row.try_get("requested")?)?,
        started: moment("started")?,
        ended: moment("ended")?,
        done: count("jobs.done", row.try_get("done")?)?,
        total: count("jobs.total", row.try_get("total")?)?,
        resume: row.try_get("resume")?,
        message: row.try_get("message")?,
    })
}
