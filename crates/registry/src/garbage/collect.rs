//! One collection: drop, condemn, remove, bury. What is left to do is in the facts, so that it goes on after a crash.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use boltseal_api::storage::NewCollection;
use boltseal_model::Timestamp;
use boltseal_store::{Condemned, Job, Progress};
use serde::{Deserialize, Serialize};

use super::{settings, strays};
use crate::{
    Error, Registry,
    work::{Ended, Reporter, Running},
};

/// Things of one batch: bounds how long a transaction holds up the changes of others.
const BATCH: u64 = 128;
/// A pause is as long as the batch before it took, so that at most half of the time goes to garbage; but not longer.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// Nor shorter: others get their turn at the writer and the disk.
const MIN_PAUSE: Duration = Duration::from_millis(2);
/// Examples that a dry run names.
const EXAMPLES: u64 = 10;

/// The kind `collect`.
pub(crate) fn run(registry: Registry, job: Job, reporter: Arc<Reporter>) -> Running {
    Box::pin(async move {
        match collect(&registry, &job, &reporter).await {
            Ok(ended) => ended,
            Err(error) => Ended::Failed(error.to_string()),
        }
    })
}

/// What a collection has done so far; also where it goes on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Tally {
    /// Milliseconds since 1970: what was needed later stays.
    before: i64,
    /// Blobs that repositories let go of.
    unlinked: u64,
    /// Contents removed.
    contents: u64,
    /// Their bytes.
    pub(super) bytes: u64,
    /// Contents that could not be removed.
    failed: u64,
    /// Files removed that nothing named.
    pub(super) strays: u64,
    /// Their bytes.
    pub(super) stray_bytes: u64,
}

/// A collection that is under way.
pub(super) struct Collection<'r> {
    pub(super) registry: &'r Registry,
    reporter: &'r Reporter,
    pub(super) tally: Tally,
    total: u64,
}

async fn collect(registry: &Registry, job: &Job, reporter: &Reporter) -> Result<Ended, Error> {
    let asked: NewCollection = serde_json::from_str(&job.spec).unwrap_or_default();
    let grace = match asked.grace {
        Some(grace) => grace,
        None => settings(&registry.0.facts).await?.grace,
    };
    if asked.dry_run {
        return dry_run(registry, registry.0.facts.before(Duration::from_secs(grace))).await;
    }
    let tally = job.resume.as_deref().and_then(|resume| serde_json::from_str::<Tally>(resume).ok());
    registry.0.facts.look_at_clock().await?;
    let before = registry.0.facts.before(Duration::from_secs(grace)).as_millisecond();
    let tally = tally.unwrap_or_else(|| Tally { before, ..Tally::default() });
    let before = Timestamp::from_millisecond(tally.before).unwrap_or(Timestamp::UNIX_EPOCH);
    let total = tally.bytes.saturating_add(registry.0.facts.garbage(before).await?.bytes);
    let mut collection = Collection { registry, reporter, tally, total };
    let mut goes_on = collection.drop_unlinked(before).await? && collection.remove_unused(before).await?;
    if goes_on && asked.deep {
        let age = Timestamp::now().duration_since(before).unsigned_abs();
        goes_on = strays::remove(&mut collection, age).await?;
    }
    Ok(collection.ended(goes_on))
}

