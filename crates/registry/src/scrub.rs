//! Reading stored bytes again: disks rot, and nobody should be served what a digest does not say.
//!
//! Bytes that were not read for longest are read first, at a bounded rate. What is found damaged is taken out of the way
//! and not served any more. Then the registry it came from is asked for it (`repair`); where there is none, or it cannot
//! give it, whoever pushes it again repairs it for everybody, as a HEAD now says that it is not here. Every scrub asks
//! again for what earlier ones left damaged.
//!
//! There is no such thing as a replica of what is stored: object stores keep copies themselves, and a second server on the
//! same bucket reads the same bytes.

mod repair;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use boltseal_api::storage::{GarbageSettings, NewScrub};
use boltseal_audit::{
    Record,
    record::{Activity, Actor, Outcome, Severity, Source, Subject, Why},
};
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Blobs, Condition, Job, Progress, Scrub};

use crate::{
    Error, Registry, garbage,
    garbage::size,
    work::{Ended, Reporter, Running},
};

/// Contents of one batch.
const BATCH: u64 = 64;
/// How often progress is written down.
const TELL: Duration = Duration::from_secs(2);
/// Repositories of damaged contents that the log names.
const MAX_HOMES: usize = 32;
/// Repositories whose origin may have damaged bytes whole. The layers of a base image can be in thousands.
const MAX_ASKED: u64 = 1000;
/// Contents that were damaged before, and are asked for again: a disk with more of them is to be replaced.
const MAX_BEFORE: u64 = 1000;
/// Days after which everything is read when nobody set it: a scrub was asked for nevertheless.
const ALL: u32 = 0;

/// The kind `scrub`.
pub(crate) fn run(registry: Registry, job: Job, reporter: Arc<Reporter>) -> Running {
    Box::pin(async move {
        match scrub(&registry, &job, &reporter).await {
            Ok(ended) => ended,
            Err(error) => Ended::Failed(error.to_string()),
        }
    })
}

/// A scrub that is under way.
struct Scrubbing<'r> {
    registry: &'r Registry,
    reporter: &'r Reporter,
    pace: Arc<Pace>,
    done: u64,
    total: u64,
    contents: u64,
    rotten: u64,
    repaired: u64,
    /// Found damaged by an earlier scrub, and repaired now.
    late: u64,
}

async fn scrub(registry: &Registry, job: &Job, reporter: &Reporter) -> Result<Ended, Error> {
    let asked: NewScrub = serde_json::from_str(&job.spec).unwrap_or_default();
    let settings = garbage::settings(&registry.0.facts).await?;
    let days = asked.days.unwrap_or(if settings.scrub_days == 0 { ALL } else { settings.scrub_days });
    let rate = asked.rate.unwrap_or(settings.scrub_rate).max(GarbageSettings::MIN_RATE);
    // What is read from now on counts as read, also when the work begins anew after a crash.
    let begun = job.started.unwrap_or_else(Timestamp::now);
    let before = begun - Duration::from_secs(u64::from(days).saturating_mul(86_400));
    let left = registry.0.facts.unscrubbed(before).await?;
    let mut this = Scrubbing {
        registry,
        reporter,
        pace: Arc::new(Pace::new(rate)),
        done: job.done,
        total: job.done.saturating_add(left.bytes),
        contents: 0,
        rotten: 0,
        repaired: 0,
        late: 0,
    };
    if !this.again().await? {
        return Ok(Ended::Stopped(this.sentence()));
    }
    loop {
        let batch = registry.0.facts.to_scrub(before, BATCH).await?;
        if batch.is_empty() {
            return Ok(Ended::Done(this.sentence()));
        }
        if !this.batch(batch).await? {
            return Ok(Ended::Stopped(this.sentence()));
        }
    }
}

