//! What the log gives to other systems and takes from them, as long as the server runs.
//!
//! Nothing here is ever waited for by whoever pushes, pulls or changes something: sinks and witnesses are served from
//! what is sealed already, by tasks of their own.

mod ask;
mod deliver;
mod error;
mod notices;
mod outbox;
mod peer;
mod setting;
mod sinks;
mod webhooks;
mod witness;
mod witnesses;

use std::{path::Path, sync::Arc};

use boltseal_audit::{
    Record,
    ingest::{Ingested, Seen},
    log::Cosigner,
};
use boltseal_identity::Authority;
use boltseal_store::Facts;
use tokio::sync::{Mutex, Semaphore};

use crate::recorder::{self, Recorder};

pub use error::Error;
pub(crate) use notices::Notices;
use outbox::Outbox;
use peer::{address, authority_file, check_ca};
pub(crate) use sinks::Sinks;
pub(crate) use webhooks::Webhooks;
pub(crate) use witness::{Refused, Witness};
pub(crate) use witnesses::Witnesses;

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
    witness: Witness,
    witnesses: Witnesses,
    sinks: Sinks,
    webhooks: Webhooks,
    notices: Notices,
    outbox: Outbox,
}

impl Exchange {
    /// Makes ready; nobody is asked anything yet. The key that cosigns other logs is `witness` in the folder `keys`.
    pub fn open(
        data: &Path,
        keys: &Path,
        facts: &Facts,
        recorder: &Recorder,
        authority: &Authority,
    ) -> Result<Self, Error> {
        let host = recorder.verifier().name().split('/').next().unwrap_or_default();
        let cosigner = Cosigner::read_or_make(&keys.join("witness"), &format!("{host}/witness"))
            .map_err(recorder::Error::from)?;
        let outbox = Outbox::new(facts);
        let folder = |kind: &str| data.join("peers").join(kind);
        let inner = Inner {
            facts: facts.clone(),
            exports: Arc::new(Semaphore::new(MAX_EXPORTS)),
            seen: Mutex::new(Seen::new(REMEMBERED)),
            witness: Witness::new(facts, cosigner),
            witnesses: Witnesses::new(facts, recorder, authority, folder("witnesses")),
            sinks: Sinks::new(facts, recorder, authority, folder("sinks")),
            webhooks: Webhooks::new(facts, recorder, authority, folder("webhooks"), &outbox),
            notices: Notices::new(facts, recorder, authority, folder("notices"), &outbox),
            outbox,
        };
        Ok(Self(Arc::new(inner)))
    }

    /// Before anything is served: asks the witnesses that can be reached what they have seen of our log. A log that does
    /// not continue that is refused, unless somebody accepts it for a reason, which is recorded.
    pub async fn check(&self, accept_restored: Option<&str>) -> Result<(), Error> {
        self.0.witnesses.check(accept_restored).await
    }

    /// Serves sinks and witnesses for as long as the process runs, while it is this server that seals the log.
    pub async fn run(&self, recorder: &Recorder) {
        let mut leads = recorder.leads();
        loop {
            if leads.wait_for(|leads| *leads).await.is_err() {
                return;
            }
            tokio::select! {
                () = self.serve() => {}
                _ = leads.wait_for(|leads| !*leads) => {}
            }
        }
    }

    async fn serve(&self) {
        let witnesses = async {
            loop {
                tokio::time::sleep(witnesses::EVERY).await;
                if let Err(error) = self.cosign_now().await {
                    tracing::error!(%error, "the log's checkpoint could not be shown to its witnesses");
                }
            }
        };
        let sinks = async {
            loop {
                tokio::time::sleep(sinks::EVERY).await;
                if let Err(error) = self.send_now().await {
                    tracing::error!(%error, "sinks could not be looked after");
                }
            }
        };
        let messages = async {
            loop {
                tokio::time::sleep(webhooks::EVERY).await;
                if let Err(error) = self.tell_now().await {
                    tracing::error!(%error, "webhooks and notifications could not be looked after");
                }
            }
        };
        tokio::join!(witnesses, sinks, messages);
    }

    /// Begins to send every sink what waits for it, and does not wait for the end.
    pub async fn send_now(&self) -> Result<(), Error> {
        self.0.sinks.round().await
    }

    /// Makes events of what is new in the log and messages of what became vulnerable, and begins to send what is due.
    pub async fn tell_now(&self) -> Result<(), Error> {
        let Inner { webhooks, notices, outbox, .. } = &*self.0;
        // Each does its part whatever became of the others.
        let (events, messages) = (webhooks.make().await, notices.make().await);
        self.send_messages(outbox).await.and(events).and(messages)
    }

    async fn send_messages(&self, outbox: &Outbox) -> Result<(), Error> {
        let due = outbox.due().await?;
        // Most of the time there is nothing, and nobody's secrets are opened.
        if due.is_empty() && !Outbox::is_untidy() {
            return Ok(());
        }
        let mut ways = self.0.webhooks.ways().await?;
        ways.extend(self.0.notices.ways().await?);
        if due.is_empty() {
            return outbox.tidy(ways).await;
        }
        outbox.send(due, ways);
        Ok(())
    }

    /// Shows the newest checkpoint to every witness that has not cosigned it.
    pub async fn cosign_now(&self) -> Result<(), Error> {
        self.0.witnesses.round().await
    }

    /// Has witnesses that failed asked again at once.
    pub fn cosign_soon(&self) {
        self.0.witnesses.soon();
    }

    /// Other systems that are sent every record.
    pub(crate) fn sinks(&self) -> &Sinks {
        &self.0.sinks
    }

    /// Other systems that are told of what happens to images.
    pub(crate) fn webhooks(&self) -> &Webhooks {
        &self.0.webhooks
    }

    /// Rules about who is told of what became newly vulnerable.
    pub(crate) fn notices(&self) -> &Notices {
        &self.0.notices
    }

    /// We as a witness.
    pub(crate) fn witness(&self) -> &Witness {
        &self.0.witness
    }

    /// Others as ours.
    pub(crate) fn witnesses(&self) -> &Witnesses {
        &self.0.witnesses
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