impl Collection<'_> {
    /// Repositories let go of what no manifest of theirs points to.
    async fn drop_unlinked(&mut self, before: Timestamp) -> Result<bool, Error> {
        loop {
            let began = Instant::now();
            let inner = &self.registry.0;
            let dropped = inner.facts.drop_unlinked(before, BATCH).await?;
            if dropped.is_empty() {
                return Ok(true);
            }
            for gone in &dropped {
                inner.changed(&gone.repository, std::iter::empty(), std::iter::once(&gone.digest));
            }
            self.tally.unlinked += dropped.len() as u64;
            if !self.report("repositories let go of what nothing points to").await {
                return Ok(false);
            }
            pause(began.elapsed()).await;
        }
    }

    /// Bytes that nobody has go from the disk.
    async fn remove_unused(&mut self, before: Timestamp) -> Result<bool, Error> {
        loop {
            let began = Instant::now();
            let facts = &self.registry.0.facts;
            let condemned = facts.condemn(before, BATCH).await?;
            if condemned.is_empty() {
                return Ok(true);
            }
            let mut gone = Vec::with_capacity(condemned.len());
            let (mut failed, mut why) = (0, None);
            for contents in condemned {
                match self.remove(&contents).await {
                    Ok(true) => gone.push(contents),
                    Ok(false) => {}
                    Err(error) => {
                        tracing::error!(%error, digest = %contents.digest, "garbage could not be removed");
                        failed += 1;
                        why = Some(error);
                    }
                }
            }
            self.tally.failed = failed;
            let (removed, bytes) =
                (gone.len() as u64, gone.iter().map(|contents| contents.size).sum::<u64>());
            facts.bury(gone).await?;
            self.tally.contents += removed;
            self.tally.bytes += bytes;
            // Those that cannot be removed come first again and again: with nothing else there is no way on.
            if let (0, Some(error)) = (removed, why) {
                return Err(error);
            }
            if !self.report("removing").await {
                return Ok(false);
            }
            pause(began.elapsed()).await;
        }
    }

    /// Removes bytes, unless somebody brought them again. Whoever does waits meanwhile.
    async fn remove(&self, contents: &Condemned) -> Result<bool, Error> {
        let inner = &self.registry.0;
        let _nobody_brings_it_meanwhile = inner.blobs.lock(&contents.digest).await;
        if !inner.facts.is_condemned(contents).await? {
            return Ok(false);
        }
        let (blobs, contents) = (inner.blobs.clone(), contents.clone());
        let removed = tokio::task::spawn_blocking(move || blobs.remove(&contents));
        removed.await.map_err(|_| Error::Task("removing garbage"))??;
        Ok(true)
    }

    /// Says how far it is. Gives whether to go on.
    pub(super) async fn report(&mut self, doing: &str) -> bool {
        self.total = self.total.max(self.tally.bytes);
        let progress = Progress {
            done: self.tally.bytes,
            total: self.total,
            resume: serde_json::to_string(&self.tally).ok(),
            message: Some(format!("{doing}: {}", self.tally.sentence())),
        };
        self.reporter.report(progress).await
    }

    fn ended(&self, goes_on: bool) -> Ended {
        let sentence = self.tally.sentence();
        if goes_on { Ended::Done(sentence) } else { Ended::Stopped(sentence) }
    }
}

impl Tally {
    fn sentence(&self) -> String {
        let Self { bytes, contents, unlinked, strays, failed, .. } = self;
        let mut parts = vec![
            format!("freed {} of {contents} blobs and manifests", size(*bytes)),
            format!("repositories let go of {unlinked} blobs"),
        ];
        if *strays > 0 {
            parts.push(format!("{strays} stray files, {}", size(self.stray_bytes)));
        }
        if *failed > 0 {
            parts.push(format!("{failed} could not be removed, the log says why"));
        }
        parts.join("; ")
    }
}

/// What would go.
async fn dry_run(registry: &Registry, before: Timestamp) -> Result<Ended, Error> {
    let facts = &registry.0.facts;
    let garbage = facts.garbage(before).await?;
    let sample = facts.garbage_sample(before, EXAMPLES).await?;
    let mut parts = vec![
        format!("would free {} of {} blobs and manifests", size(garbage.bytes), garbage.contents),
        format!("repositories would let go of {} blobs", garbage.unlinked),
    ];
    if !sample.largest.is_empty() {
        let largest = sample.largest.iter().map(|(digest, bytes)| format!("{digest} ({})", size(*bytes)));
        parts.push(format!("the largest: {}", largest.collect::<Vec<_>>().join(", ")));
    }
    if !sample.repositories.is_empty() {
        let names = sample
            .repositories
            .iter()
            .map(|(name, blobs, bytes)| format!("{name} ({blobs} blobs, {})", size(*bytes)));
        parts.push(format!("from: {}", names.collect::<Vec<_>>().join(", ")));
    }
    Ok(Ended::Done(parts.join("; ")))
}

/// Lets others have their turn.
pub(super) async fn pause(worked: Duration) {
    tokio::time::sleep(worked.clamp(MIN_PAUSE, MAX_PAUSE)).await;
}

/// Bytes for people, in powers of a thousand.
pub(crate) fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TB", 1_000_000_000_000), ("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];
    match UNITS.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) => format!("{}.{} {name}", bytes / unit, bytes % unit * 10 / unit),
        None => format!("{bytes} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_for_people() {
        for (bytes, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (1_560_000, "1.5 MB"),
            (u64::MAX, "18446744.0 TB"),
        ] {
            assert_eq!(size(bytes), text);
        }
    }
}
