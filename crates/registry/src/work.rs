//! Work that takes a while: claimed from the facts, done in the background, reported as it goes.
//!
//! Whoever asks (an API, a schedule) writes a job down; see [`boltseal_store::Job`]. One task here claims them, one at a
//! time of each kind, renews its claim while the work runs, and writes down how it ended. When this process dies, the
//! claim runs out and another server, or this one after its next start, goes on from the last report.
//!
//! A new kind is one line in [`ALL`] and one function.

use std::{future::Future, pin::Pin, sync::Arc, time::Duration};

use boltseal_api::upstreams::kinds;
use boltseal_model::Timestamp;
use boltseal_store::{Job, JobState, Progress};
use tokio::sync::Mutex;

use crate::{Registry, garbage, reopening, retention, scrub, upstream};

/// How long a claim lasts. A worker reports several times within it.
const CLAIM: Duration = Duration::from_secs(30);
/// How often a claim is renewed while the work itself says nothing.
const RENEW: Duration = Duration::from_secs(10);
/// How often jobs are looked for. One read that usually finds nothing.
const LOOK: Duration = Duration::from_secs(1);

/// How a piece of work ended, with a sentence for people.
#[derive(Debug)]
pub(crate) enum Ended {
    Done(String),
    /// It was told to stop, and did at a place where it can go on.
    Stopped(String),
    Failed(String),
}

pub(crate) type Running = Pin<Box<dyn Future<Output = Ended> + Send>>;

/// One kind of work.
pub(crate) struct Kind {
    /// As in the facts.
    word: &'static str,
    run: fn(Registry, Job, Arc<Reporter>) -> Running,
}

/// Every kind there is.
const ALL: &[Kind] = &[
    Kind { word: "collect", run: garbage::run },
    Kind { word: "scrub", run: scrub::run },
    Kind { word: kinds::IMPORT_JOB, run: upstream::import::run },
    Kind { word: kinds::MIRROR_JOB, run: upstream::mirror::run },
    Kind { word: retention::KIND, run: retention::run },
    Kind { word: reopening::KIND, run: reopening::run },
];

/// Says how far a job is.
pub(crate) struct Reporter {
    registry: Registry,
    id: String,
    last: Mutex<Progress>,
}

impl Reporter {
    fn new(registry: &Registry, job: &Job) -> Self {
        let (resume, message) = (job.resume.clone(), job.message.clone());
        let last = Progress { done: job.done, total: job.total, resume, message };
        Self { registry: registry.clone(), id: job.id.clone(), last: Mutex::new(last) }
    }

    /// Writes down how far the work is. Gives whether to go on: false once somebody told it to stop.
    pub(crate) async fn report(&self, progress: Progress) -> bool {
        *self.last.lock().await = progress;
        self.renew().await
    }

    /// Keeps the job without a new word. Gives whether to go on, as well.
    pub(crate) async fn renew(&self) -> bool {
        let last = self.last.lock().await.clone();
        let until = Timestamp::now() + CLAIM;
        let told = self.registry.0.facts.report_job(&self.id, last, until).await;
        told.unwrap_or_else(|error| {
            // The claim may run out meanwhile; then somebody goes on from the last report.
            tracing::warn!(%error, job = self.id, "reporting");
            true
        })
    }
}

impl Registry {
    /// Does jobs for ever.
    pub(crate) fn work(&self) {
        for kind in ALL {
            tokio::spawn(self.clone().work_on(kind));
        }
    }

    async fn work_on(self, kind: &'static Kind) {
        loop {
            match self.0.facts.claim_job(std::slice::from_ref(&kind.word), Timestamp::now() + CLAIM).await {
                Ok(Some(job)) => self.do_one(kind, job).await,
                Ok(None) => tokio::time::sleep(LOOK).await,
                Err(error) => {
                    tracing::error!(%error, kind = kind.word, "looking for jobs");
                    tokio::time::sleep(RENEW).await;
                }
            }
        }
    }

    async fn do_one(&self, kind: &Kind, job: Job) {
        let (id, stopping) = (job.id.clone(), job.state == JobState::Stopping);
        let reporter = Arc::new(Reporter::new(self, &job));
        let renewing = tokio::spawn({
            let reporter = Arc::clone(&reporter);
            async move {
                loop {
                    tokio::time::sleep(RENEW).await;
                    reporter.renew().await;
                }
            }
        });
        let ended = if stopping {
            // Whoever had it is gone.
            Ended::Stopped("stopped".to_owned())
        } else {
            // In a task of its own: work that panics is a job that failed, not the end of all work.
            let work = tokio::spawn((kind.run)(self.clone(), job, Arc::clone(&reporter)));
            work.await.unwrap_or_else(|error| Ended::Failed(error.to_string()))
        };
        renewing.abort();
        let (state, message) = match ended {
            Ended::Done(message) => (JobState::Done, message),
            Ended::Stopped(message) => (JobState::Stopped, message),
            Ended::Failed(message) => (JobState::Failed, message),
        };
        tracing::info!(kind = kind.word, job = id, state = state.word(), message, "job over");
        let last = Progress { message: Some(message), ..reporter.last.lock().await.clone() };
        if let Err(error) = self.0.facts.end_job(&id, state, last).await {
            tracing::error!(%error, job = id, "writing down how a job ended");
        }
    }
}
