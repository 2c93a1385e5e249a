//! Opens images again that are judged already, while their verdict goes on to hold: what an older version did not look
//! for is found, and nobody waits.

use std::{collections::HashMap, sync::Arc};

use boltseal_model::Digest;
use boltseal_store::Outcome;

use super::Judging;
use crate::Error;

impl Judging {
    /// Whether what is opened now is known by fingerprints.
    pub(crate) fn recognises(&self) -> bool {
        self.judge.recognises()
    }

    /// Opens an image and judges it anew. Where it cannot be opened, what is known of it stays, and this gives why.
    pub(crate) async fn reopen(&self, image: &Digest) -> Result<Option<String>, Error> {
        let mut gathered = self.gather(std::slice::from_ref(image)).await?;
        let beside = gathered.beside.remove(image).unwrap_or_default();
        let heeded = HashMap::from([(image.clone(), beside.changes)]);
        // As many at a time as of those that were pushed, which come in between.
        let Ok(permit) = Arc::clone(&self.workers).acquire_owned().await else { return Ok(None) };
        match self.open_and_judge(image, beside, permit).await? {
            Outcome::Failed { error } => Ok(Some(error)),
            outcome @ Outcome::Judged { .. } => {
                self.settle(image, outcome, &gathered.basis, heeded).await.map(|()| None)
            }
        }
    }
}
