//! Other registries: repositories here that are a cache of repositories there, mirrors, and imports.
//!
//! - `place`: names here and there, filters.
//! - `reach`: the client of another registry and our credentials there; leaving it alone when it asks for that.
//! - `fetch`: brings a manifest and its blobs here, stored and judged like anything pushed.
//! - `pull`: what a pull from a cache does before it is answered like any other pull.
//! - `list`: referrers that only the upstream has.
//! - `flight`: what many want is fetched once.
//! - `origin`: where a repository here has its content from, for repairs.
//! - `walk`: a whole image with its parts and referrers, for jobs.
//! - `job`, `import`, `mirror`: jobs.
//!
//! Decisions:
//!
//! - An image is fetched whole before its manifest is answered, since nobody may have a byte of it before it is judged,
//!   and judging needs all layers. The images of an index come one by one, when somebody asks for them.
//! - In a cache, a blob that no manifest here points to is not served: nothing says that it may be.
//! - Who is asked is decided by the name of the repository here (or by `ns`), never by the client's credentials, which
//!   end here.

mod fetch;
mod flight;
pub(crate) mod import;
mod job;
mod list;
pub(crate) mod mirror;
mod origin;
mod place;
mod pull;
mod reach;
mod trouble;
mod walk;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use boltseal_api::upstreams::kinds;
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Subject, Why},
};
use boltseal_identity::{Action, Scope};
use boltseal_model::Timestamp;
use boltseal_store::Facts;
use tokio::sync::Semaphore;

use crate::failure::Failure;

pub(crate) use fetch::{Bring, download};
use flight::Flights;
pub(crate) use job::Tally;
pub(crate) use origin::Origin;
pub(crate) use place::{fits, remote_name};
pub(crate) use pull::Stale;
pub(crate) use reach::{Door, Known};
pub(crate) use trouble::{Trouble, Wanted};

/// How old the list of upstreams may be: one read a second while anybody pulls.
const LOOK: Duration = Duration::from_secs(1);
/// Blobs on their way here at the same time, of all upstreams and jobs.
const MAX_DOWNLOADS: usize = 12;
/// Tags whose last look at the upstream is remembered; of the others the facts know it.
const REMEMBERED: u64 = 20_000;

type List = Arc<[Arc<Known>]>;

/// Every upstream, and what is on its way from them.
pub(crate) struct Upstreams {
    facts: Facts,
    known: Mutex<Option<(Instant, List)>>,
    /// When a tag was last compared.
    fresh: moka::sync::Cache<Box<str>, Timestamp>,
    flights: Flights,
    pub(crate) downloads: Semaphore,
}

impl Upstreams {
    pub(crate) fn new(facts: Facts) -> Self {
        Self {
            facts,
            known: Mutex::default(),
            fresh: moka::sync::Cache::new(REMEMBERED),
            flights: Flights::default(),
            downloads: Semaphore::new(MAX_DOWNLOADS),
        }
    }

    /// The upstream behind a repository here, if there is one.
    pub(crate) async fn of(&self, repository: &str) -> Result<Option<Arc<Known>>, Failure> {
        let all = self.all().await?;
        let fitting = all.iter().filter(|known| place::covers(&known.setting, repository));
        Ok(fitting.max_by_key(|known| known.setting.prefix.len()).cloned())
    }

    /// What a repository is called here that a client calls by its name at `namespace`.
    pub(crate) async fn here(&self, namespace: &str, repository: &str) -> Result<Option<String>, Failure> {
        let all = self.all().await?;
        let enabled = all.iter().map(|known| &known.setting).filter(|setting| setting.enabled);
        // The most exact path there counts.
        let fitting = enabled.filter_map(|setting| {
            place::local_name(setting, namespace, repository).map(|name| (setting.path.len(), name))
        });
        Ok(fitting.max_by_key(|(exact, _)| *exact).map(|(_, name)| name))
    }

    /// Settings have changed.
    pub(crate) fn forget(&self) {
        *self.lock() = None;
    }

    async fn all(&self) -> Result<List, Failure> {
        let before = self.lock().clone();
        if let Some((at, list)) = &before
            && at.elapsed() < LOOK
        {
            return Ok(Arc::clone(list));
        }
        let before = before.map(|(_, list)| list).unwrap_or_default();
        let mut list = Vec::new();
        for document in self.facts.documents_of(kinds::UPSTREAM).await? {
            let body = document.body.unwrap_or_default();
            // Connections and tokens stay with what did not change.
            if let Some(same) = before.iter().find(|known| known.body == body) {
                list.push(Arc::clone(same));
                continue;
            }
            match Known::read(body) {
                Ok(known) => list.push(Arc::new(known)),
                Err(error) => tracing::error!(%error, upstream = document.id, "this upstream cannot be read"),
            }
        }
        let list: List = list.into();
        *self.lock() = Some((Instant::now(), Arc::clone(&list)));
        Ok(list)
    }

    fn lock(&self) -> MutexGuard<'_, Option<(Instant, List)>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the log says of something that is brought here from `host`.
pub(crate) fn record(registry: &str, repository: &str, host: &str, why: &str) -> Record {
    let scope = Scope::repository(registry, repository);
    let scope = scope.map_or_else(|_| "/registries".to_owned(), |scope| scope.as_str().to_owned());
    Record::new(Timestamp::now(), Activity::Create, Action::ContentWrite.name())
        .subject(Subject::new(scope))
        .outcome(Outcome::Success)
        .why(Why::rule(why))
        .detail("upstream", host)
}
