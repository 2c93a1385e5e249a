//! Pushes that are under way keep what they brought, though no manifest points to it yet.

use std::{future::Future, time::Duration};

use boltseal_model::Digest;
use boltseal_store::Facts;

use crate::failure::Failure;

/// What somebody asked for within this time need not be written down again. The grace is far longer.
const SOON: Duration = Duration::from_mins(5);
/// Repositories remembered that were renewed a moment ago; beyond it some are looked at more often, which does no harm.
const MAX_REPOSITORIES: u64 = 50_000;

/// Renews what pushes need.
pub(crate) struct Leases {
    facts: Facts,
    renewed: moka::sync::Cache<String, ()>,
}

impl Leases {
    pub(crate) fn new(facts: Facts) -> Self {
        let renewed = moka::sync::Cache::builder().max_capacity(MAX_REPOSITORIES).time_to_live(SOON).build();
        Self { facts, renewed }
    }

    /// Somebody who pushes asks for a blob: whether it is there, and will be for a while.
    pub(crate) async fn has(&self, repository: &str, blob: &Digest) -> Result<bool, Failure> {
        Ok(self.facts.renew_blob(repository, blob, SOON).await?)
    }

    /// Somebody pushes to a repository: what came before stays.
    pub(crate) async fn renew(&self, repository: &str) {
        if !self.renewed.entry_by_ref(repository).or_insert(()).is_fresh() {
            return;
        }
        if let Err(error) = self.facts.renew_unlinked(repository, SOON).await {
            tracing::warn!(%error, repository, "blobs that wait for their manifest were not renewed");
        }
    }

    /// The same for as long as `upload` takes: a layer of many gigabytes may take longer than the grace.
    pub(crate) async fn during<T>(&self, repository: &str, upload: impl Future<Output = T>) -> T {
        let mut upload = std::pin::pin!(upload);
        loop {
            self.renew(repository).await;
            if let Ok(done) = tokio::time::timeout(SOON, &mut upload).await {
                return done;
            }
        }
    }
}
