//! What was recorded a moment ago, so that one pull of a blob in a hundred ranges is one record.

use std::{sync::Arc, time::Duration};

use boltseal_identity::PrincipalId;
use boltseal_model::Digest;

/// Within this time the same blob, read again by the same principal, is the same pull.
const WITHIN: Duration = Duration::from_mins(1);
/// Pulls remembered; beyond it some are recorded more than once, which does no harm.
const MAX_PULLS: u64 = 50_000;

/// Pulls of blobs of the last minute.
pub(crate) struct Recently(moka::sync::Cache<(PrincipalId, Arc<str>), ()>);

impl Recently {
    pub(crate) fn new() -> Self {
        Self(moka::sync::Cache::builder().max_capacity(MAX_PULLS).time_to_live(WITHIN).build())
    }

    /// Whether it was not there within the last minute; it is from now on.
    pub(crate) fn is_new(&self, who: PrincipalId, blob: &Digest) -> bool {
        let key = (who, Arc::from(blob.to_string()));
        self.0.entry(key).or_insert(()).is_fresh()
    }
}
