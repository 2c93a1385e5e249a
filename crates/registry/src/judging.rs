//! Judging in the background: what was just pushed, what new data or a new policy asks for, what has run out.
//!
//! The list of what waits is in the facts, written with the push itself; nothing here needs to survive a crash. Where
//! several servers share the facts, each image is claimed by one of them.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Blobs, Facts, Material, Outcome};
use tokio::sync::{Notify, Semaphore};

mod verdict;

use crate::{
    Error,
    gate::Gate,
    judge::{Basis, Judge, Request},
    source::Stored,
};

/// Waiting images looked at in one go.
const BATCH: u64 = 256;
/// Materials re-judged in one go: bounds memory (some tens of kilobytes each) and the length of a transaction.
const REJUDGE: u64 = 500;
/// Batches between two pauses, so that a judge whose verdicts have always run out cannot keep a core busy.
const MAX_BATCHES: usize = 100;
/// Tries before an image counts as failed; each is one that ended the process, or a restart.
const ATTEMPTS: u64 = 5;
/// No image takes this long to scan; one that does is hostile or the machine is broken.
const TOO_LONG: Duration = Duration::from_mins(15);
/// How long an image is claimed, so that no other server judges it too. If this one dies, another waits no longer.
const CLAIM: Duration = Duration::from_secs(30);
/// How often the claim is renewed while the image is being scanned.
const RENEW: Duration = Duration::from_secs(10);
/// How often to look for waiting images when nobody calls, in case a call was lost.
const LOOK: Duration = Duration::from_secs(10);
/// Shortest pause between two looks at what has run out.
const PAUSE: Duration = Duration::from_secs(1);

/// The workers and what they share.
pub(crate) struct Judging {
    facts: Facts,
    blobs: Blobs,
    gate: Arc<Gate>,
    judge: Arc<dyn Judge>,
    wake: Notify,
    /// New verdicts were written, which may end sooner than those before.
    expiry: Notify,
    running: Mutex<HashSet<Digest>>,
    workers: Arc<Semaphore>,
    /// One re-judgement at a time; the next one starts from what the last one wrote.
    rejudging: tokio::sync::Mutex<()>,
}

/// What a re-judgement did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rejudged {
    /// Images whose verdict was made anew.
    pub images: u64,
    /// From the first catalog read to the last verdict written.
    pub took: Duration,
    /// Of that, matching and deciding.
    pub judging: Duration,
}

impl Judging {
    pub(crate) fn new(
        facts: Facts,
        blobs: Blobs,
        gate: Arc<Gate>,
        judge: Arc<dyn Judge>,
        workers: usize,
    ) -> Self {
        let workers = Arc::new(Semaphore::new(workers.max(1)));
        let (wake, expiry, running) = (Notify::new(), Notify::new(), Mutex::default());
        Self {
            facts,
            blobs,
            gate,
            judge,
            wake,
            expiry,
            running,
            workers,
            rejudging: tokio::sync::Mutex::default(),
        }
    }

    /// There is something new to judge.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Judges what waits, for ever.
    pub(crate) async fn work(self: Arc<Self>) {
        loop {
            if let Err(error) = self.start_waiting().await {
                tracing::error!(%error, "looking for images to judge");
            }
            let _woken_or_time_to_look = tokio::time::timeout(LOOK, self.wake.notified()).await;
        }
    }

