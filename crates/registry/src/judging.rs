//! Judging in the background: what was just pushed, what new data or a new policy asks for, what has run out.
//!
//! The list of what waits is in the facts, written with the push itself; nothing here needs to survive a crash. Where
//! several servers share the facts, each image is claimed by one of them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use boltseal_identity::Authority;
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Blobs, Facts, Material, Outcome};
use tokio::sync::{Notify, Semaphore};

mod gather;
mod reopen;
mod verdict;

use crate::{
    Config, Error,
    beside::Beside,
    gate::Gate,
    judge::{Again, Basis, Judge, Request},
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
/// How often to look for verdicts that do not know of all that is attached, in case a call was lost.
const HEED: Duration = Duration::from_secs(1);
/// Shortest pause between two looks at what has run out.
const PAUSE: Duration = Duration::from_secs(1);

/// The workers and what they share.
pub(crate) struct Judging {
    facts: Facts,
    blobs: Blobs,
    gate: Arc<Gate>,
    judge: Arc<dyn Judge>,
    /// Who holds which role: what the policy may ask of whoever pushed something.
    authority: Authority,
    /// What the registry is called in scopes.
    name: String,
    wake: Notify,
    /// New verdicts were written, which may end sooner than those before.
    expiry: Notify,
    /// What is attached to images changed.
    attached: Notify,
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
        authority: Authority,
        config: &Config,
    ) -> Self {
        let workers = Arc::new(Semaphore::new(config.workers.max(1)));
        let (wake, expiry, attached) = (Notify::new(), Notify::new(), Notify::new());
        Self {
            facts,
            blobs,
            gate,
            judge,
            authority,
            name: config.name.clone(),
            wake,
            expiry,
            attached,
            running: Mutex::default(),
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

    /// What is attached to images has changed. Afterwards no gate answers from what was before.
    pub(crate) async fn attached_changed(&self) {
        match self.facts.unheeded(REJUDGE).await {
            Ok(images) if (images.len() as u64) < REJUDGE => self.gate.judged(images.iter()),
            Ok(_) => self.gate.forget_all(),
            Err(error) => {
                tracing::error!(%error, "looking for what changed");
                self.gate.forget_all();
            }
        }
        self.attached.notify_one();
    }

    /// Judges again, for ever, images to which something was attached, or from which it was taken away. No image is opened.
    pub(crate) async fn heed(self: Arc<Self>) {
        loop {
            let _called_or_time_to_look = tokio::time::timeout(HEED, self.attached.notified()).await;
            let unheeded = match self.facts.unheeded(REJUDGE).await {
                Ok(unheeded) if unheeded.is_empty() => continue,
                Ok(unheeded) => unheeded,
                Err(error) => {
                    tracing::error!(%error, "looking for what changed");
                    continue;
                }
            };
            self.gate.judged(unheeded.iter());
            if (unheeded.len() as u64) == REJUDGE {
                self.attached.notify_one();
            }
            if let Err(error) = self.rejudge_these(&unheeded).await {
                tracing::error!(%error, "judging again what something was attached to");
            }
        }
    }

    /// Judges images again from their catalogs; those that were never judged are passed over.
    async fn rejudge_these(&self, images: &[Digest]) -> Result<(), Error> {
        let mut batch = Vec::with_capacity(images.len());
        for image in images {
            if let Some(material) = self.facts.material(image).await? {
                batch.push((image.clone(), material));
            }
        }
        self.rejudge_batch(batch).await.map(drop)
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
        let mut gathered = self.gather(std::slice::from_ref(image)).await?;
        let beside = gathered.beside.remove(image).unwrap_or_default();
        let heeded = HashMap::from([(image.clone(), beside.changes)]);
        let outcome = if attempts > ATTEMPTS {
            Outcome::Failed { error: format!("scanning it ended the process {ATTEMPTS} times") }
        } else {
            let judged = self.claimed(image, self.open_and_judge(image, beside, permit)).await;
            if judged.is_err() {
                self.facts.keep_image(image, Timestamp::UNIX_EPOCH).await?;
            }
            judged?
        };
        self.settle(image, outcome, &gathered.basis, heeded).await
    }

    /// Writes down what came of opening an image with what was `gathered` for a policy, until that is of now.
    async fn settle(
        &self,
        image: &Digest,
        outcome: Outcome,
        gathered: &Basis,
        heeded: HashMap<Digest, u64>,
    ) -> Result<(), Error> {
        let made_from = basis_of(&outcome);
        self.write(vec![(image.clone(), outcome)], heeded).await?;
        // New data or a new policy may have come while this image was being scanned with the old.
        let mut stale =
            made_from.is_some_and(|basis| basis.policy != gathered.policy || basis != self.judge.basis());
        while stale {
            let Some(material) = self.facts.material(image).await? else { break };
            tracing::debug!(%image, "judging again: data or policy changed meanwhile");
            let before = self.judge.basis();
            self.rejudge_batch(vec![(image.clone(), material)]).await?;
            stale = before != self.judge.basis();
        }
        Ok(())
    }

    /// Images came, or came to another repository: those that were built on them and are refused may have what they want
    /// now.
    pub(crate) async fn bases_came(&self, bases: Vec<Digest>) {
        if !self.judge.asks().bases {
            return;
        }
        for base in bases {
            let rejudged = async {
                let waiting = self.waiting_for(&base).await?;
                self.rejudge_these(&waiting).await
            };
            if let Err(error) = rejudged.await {
                tracing::error!(%error, %base, "judging again what was built on an image");
            }
        }
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
        beside: Beside,
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
                beside: &beside,
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
            if expired.is_empty() {
                break;
            }
            self.rejudge_these(&expired).await?;
            if (expired.len() as u64) < REJUDGE {
                break;
            }
        }
        Ok(())
    }

    async fn rejudge_batch(&self, batch: Vec<(Digest, Material)>) -> Result<Duration, Error> {
        let (mut batch, mut took) = (batch, Duration::ZERO);
        while !batch.is_empty() {
            let images: Vec<Digest> = batch.iter().map(|(image, _)| image.clone()).collect();
            let mut gathered = self.gather(&images).await?;
            let mut heeded = HashMap::with_capacity(images.len());
            let again = batch.into_iter().map(|(digest, material)| {
                let beside = gathered.beside.remove(&digest).unwrap_or_default();
                heeded.insert(digest.clone(), beside.changes);
                Again { digest, material, beside }
            });
            let (judge, blobs, again) = (Arc::clone(&self.judge), self.blobs.clone(), again.collect());
            let work = tokio::task::spawn_blocking(move || {
                let start = Instant::now();
                (judge.rejudge(again, &Stored(&blobs)), start.elapsed())
            });
            let (outcomes, elapsed) = work.await.map_err(|_| Error::Task("re-judging"))?;
            took += elapsed;
            let made_from: Vec<Option<Basis>> =
                outcomes.iter().map(|(_, outcome)| basis_of(outcome)).collect();
            self.write(outcomes, heeded).await?;
            // Gathered for one policy and judged by the next: then what that one asks for may be missing.
            let other = |basis: &Basis| basis.policy != gathered.basis.policy;
            if !made_from.iter().flatten().any(other) {
                break;
            }
            batch = Vec::with_capacity(images.len());
            for image in images {
                batch.extend(self.facts.material(&image).await?.map(|material| (image, material)));
            }
        }
        Ok(took)
    }

    async fn write(
        &self,
        outcomes: Vec<(Digest, Outcome)>,
        heeded: HashMap<Digest, u64>,
    ) -> Result<(), Error> {
        let images: Vec<Digest> = outcomes.iter().map(|(image, _)| image.clone()).collect();
        let now = Timestamp::now();
        let mut entries = Vec::new();
        for (image, outcome) in &outcomes {
            let before = self.facts.judgement(image).await?;
            entries
                .extend(verdict::changed(image, before.as_ref(), outcome, now).map(|record| record.entry()));
        }
        self.facts.recording(entries).record_heeding(outcomes, heeded, now).await?;
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
