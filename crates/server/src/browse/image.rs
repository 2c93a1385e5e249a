//! What is known of one image besides its report.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_api::{base::Bases, custody::Chain};
use boltseal_flow::history::{self, Made, Step};
use boltseal_model::{Digest, Fingerprint};
use boltseal_store::{Facts, ImageDetail, Locked};

use super::{custody, days, since};
use crate::{
    State,
    bases::{self, Split},
    failure::Failure,
    pages::{
        frame::Viewer,
        image::{Built, Decision, Known, Used, View},
    },
};

/// Reads it, for one of its views.
pub(crate) async fn known(
    state: &State,
    viewer: &Viewer,
    detail: &ImageDetail,
    view: View,
) -> Result<Known, Failure> {
    let Some(row) = detail.rows.first() else { return Ok(Known::default()) };
    let (facts, digest) = (&state.facts, &row.digest);
    let bases = bases::of(state, digest).await?;
    Ok(Known {
        attached: facts.attached(digest).await?,
        subject: facts.subject_of(digest).await?,
        used: used(facts, viewer, detail, digest).await?,
        built: built(state, digest).await?,
        split: split(facts, detail, digest, &bases).await?,
        images: images(facts, detail).await?,
        bases,
        custody: custody(state, viewer, detail, digest, view).await?,
        steps: steps(facts, detail, digest).await?,
    })
}

/// Where it comes from, for the view of that.
async fn custody(
    state: &State,
    viewer: &Viewer,
    detail: &ImageDetail,
    digest: &Digest,
    view: View,
) -> Result<Option<Chain>, Failure> {
    match view {
        View::Custody => custody::chain(state, viewer, digest, detail.report.as_ref()).await.map(Some),
        _ => Ok(None),
    }
}

/// The steps of its build with its layers; of an image that is not read yet there is nothing to show.
async fn steps(facts: &Facts, detail: &ImageDetail, digest: &Digest) -> Result<Vec<Step>, Failure> {
    let Some(report) = &detail.report else { return Ok(Vec::new()) };
    let told = facts.build_steps(digest).await?.unwrap_or_default();
    let made = told.into_iter().map(|one| Made {
        created: one.created,
        created_by: one.step,
        comment: one.comment,
        empty_layer: one.empty,
    });
    Ok(history::steps(made.collect(), report.layers.clone()))
}

async fn split(
    facts: &Facts,
    detail: &ImageDetail,
    digest: &Digest,
    bases: &Bases,
) -> Result<Option<Split>, Failure> {
    match (&bases.base, &detail.report) {
        (Some(base), Some(report)) => bases::split(facts, digest, report, base).await,
        _ => Ok(None),
    }
}

/// In how many images each credential of this one lies.
async fn images(facts: &Facts, detail: &ImageDetail) -> Result<BTreeMap<Fingerprint, u64>, Failure> {
    let leaks = detail.report.iter().flat_map(|report| report.leaks.iter().flatten());
    let known: BTreeSet<Fingerprint> = leaks.filter_map(|leak| leak.fingerprint).collect();
    let known: Vec<Fingerprint> = known.into_iter().collect();
    Ok(facts.images_with(&known).await?.into_iter().collect())
}

async fn built(state: &State, digest: &Digest) -> Result<Built, Failure> {
    let about = state.facts.about(std::slice::from_ref(digest)).await?.pop();
    Ok(Built {
        created: about.and_then(|(_, about)| about.created),
        labels: state.facts.labels(digest).await?,
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
