//! A private registry that refuses what the verdict denies.
//!
//! Speaks the OCI distribution specification 1.1 to Docker, podman, skopeo and their kin. What is pushed is stored
//! durably, judged in the background, and judged again whenever vulnerability data or the policy change; what the
//! stored verdict does not allow answers 403 `DENIED` with the reasons.
//!
//! ```no_run
//! # use boltseal_registry::Judge;
//! # async fn example(judge: std::sync::Arc<dyn Judge>, authority: boltseal_identity::Authority) -> Result<(), Box<dyn std::error::Error>> {
//! use boltseal_registry::{Config, Registry};
//! use boltseal_store::{Blobs, Facts};
//!
//! let folder = std::path::Path::new("data");
//! let (facts, blobs) = (Facts::open(folder).await?, Blobs::open(folder)?);
//! let registry = Registry::new(facts, blobs, authority, judge, Config::default());
//! registry.start().await?;
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:5000").await?;
//! let stop = std::future::pending();
//! boltseal_wire::server::serve(listener, registry.router(), None, Default::default(), stop).await;
//! # Ok(()) }
//! ```
//!
//! The pieces, in the order of a push and a pull:
//!
//! - `endpoints`: every endpoint and what it needs; [`Authority`] decides, and everything done goes into the log in the
//!   same commit.
//! - `api`: one file per part of the distribution API.
//! - `classify`: which manifests a runtime could run. Those are images and are judged; signatures, SBOMs and
//!   attestations are not, and stay readable.
//! - [`Judge`]: the seam to `flow`; [`FlowJudge`] is the real one.
//! - `judging`: the background workers. What waits is in the facts, so a crash loses nothing.
//! - `gate`: the answer at every pull, from memory.
//! - `work`: what takes a while and outlives a crash, such as collecting `garbage`, or `scrub`: reading what is stored
//!   again.
//! - `upstream`: caches of other registries, judged before their first byte, imports and mirrors.
//! - `pulls`, `retention`: what is used, and what goes by rules.
//! - `reopening`: images are looked at again for what an older version did not look for.
//! - `following`: what other servers on the same facts change is forgotten here.
//! - `quarantine`: what somebody with the role for it decided against the verdict, through ACR's API.
//!
//! Decisions:
//!
//! - An index is a list and passes if it is well-formed; each image in it is judged by itself, at its own GET.
//! - A verdict belongs to a digest, whatever repository holds it. Rules about names see the first repository, in the
//!   order of names, that held the image when it was judged.
//! - Refused images can be tagged, listed and deleted, not pulled. Their blobs neither, unless an image that passes
//!   or an artifact shares them. HEAD of a blob answers whoever may push there, since pushing asks for what is there
//!   already; HEAD of a manifest answers when the token was asked for in order to push, for the same reason. The manifest itself
//!   may be read with such a token, and by whoever signs: what is attached needs something to be attached to.
//! - Deleting a blob that a manifest points to is allowed, as in the specification: the manifest then has a hole.
//!
//! This crate must not know: HTML, terminals, how an image is scanned.

mod api;
#[cfg(test)]
mod bare;
mod beside;
mod cache;
mod classify;
mod described;
mod endpoints;
mod error;
mod failure;
mod following;
mod garbage;
mod gate;
mod judge;
mod judging;
mod pulls;
mod quarantine;
pub mod range;
mod recently;
mod reopening;
mod retention;
mod route;
mod scrub;
mod source;
mod trash;
mod upstream;
mod work;

use std::{sync::Arc, time::Duration};

use boltseal_audit::Record;
use boltseal_identity::Authority;
use boltseal_model::Digest;
use boltseal_store::{Blobs, Facts};

pub use api::EXCHANGED;
use api::{Held, Holders};
pub use beside::{Asks, Beside};
use cache::Cache;
pub use endpoints::endpoints;
pub use error::Error;
use failure::Failure;
use garbage::Leases;
use gate::Gate;
pub use judge::{Again, Basis, FlowJudge, Judge, Request};
use judging::Judging;
pub use judging::Rejudged;
use pulls::PullCounts;
use recently::Recently;
use upstream::Upstreams;

/// Bytes of manifests kept in memory. A registry's busy images fit; the rest is one read away.
const MANIFEST_CACHE: u64 = 32 << 20;
/// Blobs whose repositories and manifests are kept in mind, by the length of their keys and lists.
const BLOB_CACHE: u64 = 8 << 20;
/// An upload session that nobody touches ends after this long.
const UPLOAD_LIFE: Duration = Duration::from_hours(24);
/// How often ended sessions are looked for.
const SWEEP: Duration = Duration::from_hours(1);

/// How the registry presents itself.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the registry is called in scopes: `/registries/NAME/repositories/…`.
    pub name: String,
    /// Where clients reach us, such as `https://registry.example`, if that differs from what their requests say.
    pub public_url: Option<String>,
    /// Images judged at the same time.
    pub workers: usize,
    /// Serves pulls also while they cannot be recorded. By default they are refused then.
    pub pulls_without_log: bool,
    /// For how many days deleted images can be taken back, where nobody set it yet. `None`: they cannot.
    pub trash_days: Option<u32>,
}

impl Default for Config {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(2, usize::from).min(8);
        Self {
            name: "main".to_owned(),
            public_url: None,
            workers,
            pulls_without_log: false,
            trash_days: None,
        }
    }
}

