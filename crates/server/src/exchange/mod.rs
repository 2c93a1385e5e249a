//! What the log gives to other systems and takes from them, as long as the server runs.
//!
//! Nothing here is ever waited for by whoever pushes, pulls or changes something: sinks and witnesses are served from
//! what is sealed already, by tasks of their own.

use std::sync::Arc;

use boltseal_audit::{
    Record,
    ingest::{Ingested, Seen},
};
use boltseal_store::Facts;
use tokio::sync::{Mutex, Semaphore};

/// Exports at the same time: each reads the disk on a thread of its own for as long as its receiver takes.
const MAX_EXPORTS: usize = 4;
/// Events of clusters and engines that are remembered, so that none is taken twice: some megabytes, and more than API
/// servers send again.
const REMEMBERED: usize = 100_000;

/// Cheap to clone.
#[derive(Clone, Debug)]
pub struct Exchange(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    facts: Facts,
    exports: Arc<Semaphore>,
    seen: Mutex<Seen>,
}

impl Exchange {
    /// Reads with whom.
    pub fn open(facts: &Facts) -> Self {
        let inner = Inner {
            facts: facts.clone(),
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            seen: Mutex::new(Seen::new(REMEMBERED)),
        };
        Self(Arc::new(inner))
    }

    /// Whoever exports takes one, and gives it back at the end.
    pub(crate) fn exports(&self) -> Arc<Semaphore> {
        Arc::clone(&self.0.exports)
    }

    /// Records events that are new, in one commit, and says how many those were. One batch after another: a repeated
    /// one is answered when the first is durable, not before.
    pub(crate) async fn take(
        &self,
        events: Vec<Ingested>,
        finish: impl Fn(Record) -> Record + Send,
    ) -> Result<usize, boltseal_store::Error> {
        let mut seen = self.0.seen.lock().await;
        let mut fresh = Vec::new();
        let mut entries = Vec::new();
        for event in events {
            if seen.insert(event.key) {
                fresh.push(event.key);
                entries.push(finish(event.record).entry());
            }
        }
        if entries.is_empty() {
            return Ok(0);
        }
        if let Err(error) = self.0.facts.append(entries).await {
            seen.forget(&fresh);
            return Err(error);
        }
        Ok(fresh.len())
    }
}
