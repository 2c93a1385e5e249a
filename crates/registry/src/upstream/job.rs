//! What imports and mirrors share: waiting for a registry that wants it, telling how far they are, stopping.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use boltseal_store::Progress;

use super::Trouble;
use crate::work::Reporter;

/// How often a job says how far it is, and hears whether to go on.
const TELL: Duration = Duration::from_secs(1);
/// How often something is tried that a registry is too busy or too far away for.
const TRIES: u32 = 5;
/// The first pause after a registry was away; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(2);

/// How much came.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    /// Bytes of blobs that belong to what is brought, as far as known.
    pub(crate) total: AtomicU64,
    /// Of those, here.
    pub(crate) done: AtomicU64,
    /// Of those, fetched: the others were here.
    pub(crate) fetched: AtomicU64,
    /// Manifests stored.
    pub(crate) manifests: AtomicU64,
    /// Nobody wants it any more.
    stopped: AtomicBool,
}

impl Tally {
    /// Whether to go on.
    pub(crate) fn is_wanted(&self) -> bool {
        !self.stopped.load(Ordering::Relaxed)
    }

    /// `3 manifests, 45.2 MB fetched, 12.0 MB were here`
    pub(crate) fn sentence(&self) -> String {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (fetched, done) = (of(&self.fetched), of(&self.done));
        let here = done.saturating_sub(fetched);
        format!(
            "{} manifests, {} fetched, {} were here",
            of(&self.manifests),
            megabytes(fetched),
            megabytes(here)
        )
    }
}

/// What is going on, and where to go on after a crash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Standing {
    pub(crate) message: String,
    pub(crate) resume: Option<String>,
}

/// One job that is under way.
#[derive(Clone)]
pub(crate) struct Course {
    pub(crate) tally: Arc<Tally>,
    standing: Arc<Mutex<Standing>>,
    reporter: Arc<Reporter>,
}

impl Course {
    pub(crate) fn new(reporter: Arc<Reporter>) -> Self {
        Self { tally: Arc::default(), standing: Arc::default(), reporter }
    }

    /// Says what is going on from now on.
    pub(crate) fn say(&self, message: impl Into<String>) {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).message = message.into();
    }

    /// Says where to go on from now on.
    pub(crate) fn resume(&self, place: String) {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner).resume = Some(place);
    }

    /// Does `work`, and tells meanwhile how far it is. `None`: it was told to stop.
    pub(crate) async fn run<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => {
                    self.tell().await;
                    return Some(done);
                }
                () = tokio::time::sleep(TELL) => {
                    if !self.tell().await {
                        // Downloads on other threads end at their next piece.
                        self.tally.stopped.store(true, Ordering::Relaxed);
                        return None;
                    }
                }
            }
        }
    }

    async fn tell(&self) -> bool {
        let Standing { message, resume } =
            self.standing.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let (done, total) =
            (self.tally.done.load(Ordering::Relaxed), self.tally.total.load(Ordering::Relaxed));
        self.reporter.report(Progress { done, total, resume, message: Some(message) }).await
    }

    /// Tries something until a registry that is busy or away lets it happen, or has had its chances.
    pub(crate) async fn persist<T, F>(&self, what: &str, mut work: impl FnMut() -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Trouble>>,
    {
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            let trouble = match work().await {
                Err(trouble @ (Trouble::Limited { .. } | Trouble::Away(_))) => trouble,
                other => return other,
            };
            let wait = match &trouble {
                Trouble::Limited { wait, .. } => *wait,
                _ => pause,
            };
            self.say(format!("{what}: waiting {} s, since {}", wait.as_secs(), trouble.sentence()));
            tokio::time::sleep(wait).await;
            pause *= 2;
            self.say(what);
        }
        work().await
    }
}

fn megabytes(bytes: u64) -> String {
    const MEGA: u64 = 1_000_000;
    format!("{}.{} MB", bytes / MEGA, bytes % MEGA / (MEGA / 10))
}
