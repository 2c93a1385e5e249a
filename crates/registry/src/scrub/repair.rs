//! Damaged bytes come again from the registry they came from: the upstream of a cache, or what a mirror copies.
//!
//! They are asked for by their digest and held against it before they count, so it does not matter whom they come from.
//! What was pushed here has no such place, and neither has what was imported once: a push repairs it.

use std::sync::Arc;

use boltseal_audit::{
    Record,
    record::{Outcome, Severity, Why},
};
use boltseal_image::remote::Name;
use boltseal_model::Timestamp;
use boltseal_store::{Home, Scrub, Stored};
use tokio::task::spawn_blocking;

use super::damaged;
use crate::{
    Inner,
    upstream::{Origin, Trouble, download},
};

/// Other registries that are asked for the same bytes: one of them has them, or they are all away.
const MAX_ORIGINS: usize = 8;

impl Inner {
    /// Brings the right bytes from elsewhere, if somebody has them. Gives whether they are here.
    pub(super) async fn mend(self: &Arc<Self>, one: &Scrub, homes: &[Home]) -> bool {
        let mut asked = 0;
        for home in homes {
            let origin = match self.origin(&home.repository).await {
                Ok(None) => continue,
                Ok(Some(origin)) => origin,
                Err(trouble) => {
                    unmended(one, home, &trouble);
                    continue;
                }
            };
            let mended = self.mend_from(one, home, &origin).await;
            origin.note(mended.as_ref().err());
            match mended {
                Ok(mended) => return mended,
                Err(trouble) => unmended(one, home, &trouble),
            }
            asked += 1;
            if asked >= MAX_ORIGINS {
                break;
            }
        }
        false
    }

    async fn mend_from(self: &Arc<Self>, one: &Scrub, home: &Home, origin: &Origin) -> Result<bool, Trouble> {
        let _one_of_some = self.upstreams.downloads.acquire().await.map_err(Trouble::ended)?;
        let (from, digest, size) = (origin.from.clone(), one.digest.clone(), one.size);
        let (blobs, is_manifest) = (self.blobs.clone(), home.is_manifest);
        let brought = spawn_blocking(move || {
            if !is_manifest {
                return download(&from, &digest, size, &blobs, &crate::upstream::Tally::default());
            }
            let fetched = from.manifest(Name::Digest(&digest)).map_err(|error| Trouble::of(&error))?;
            let mut writer = blobs.writer(digest.algorithm())?;
            writer.write(&fetched.bytes)?;
            Ok(writer)
        });
        let writer = brought.await.map_err(Trouble::ended)??;
        let _nobody_removes_it_meanwhile = self.blobs.lock(&one.digest).await;
        // A push may have repaired it, or the last image with it may have gone.
        match self.facts.contents(&one.digest).await? {
            Some(Scrub { rotten: Some(_), .. }) => {}
            known => return Ok(known.is_some()),
        }
        let digest = one.digest.clone();
        let stored = spawn_blocking(move || writer.finish(&digest)).await.map_err(Trouble::ended)??;
        let record = mended(&stored, home, origin);
        self.facts.recording(vec![record.entry()]).mended(stored).await?;
        self.deleted();
        tracing::info!(digest = %one.digest, from = origin.host, "damaged bytes were brought again");
        Ok(true)
    }
}

fn mended(stored: &Stored, home: &Home, origin: &Origin) -> Record {
    let (host, name) = (&origin.host, origin.from.name());
    let record = damaged(&stored.digest, "", Timestamp::now());
    Record { alert: false, ..record }
        .outcome(Outcome::Success)
        .severity(Severity::Low)
        .why(Why::rule(&origin.why))
        .detail("upstream", host.clone())
        .detail("repository", name.to_owned())
        .detail("repositories", vec![home.repository.clone()])
        .detail("bytes", stored.size)
        .status(format!("damaged bytes were brought again from {host}/{name}"))
}

fn unmended(one: &Scrub, home: &Home, trouble: &Trouble) {
    let (digest, repository, why) = (&one.digest, &home.repository, trouble.sentence());
    tracing::warn!(%digest, repository, why, "damaged bytes could not be brought again");
}
