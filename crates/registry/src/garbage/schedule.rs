//! When garbage is collected and stored bytes are read again without anybody asking.

use std::time::Duration;

use boltseal_api::storage::{Disk, GarbageSettings, NewCollection, NewScrub};
use boltseal_model::Timestamp;
use boltseal_store::Job;

use super::settings;
use crate::{Error, Registry};

/// Who asks then.
const BY: &str = "schedule";
/// How often to look whether it is time.
const LOOK: Duration = Duration::from_mins(1);
/// How often to look whether the clock jumped. It costs nothing.
const CLOCK: Duration = Duration::from_secs(5);
/// Bytes by which the free room must have changed: writing it down costs a commit.
const WORTH_TELLING: u64 = 64 << 20;
/// Jobs looked at for the last one of the schedule; people seldom ask more often in between.
const RECENT: u64 = 50;

impl Registry {
    /// Asks for collections and scrubs when it is time, for ever.
    pub(crate) async fn keep_tidy(self) {
        let mut known = None;
        loop {
            if let Err(error) = self.measure(&mut known).await {
                tracing::warn!(%error, "looking how full the disk is");
            }
            tokio::time::sleep(LOOK).await;
            if let Err(error) = self.tidy().await {
                tracing::error!(%error, "looking whether it is time to collect garbage");
            }
        }
    }

    /// Looks at the clock, so that nothing seems old because it was set ahead. For ever.
    pub(crate) async fn watch_clock(self) {
        loop {
            if let Err(error) = self.0.facts.look_at_clock().await {
                tracing::warn!(%error, "writing down what time it is");
            }
            tokio::time::sleep(CLOCK).await;
        }
    }

    /// Writes down how full the disk is, where it has changed.
    async fn measure(&self, known: &mut Option<Disk>) -> Result<(), Error> {
        let blobs = self.0.blobs.clone();
        let disk = tokio::task::spawn_blocking(move || blobs.disk()).await;
        let Some(disk) = disk.map_err(|_| Error::Task("looking at the disk"))?? else { return Ok(()) };
        let disk = Disk { free: disk.free, size: disk.size };
        if known
            .is_some_and(|known| known.size == disk.size && known.free.abs_diff(disk.free) < WORTH_TELLING)
        {
            return Ok(());
        }
        self.0.facts.set(Disk::SETTING, &spec(&disk)).await?;
        *known = Some(disk);
        Ok(())
    }

    async fn tidy(&self) -> Result<(), Error> {
        let facts = &self.0.facts;
        let (settings, now) = (settings(facts).await?, Timestamp::now());
        let collections = facts.jobs(Some("collect"), RECENT).await?;
        let deep = settings.deep_every > 0 && due(&collections, true, settings.deep_every, now);
        let grace = facts.before(Duration::from_secs(settings.grace.min(MAX_GRACE)));
        let collects = deep
            || settings.every > 0
                && due(&collections, false, settings.every, now)
                && !facts.garbage(grace).await?.is_empty();
        if collects {
            let asked = NewCollection { deep, ..NewCollection::default() };
            facts.request_job("collect", &spec(&asked), BY).await?;
        }
        if settings.scrub_days > 0 && scrub_is_due(self, &settings, now).await? {
            facts.request_job("scrub", &spec(&NewScrub::default()), BY).await?;
        }
        Ok(())
    }
}

/// Seconds of the longest grace: ten years.
const MAX_GRACE: u64 = 315_360_000;

/// Whether the last one that the schedule asked for is `every` seconds ago.
fn due(jobs: &[Job], deep: bool, every: u64, now: Timestamp) -> bool {
    let last = jobs.iter().find(|job| {
        let asked: NewCollection = serde_json::from_str(&job.spec).unwrap_or_default();
        job.by == BY && (asked.deep || !deep)
    });
    last.is_none_or(|job| now.as_second().saturating_sub(job.requested.as_second()).unsigned_abs() >= every)
}

/// Reading again begins when something was not read for that long, and not more often than once an hour: what is
/// damaged stays due.
async fn scrub_is_due(
    registry: &Registry,
    settings: &GarbageSettings,
    now: Timestamp,
) -> Result<bool, Error> {
    let facts = &registry.0.facts;
    let last = facts.jobs(Some("scrub"), 1).await?.into_iter().next();
    if last.is_some_and(|job| now.as_second().saturating_sub(job.requested.as_second()) < 3600) {
        return Ok(false);
    }
    let before =
        now - Duration::from_secs(u64::from(settings.scrub_days).saturating_mul(86_400).min(MAX_GRACE));
    Ok(!facts.to_scrub(before, 1).await?.is_empty())
}

fn spec(asked: &impl serde::Serialize) -> String {
    serde_json::to_string(asked).unwrap_or_else(|_| "{}".to_owned())
}

#[cfg(test)]
mod tests {
    use boltseal_store::{Document, JobState, Progress};

    use super::*;
    use crate::bare::bare;

    async fn set(registry: &Registry, settings: GarbageSettings) {
        let (kind, id) = (GarbageSettings::KIND.to_owned(), GarbageSettings::ID.to_owned());
        let document = Document { kind, id, body: Some(spec(&settings)) };
        registry.0.facts.change_settings(vec![document]).await.unwrap();
    }

    /// What the schedule asks for now, and ends it.
    async fn asked(registry: &Registry) -> Vec<String> {
        registry.tidy().await.unwrap();
        let facts = &registry.0.facts;
        let mut asked = Vec::new();
        for job in facts.jobs(None, 100).await.unwrap() {
            if !job.state.is_over() && job.by == BY {
                facts.end_job(&job.id, JobState::Done, Progress::default()).await.unwrap();
                let deep = serde_json::from_str::<NewCollection>(&job.spec).is_ok_and(|asked| asked.deep);
                asked.push(if deep { format!("deep {}", job.kind) } else { job.kind });
            }
        }
        asked.sort();
        asked
    }

    #[tokio::test]
    async fn what_is_due_is_asked_for_once() {
        let (registry, _folder) = bare().await;
        let nothing =
            GarbageSettings { every: 0, deep_every: 0, scrub_days: 0, grace: 0, ..Default::default() };
        let deep = GarbageSettings { deep_every: 86_400, ..nothing.clone() };
        let often = GarbageSettings { every: 3600, ..nothing.clone() };
        let scrubs = GarbageSettings { scrub_days: 1, ..nothing.clone() };
        for (settings, first) in [
            (nothing.clone(), &[][..]),
            (deep, &["deep collect"]),
            // The deep one was a collection, too.
            (often.clone(), &[]),
            (GarbageSettings { every: 1, ..often.clone() }, &[]),
            (scrubs.clone(), &[]),
        ] {
            set(&registry, settings.clone()).await;
            assert_eq!(asked(&registry).await, first, "{settings:?}");
            assert_eq!(asked(&registry).await, Vec::<String>::new(), "{settings:?}, again");
        }
        // Now there is something: a blob that nobody needs, and that was never read again.
        let blob = registry.0.blobs.put(b"litter").unwrap();
        registry.0.facts.add_blob("a", &blob, 6).await.unwrap();
        tokio::time::sleep(Duration::from_millis(1100)).await;
        set(&registry, often).await;
        assert_eq!(asked(&registry).await, Vec::<String>::new(), "an hour has not passed");
        set(&registry, GarbageSettings { every: 1, ..nothing.clone() }).await;
        assert_eq!(asked(&registry).await, ["collect"]);
        set(&registry, scrubs).await;
        assert_eq!(asked(&registry).await, Vec::<String>::new(), "it came a moment ago, and was whole then");
    }
}
