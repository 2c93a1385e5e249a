//! Pulls, counted in memory and written a few times a minute: how often and when something was pulled last.
//!
//! A pull is a GET of a manifest that was answered, by tag or digest; HEAD is none, and neither is a read by somebody
//! who inspects what the gate holds back, by the scanner or by the mirror, none of which comes through the API. Clients
//! that look a tag up by HEAD and then pull its digest are counted for the tag too.
//!
//! A crash loses what was counted since the last writing: [`EVERY`] at most. Who pulled what stands in the log anyway.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use boltseal_identity::PrincipalId;
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Facts, Pulled};

/// How often what was counted is written.
const EVERY: Duration = Duration::from_secs(5);
/// Names counted between two writings; some megabytes. Pulls of more different ones are not counted, and that is said.
const MAX_NAMES: usize = 20_000;
/// How long after it looked up a tag a client pulls what it found.
const LOOKED_UP: Duration = Duration::from_mins(1);
/// Tags looked up that are remembered.
const MAX_LOOKED_UP: u64 = 20_000;

/// What is counted under one name: repository, digest, and the tag that was asked for.
type Key = (String, Digest, Option<String>);
/// What is counted: how many, when the last was, and whose.
type Gathered = (u64, Timestamp, Arc<str>);
/// Who looked up what.
type LookedUp = (PrincipalId, Arc<str>, Digest);

/// Counts pulls.
pub(crate) struct PullCounts {
    facts: Facts,
    gathered: Mutex<HashMap<Key, Gathered>>,
    tags: moka::sync::Cache<LookedUp, Arc<str>>,
    /// Pulls of names that were too many.
    uncounted: AtomicU64,
}

impl PullCounts {
    pub(crate) fn new(facts: Facts) -> Self {
        let tags = moka::sync::Cache::builder().max_capacity(MAX_LOOKED_UP).time_to_live(LOOKED_UP).build();
        Self { facts, gathered: Mutex::default(), tags, uncounted: AtomicU64::new(0) }
    }

    /// Somebody looked up what a tag points to.
    pub(crate) fn looked_up(&self, who: PrincipalId, repository: &str, digest: &Digest, tag: &str) {
        self.tags.insert((who, repository.into(), digest.clone()), tag.into());
    }

    /// Somebody pulled a manifest.
    pub(crate) fn pulled(
        &self,
        (who, name): (PrincipalId, &Arc<str>),
        repository: &str,
        digest: &Digest,
        tag: Option<&str>,
        now: Timestamp,
    ) {
        let tag = match tag {
            Some(tag) => Some(tag.to_owned()),
            // What is looked up once is pulled once.
            None => {
                self.tags.remove(&(who, repository.into(), digest.clone())).map(|tag| tag.as_ref().to_owned())
            }
        };
        let mut gathered = self.gathered();
        let room = gathered.len() < MAX_NAMES;
        match gathered.entry((repository.to_owned(), digest.clone(), tag)) {
            std::collections::hash_map::Entry::Occupied(mut known) => {
                let (number, last, by) = known.get_mut();
                *number = number.saturating_add(1);
                *last = now.max(*last);
                *by = Arc::clone(name);
            }
            std::collections::hash_map::Entry::Vacant(new) if room => {
                new.insert((1, now, Arc::clone(name)));
            }
            std::collections::hash_map::Entry::Vacant(_) => {
                self.uncounted.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Writes what was counted, for ever.
    pub(crate) async fn write_for_ever(&self) {
        loop {
            tokio::time::sleep(EVERY).await;
            self.write().await;
        }
    }

    /// Writes what was counted. What cannot be written is kept for the next time.
    pub(crate) async fn write(&self) {
        let gathered = std::mem::take(&mut *self.gathered());
        let uncounted = self.uncounted.swap(0, Ordering::Relaxed);
        if uncounted > 0 {
            tracing::warn!(uncounted, "more different manifests were pulled than are counted at a time");
        }
        let pulled: Vec<Pulled> = gathered
            .iter()
            .map(|((repository, digest, tag), (number, last, by))| Pulled {
                repository: repository.clone(),
                digest: digest.clone(),
                tag: tag.clone(),
                number: *number,
                last: *last,
                by: Some(by.to_string()),
            })
            .collect();
        if let Err(error) = self.facts.count_pulls(pulled).await {
            tracing::warn!(%error, "pulls could not be counted; they will be");
            let mut fresh = self.gathered();
            for (key, (number, last, by)) in gathered {
                let (sum, latest, _) = fresh.entry(key).or_insert((0, last, by));
                (*sum, *latest) = (sum.saturating_add(number), last.max(*latest));
            }
        }
    }

    fn gathered(&self) -> MutexGuard<'_, HashMap<Key, Gathered>> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