/// The registry. Cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    facts: Facts,
    blobs: Blobs,
    authority: Authority,
    config: Config,
    gate: Arc<Gate>,
    judging: Arc<Judging>,
    /// By repository and reference.
    manifests: Cache<Held>,
    /// By repository and digest: the manifests that point to a blob.
    holders: Cache<Holders>,
    blob_pulls: Recently,
    pulls: PullCounts,
    upstreams: Upstreams,
    /// Of pushes that are under way.
    leases: Leases,
}

impl Registry {
    /// A registry over a store. Nothing runs until [`Registry::start`].
    pub fn new(
        facts: Facts,
        blobs: Blobs,
        authority: Authority,
        judge: Arc<dyn Judge>,
        config: Config,
    ) -> Self {
        let gate = Arc::new(Gate::new(facts.clone()));
        let judging =
            Judging::new(facts.clone(), blobs.clone(), Arc::clone(&gate), judge, authority.clone(), &config);
        Self(Arc::new(Inner {
            manifests: Cache::<Held>::new(MANIFEST_CACHE, |key, held| key.len() + held.weight()).over(&facts),
            holders: Cache::<Holders>::new(BLOB_CACHE, |key, holders| key.len() + holders.weight())
                .over(&facts),
            judging: Arc::new(judging),
            pulls: PullCounts::new(facts.clone()),
            upstreams: Upstreams::new(facts.clone()),
            leases: Leases::new(facts.clone()),
            facts,
            blobs,
            blob_pulls: Recently::new(),
            authority,
            config,
            gate,
        }))
    }

    /// Brings back unfinished uploads and starts the background work: judging what waits, and what was judged from
    /// older data or another policy.
    pub async fn start(&self) -> Result<(), Error> {
        let facts = &self.0.facts;
        facts.end_claims().await?;
        let acknowledged: Vec<_> =
            facts.uploads().await?.into_iter().map(|(acknowledged, _)| acknowledged).collect();
        let blobs = self.0.blobs.clone();
        let restored = tokio::task::spawn_blocking(move || blobs.restore(&acknowledged));
        for lost in restored.await.map_err(|_| Error::Task("restoring uploads"))?? {
            facts.remove_upload(&lost).await?;
        }
        tokio::spawn(Arc::clone(&self.0.judging).work());
        tokio::spawn(Arc::clone(&self.0.judging).watch_expiry());
        tokio::spawn(Arc::clone(&self.0.judging).heed());
        tokio::spawn(self.clone().sweep());
        tokio::spawn(self.clone().follow());
        if let Some(days) = self.0.config.trash_days
            && !facts.has_trash_days().await?
        {
            facts.set_trash_days(days).await?;
        }
        tokio::spawn(self.clone().empty_trash());
        let this = self.clone();
        tokio::spawn(async move { this.0.pulls.write_for_ever().await });
        tokio::spawn(self.clone().watch_clock());
        tokio::spawn(self.clone().keep_tidy());
        tokio::spawn(self.clone().retain_daily());
        tokio::spawn(self.clone().reopen_if_due());
        self.work();
        tokio::spawn(upstream::mirror::schedule(self.clone()));
        let this = self.clone();
        tokio::spawn(async move {
            if let Err(error) = this.rejudge("start").await {
                tracing::error!(%error, "judging again at the start");
            }
        });
        Ok(())
    }

    /// Judges again, from catalogs, everything that was judged from other data or another policy than the judge now
    /// uses. Call it after changing either; `why` is for the log.
    pub async fn rejudge(&self, why: &str) -> Result<Rejudged, Error> {
        let done = self.0.judging.rejudge().await?;
        tracing::info!(why, images = done.images, took = ?done.took, judging = ?done.judging, "judged again");
        Ok(done)
    }

    /// Opens an image and judges it anew, as if it had just been pushed.
    pub async fn rescan(&self, image: &Digest) -> Result<(), Error> {
        self.0.facts.request(image).await?;
        self.0.gate.forget_all();
        self.0.judging.wake();
        Ok(())
    }

    /// Writes down what is only in memory: call it at the end, after the last request.
    pub async fn end(&self) {
        self.0.pulls.write().await;
    }

    /// The distribution API: `/v2/…` and `/token`. And ACR's: `/acr/v1/…`.
    pub fn router(&self) -> axum::Router {
        api::router(self.clone())
    }

    /// What it is called in scopes.
    pub(crate) fn name(&self) -> &str {
        &self.0.config.name
    }

    /// Records something that is no change; durable when this returns.
    pub(crate) async fn note(&self, record: &Record) -> Result<(), Failure> {
        Ok(self.0.facts.append(vec![record.entry()]).await?)
    }

    /// Records a pull. If that cannot be, the pull is refused, unless the settings say otherwise.
    pub(crate) async fn note_pull(&self, record: &Record) -> Result<(), Failure> {
        match self.note(record).await {
            Err(_) if self.0.config.pulls_without_log => Ok(()),
            outcome => outcome,
        }
    }

    async fn sweep(self) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let blobs = self.0.blobs.clone();
            let ended = tokio::task::spawn_blocking(move || blobs.expire_uploads(UPLOAD_LIFE)).await;
            let Ok(Ok(ended)) = ended else {
                tracing::error!("ended upload sessions could not be removed");
                continue;
            };
            for id in ended {
                if let Err(error) = self.0.facts.remove_upload(&id).await {
                    tracing::error!(%error, id, "forgetting an upload session");
                }
            }
        }
    }
}