    /// Judges again what has run out, for ever.
    pub(crate) async fn watch_expiry(self: Arc<Self>) {
        loop {
            let next = self.facts.next_expiry().await.ok().flatten();
            let wait = next.map_or(LOOK, |next| until(next).min(LOOK));
            let _in_time_or_a_new_verdict = tokio::time::timeout(wait, self.expiry.notified()).await;
            if next.is_none_or(|next| !until(next).is_zero()) {
                continue;
            }
            if let Err(error) = self.rejudge_expired().await {
                tracing::error!(%error, "judging again what has run out");
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Judges again everything that was judged from other data or another policy than now. No image is opened.
    pub(crate) async fn rejudge(&self) -> Result<Rejudged, Error> {
        let _one_at_a_time = self.rejudging.lock().await;
        let (start, mut done, mut last) = (Instant::now(), Rejudged::default(), String::new());
        let basis = self.judge.basis();
        loop {
            let batch = self.facts.outdated(basis.snapshot.as_deref(), &basis.policy, &last, REJUDGE).await?;
            let Some((end, _)) = batch.last() else { break };
            last = end.to_string();
            done.images += batch.len() as u64;
            done.judging += self.rejudge_batch(batch).await?;
        }
        done.took = start.elapsed();
        Ok(done)
    }

    async fn start_waiting(self: &Arc<Self>) -> Result<(), Error> {
        loop {
            let waiting = self.facts.pending(BATCH).await?;
            let mut started = false;
            for image in waiting {
                if !self.running().insert(image.clone()) {
                    continue;
                }
                let Ok(permit) = Arc::clone(&self.workers).acquire_owned().await else { return Ok(()) };
                let this = Arc::clone(self);
                started = true;
                tokio::spawn(async move {
                    if let Err(error) = this.judge_one(&image, permit).await {
                        tracing::error!(%error, %image, "judging");
                        tokio::time::sleep(PAUSE).await;
                    }
                    this.running().remove(&image);
                });
            }
            if !started {
                return Ok(());
            }
        }
    }

    async fn judge_one(
        &self,
        image: &Digest,
        permit: tokio::sync::OwnedSemaphorePermit,
    ) -> Result<(), Error> {
        let Some(attempts) = self.facts.claim_image(image, Timestamp::now() + CLAIM).await? else {
            return Ok(());
        };
        let outcome = if attempts > ATTEMPTS {
            Outcome::Failed { error: format!("scanning it ended the process {ATTEMPTS} times") }
        } else {
            let judged = self.claimed(image, self.open_and_judge(image, permit)).await;
            if judged.is_err() {
                self.facts.keep_image(image, Timestamp::UNIX_EPOCH).await?;
            }
            judged?
        };
        let mut made_from = basis_of(&outcome);
        self.write(vec![(image.clone(), outcome)]).await?;
        // New data or a new policy may have come while this image was being scanned with the old.
        while let Some(basis) = made_from.take().filter(|basis| *basis != self.judge.basis()) {
            let Some(material) = self.facts.material(image).await? else { break };
            tracing::debug!(%image, ?basis, "judging again: data or policy changed meanwhile");
            let before = self.judge.basis();
            self.rejudge_batch(vec![(image.clone(), material)]).await?;
            made_from = Some(before);
        }
        Ok(())
    }

    /// Keeps the claim on an image while `work` runs.
    async fn claimed<T>(&self, image: &Digest, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        loop {
            match tokio::time::timeout(RENEW, &mut work).await {
                Ok(done) => return done,
                Err(_) => {
                    if let Err(error) = self.facts.keep_image(image, Timestamp::now() + CLAIM).await {
                        tracing::warn!(%error, %image, "keeping the claim");
                    }
                }
            }
        }
    }

    async fn open_and_judge(
        &self,
        image: &Digest,
        permit: tokio::sync::OwnedSemaphorePermit,
    ) -> Result<Outcome, Error> {
        let Some((repository, media_type)) = self.facts.first_home(image).await? else {
            return Ok(Outcome::Failed { error: "it was deleted meanwhile".to_owned() });
        };
        let (judge, blobs, digest) = (Arc::clone(&self.judge), self.blobs.clone(), image.clone());
        let work = tokio::task::spawn_blocking(move || {
            let _held_until_the_thread_is_free = permit;
            let source = Stored(&blobs);
            judge.judge(&Request {
                digest: &digest,
                media_type: &media_type,
                repository: &repository,
                blobs: &source,
            })
        });
        Ok(match tokio::time::timeout(TOO_LONG, work).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => {
                tracing::error!(%error, %image, "the judge failed");
                Outcome::Failed { error: "the scanner failed on it; its log says where".to_owned() }
            }
            Err(_) => Outcome::Failed {
                error: format!("scanning it took more than {} minutes", TOO_LONG.as_secs() / 60),
            },
        })
    }

    async fn rejudge_expired(&self) -> Result<(), Error> {
        let _one_at_a_time = self.rejudging.lock().await;
        for _ in 0..MAX_BATCHES {
            let expired = self.facts.expired(Timestamp::now(), REJUDGE).await?;
            let mut batch = Vec::with_capacity(expired.len());
            for image in &expired {
                if let Some(material) = self.facts.material(image).await? {
                    batch.push((image.clone(), material));
                }
            }
            if batch.is_empty() {
                break;
            }
            self.rejudge_batch(batch).await?;
            if (expired.len() as u64) < REJUDGE {
                break;
            }
        }
        Ok(())
    }

    async fn rejudge_batch(&self, batch: Vec<(Digest, Material)>) -> Result<Duration, Error> {
        let judge = Arc::clone(&self.judge);
        let work = tokio::task::spawn_blocking(move || {
            let start = Instant::now();
            (judge.rejudge(batch), start.elapsed())
        });
        let (outcomes, took) = work.await.map_err(|_| Error::Task("re-judging"))?;
        self.write(outcomes).await?;
        Ok(took)
    }

    async fn write(&self, outcomes: Vec<(Digest, Outcome)>) -> Result<(), Error> {
        let images: Vec<Digest> = outcomes.iter().map(|(image, _)| image.clone()).collect();
        let now = Timestamp::now();
        let mut entries = Vec::new();
        for (image, outcome) in &outcomes {
            let before = self.facts.judgement(image).await?;
            entries
                .extend(verdict::changed(image, before.as_ref(), outcome, now).map(|record| record.entry()));
        }
        self.facts.recording(entries).record(outcomes, now).await?;
        self.gate.judged(images.iter());
        self.expiry.notify_one();
        Ok(())
    }

    fn running(&self) -> std::sync::MutexGuard<'_, HashSet<Digest>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn basis_of(outcome: &Outcome) -> Option<Basis> {
    let Outcome::Judged { report, .. } = outcome else { return None };
    let policy = report.verdict.as_ref()?.policy_digest.clone();
    Some(Basis { snapshot: report.snapshot.as_ref().map(|snapshot| snapshot.id.clone()), policy })
}

fn until(moment: Timestamp) -> Duration {
    let left = moment.as_millisecond().saturating_sub(Timestamp::now().as_millisecond());
    Duration::from_millis(u64::try_from(left).unwrap_or(0))
}
