//! What is known of one image besides its report.

use boltseal_model::Digest;
use boltseal_store::{Facts, ImageDetail, Locked};

use super::{days, since};
use crate::{
    failure::Failure,
    pages::{
        frame::Viewer,
        image::{Decision, Known, Used},
    },
};

/// Reads it.
pub(crate) async fn known(facts: &Facts, viewer: &Viewer, detail: &ImageDetail) -> Result<Known, Failure> {
    let Some(digest) = detail.rows.first().map(|row| &row.digest) else { return Ok(Known::default()) };
    Ok(Known {
        attached: facts.attached(digest).await?,
        subject: facts.subject_of(digest).await?,
        used: used(facts, viewer, detail, digest).await?,
    })
}

async fn used(
    facts: &Facts,
    viewer: &Viewer,
    detail: &ImageDetail,
    digest: &Digest,
) -> Result<Used, Failure> {
    let pulls = facts.pulls(digest, since(viewer.now)).await?;
    let (mut locks, mut decisions) = (Vec::new(), Vec::new());
    for row in &detail.rows {
        let of_this = |target: &Locked| match target {
            Locked::Repository => true,
            Locked::Tag(tag) => row.tags.contains(tag),
            Locked::Manifest(manifest) => manifest == digest,
        };
        let here = facts.locks(&row.repository).await?;
        let here = here.into_iter().filter(|lock| of_this(&lock.target));
        locks.extend(here.map(|lock| (row.repository.clone(), lock)));
        let body = facts.quarantine(&row.repository, digest).await?;
        let decision: Option<Decision> = body.and_then(|body| serde_json::from_str(&body).ok());
        decisions.extend(decision.map(|decision| (row.repository.clone(), decision)));
    }
    let days = days(&pulls.iter().flat_map(|of| &of.days), viewer.now);
    Ok(Used { pulls, days, locks, decisions })
}