impl Scrubbing<'_> {
    /// Asks again for what is known to be damaged: who has it may be back. Gives whether to go on.
    async fn again(&mut self) -> Result<bool, Error> {
        let inner = &self.registry.0;
        for one in inner.facts.rotten(MAX_BEFORE).await? {
            let homes = inner.facts.homes_of(&one.digest, MAX_ASKED).await?;
            if inner.mend(&one, &homes).await {
                self.late += 1;
            }
            if !self.report().await {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Reads some contents. Gives whether to go on.
    async fn batch(&mut self, batch: Vec<Scrub>) -> Result<bool, Error> {
        let (blobs, pace) = (self.registry.0.blobs.clone(), Arc::clone(&self.pace));
        pace.read.store(0, Ordering::SeqCst);
        let mut reading = tokio::task::spawn_blocking(move || read(&blobs, batch, &pace));
        let before = self.done;
        let checked = loop {
            if let Ok(ended) = tokio::time::timeout(TELL, &mut reading).await {
                break ended.map_err(|_| Error::Task("reading stored bytes again"))??;
            }
            self.done = before.saturating_add(self.pace.read.load(Ordering::SeqCst));
            if !self.report().await {
                self.pace.stop.store(true, Ordering::SeqCst);
            }
        };
        self.done = before;
        let mut whole = Vec::with_capacity(checked.len());
        for (one, condition) in checked {
            self.contents += 1;
            self.done = self.done.saturating_add(one.size);
            match condition {
                Condition::Whole => whole.push(one.digest),
                Condition::Rotten(_) => self.rotten(&one).await?,
                Condition::Unfinished => {}
            }
        }
        self.registry.0.facts.scrubbed(whole, Timestamp::now()).await?;
        Ok(self.report().await && !self.pace.stop.load(Ordering::SeqCst))
    }

    /// Something is wrong with the bytes: looks again with nobody else near, and takes them out of the way.
    async fn rotten(&mut self, one: &Scrub) -> Result<(), Error> {
        let inner = &self.registry.0;
        let lock = inner.blobs.lock(&one.digest).await;
        // A collection may have removed them, or a push brought them again, while they were being read.
        if inner.facts.contents(&one.digest).await?.is_none() {
            return Ok(());
        }
        let (blobs, digest) = (inner.blobs.clone(), one.digest.clone());
        let again = tokio::task::spawn_blocking(move || blobs.check(&digest, |_| true));
        let Condition::Rotten(why) = again.await.map_err(|_| Error::Task("reading stored bytes again"))??
        else {
            inner.facts.scrubbed(vec![one.digest.clone()], Timestamp::now()).await?;
            return Ok(());
        };
        let (blobs, digest) = (inner.blobs.clone(), one.digest.clone());
        let aside = tokio::task::spawn_blocking(move || blobs.quarantine(&digest));
        let aside = aside.await.map_err(|_| Error::Task("taking damaged bytes out of the way"))??;
        let now = Timestamp::now();
        let homes = inner.facts.homes_of(&one.digest, MAX_ASKED).await?;
        let names: Vec<_> = homes.iter().take(MAX_HOMES).map(|home| home.repository.clone()).collect();
        let mut record =
            damaged(&one.digest, &why, now).detail("bytes", one.size).detail("repositories", names.clone());
        if let Some(aside) = &aside {
            record = record
                .detail("quarantine", aside.file_name().unwrap_or_default().to_string_lossy().into_owned());
        }
        inner.facts.recording(vec![record.entry()]).found_rotten(&one.digest, &why, now).await?;
        tracing::error!(digest = %one.digest, why, homes = ?names, "stored bytes are damaged and not served any more");
        inner.deleted();
        self.rotten += 1;
        drop(lock);
        if inner.mend(one, &homes).await {
            self.repaired += 1;
        }
        Ok(())
    }

    async fn report(&self) -> bool {
        let progress = Progress {
            done: self.done,
            total: self.total.max(self.done),
            resume: None,
            message: Some(self.sentence()),
        };
        self.reporter.report(progress).await
    }

    fn sentence(&self) -> String {
        let mut parts = vec![format!("read {} of {} blobs and manifests", size(self.done), self.contents)];
        match (self.rotten, self.repaired) {
            (0, _) => parts.push("nothing is damaged".to_owned()),
            (rotten, 0) => parts.push(format!("{rotten} damaged: push them again")),
            (rotten, repaired) if repaired < rotten => {
                parts.push(format!("{rotten} damaged, {repaired} of them repaired: push the others again"));
            }
            (rotten, repaired) => parts.push(format!("{rotten} damaged, {repaired} of them repaired")),
        }
        if self.late > 0 {
            parts.push(format!("{} that were damaged before are repaired", self.late));
        }
        parts.join("; ")
    }
}

/// Reads all of them, at the pace; stops when told.
fn read(
    blobs: &Blobs,
    batch: Vec<Scrub>,
    pace: &Pace,
) -> Result<Vec<(Scrub, Condition)>, boltseal_store::Error> {
    let mut checked = Vec::with_capacity(batch.len());
    for one in batch {
        let condition = blobs.check(&one.digest, |bytes| pace.heed(bytes))?;
        if condition == Condition::Unfinished {
            break;
        }
        checked.push((one, condition));
    }
    Ok(checked)
}

/// How fast to read, and whether to stop.
struct Pace {
    rate: u64,
    stop: AtomicBool,
    read: AtomicU64,
    begun: Instant,
    all: AtomicU64,
}

impl Pace {
    fn new(rate: u64) -> Self {
        let (stop, read, all) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
        Self { rate, stop, read, begun: Instant::now(), all }
    }

    /// So many bytes were read: waits until that was no faster than allowed. Gives whether to go on.
    fn heed(&self, bytes: u64) -> bool {
        self.read.fetch_add(bytes, Ordering::SeqCst);
        let all = self.all.fetch_add(bytes, Ordering::SeqCst).saturating_add(bytes);
        let due = Duration::from_micros(all.saturating_mul(1_000_000) / self.rate.max(1));
        let early = due.saturating_sub(self.begun.elapsed());
        if !early.is_zero() {
            std::thread::sleep(early);
        }
        !self.stop.load(Ordering::SeqCst)
    }
}

fn damaged(digest: &Digest, why: &str, now: Timestamp) -> Record {
    Record::new(now, Activity::Other, "Boltseal/storage/scrub/action")
        .actor(Actor::system())
        .source(Source::local())
        .subject(Subject::new("/registries").digest(digest.clone()))
        .outcome(Outcome::Failure)
        .severity(Severity::High)
        .alert()
        .why(Why::rule("stored bytes are held against their digest"))
        .status(format!("stored bytes are damaged and not served any more: {why}"))
}
