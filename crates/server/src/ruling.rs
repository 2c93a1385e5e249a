//! May it run: what every gate that asks this server is answered about an image.
//!
//! The webhooks of Kubernetes ask by the name in a pod, agents beside engines by the digest and the name that an engine knows
//! it by. All are answered by [`of_reference`], from what is stored:
//!
//! 1. what somebody with the role for it decided about the manifest, in the repository that it is asked about in;
//! 2. the verdict about the digest, unless it is missing, has run out, or does not know of all that is attached;
//! 3. of an index, all its images that are stored: which of them runs, a node decides.
//!
//! The push gate (`registry::gate`) does the same for single manifests, with the same words: [`Ruling`].

use axum::{
    Json,
    extract::{Path, State as From},
};
use boltseal_model::{Decision, Digest, Quarantine, Reference, Ruling, Verdict};
use boltseal_store::{Error, Kind, State as Progress};
use serde::Serialize;

use crate::{State, admission::setting, asking::Asking, failure::Failure};

/// Manifests that one index leads to. Real ones have a dozen; of more, nobody looks at all.
const MAX_IMAGES: usize = 256;

/// An answer, and the digest that a tag points to now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) ruling: Ruling,
    /// None where nobody here knows which image is meant.
    pub(crate) digest: Option<Digest>,
}

/// What is stored about a digest, and what gates make of it.
#[derive(Serialize)]
pub(crate) struct Judgement {
    digest: Digest,
    state: Option<Progress>,
    decision: Decision,
    judged: bool,
    why: String,
    verdict: Option<Verdict>,
    error: Option<String>,
}

/// `GET /api/v1/images/{digest}/verdict?name=registry.example.com/team/app`: what every gate answers about it. Without a
/// name, and under the name of another registry, what was refused in any repository is refused.
pub(crate) async fn show(
    From(state): From<State>,
    Path(digest): Path<String>,
    asking: Asking,
) -> Result<Json<Judgement>, Failure> {
    let digest: Digest =
        digest.parse().map_err(|error: boltseal_model::DigestError| Failure::Asked(error.to_string()))?;
    let ruling = match asking.some("name") {
        Some(name) => {
            let reference: Reference = name
                .parse()
                .map_err(|wrong| Failure::Asked(format!("`{name}` is no name of an image: {wrong}")))?;
            let registries = setting::registries(&state).await;
            of_reference(&state, &reference.pinned(digest.clone()), &registries).await?.ruling
        }
        None => anywhere(&state, &digest).await?,
    };
    let found = state.facts.judgement(&digest).await?;
    let now = (state.now)();
    let (progress, error) = match &found {
        Some(found) => (Some(found.state), found.error.clone()),
        None => (None, None),
    };
    let verdict = found.filter(|found| found.heeded).and_then(|found| found.verdict);
    let verdict = verdict.filter(|verdict| verdict.expires.is_none_or(|end| end > now));
    let Ruling { decision, judged, why } = ruling;
    Ok(Json(Judgement { digest, state: progress, decision, judged, why, verdict, error }))
}

/// By the name of an image as somebody wrote it; `registries` are the names under which this registry is known besides its
/// own.
pub(crate) async fn of_text(state: &State, written: &str, registries: &[String]) -> Result<Found, Error> {
    match written.parse::<Reference>() {
        Ok(reference) => of_reference(state, &reference, registries).await,
        Err(wrong) => {
            let ruling = Ruling::refused(&format!("it is no reference of an image: {wrong}"));
            Ok(Found { ruling, digest: None })
        }
    }
}

/// Whether it is a name of this registry.
pub(crate) fn is_ours(state: &State, named: &str, registries: &[String]) -> bool {
    named == state.site.registry || registries.iter().any(|other| other == named)
}

/// By the name of an image.
pub(crate) async fn of_reference(
    state: &State,
    reference: &Reference,
    registries: &[String],
) -> Result<Found, Error> {
    let named = reference.registry();
    let ours = is_ours(state, named, registries);
    let digest = match (reference.digest(), ours) {
        (Some(digest), _) => digest.clone(),
        (None, false) => return Ok(Found { ruling: elsewhere(state, reference), digest: None }),
        (None, true) => {
            let (repository, tag) = (reference.repository(), reference.tag().unwrap_or("latest"));
            let Some(digest) = state.facts.tag(repository, tag).await? else {
                let ruling = missing(&format!("there is no tag {tag} in {repository}"));
                return Ok(Found { ruling, digest: None });
            };
            digest
        }
    };
    let ruling = if ours {
        in_repository(state, reference.repository(), &digest).await?
    } else if state.facts.kind(&digest).await?.is_some() {
        anywhere(state, &digest).await?
    } else {
        elsewhere(state, reference)
    };
    Ok(Found { ruling, digest: Some(digest) })
}

/// In one of our repositories, where what was decided for it counts.
async fn in_repository(state: &State, repository: &str, digest: &Digest) -> Result<Ruling, Error> {
    let Some(manifest) = state.facts.manifest(repository, digest).await? else {
        return Ok(missing(&format!("{digest} is not in {repository}")));
    };
    of_manifest(state, Some(repository), digest, manifest.kind).await
}

/// Wherever it is stored: a verdict belongs to a digest. What was refused in one repository counts here, too; what was let
/// through in one does not.
async fn anywhere(state: &State, digest: &Digest) -> Result<Ruling, Error> {
    match state.facts.kind(digest).await? {
        Some(kind) => of_manifest(state, None, digest, kind).await,
        None => Ok(missing(&format!("{digest} was never pushed to {}", state.site.registry))),
    }
}

async fn of_manifest(
    state: &State,
    repository: Option<&str>,
    digest: &Digest,
    kind: Kind,
) -> Result<Ruling, Error> {
    match kind {
        Kind::Image => of_image(state, repository, digest).await,
        Kind::Index => of_index(state, repository, digest).await,
        Kind::Artifact => Ok(Ruling::refused("it is no image that could run")),
    }
}

/// Which image of an index runs, a node decides: all of them must be good. As at the push gate, only a refusal of the index
/// itself says something about them.
async fn of_index(state: &State, repository: Option<&str>, index: &Digest) -> Result<Ruling, Error> {
    let mut worst: Option<Ruling> = None;
    let mut indexes = vec![index.clone()];
    let mut looked_at = 0;
    while let Some(index) = indexes.pop() {
        if let Some(refused) = refusal(state, repository, &index).await? {
            return Ok(refused);
        }
        for (digest, kind) in state.facts.pointed_to(repository, &index, MAX_IMAGES as u64).await? {
            looked_at += 1;
            if looked_at >= MAX_IMAGES {
                return Ok(Ruling::refused(&format!("the index leads to {MAX_IMAGES} manifests or more")));
            }
            match kind {
                Kind::Artifact => {}
                Kind::Index => indexes.push(digest),
                Kind::Image => {
                    let ruling = of_image(state, repository, &digest).await?;
                    let of_it = Ruling { why: format!("image {}: {}", digest.short(), ruling.why), ..ruling };
                    worst = Some(worst.map_or_else(|| of_it.clone(), |worst| worst.worse(of_it.clone())));
                }
            }
        }
    }
    Ok(worst.unwrap_or_else(|| missing("no image of the index is stored here")))
}

/// What somebody's refusal of this manifest says.
async fn refusal(state: &State, repository: Option<&str>, digest: &Digest) -> Result<Option<Ruling>, Error> {
    let ruling = decided(state, repository, digest, Ruling::unknown("nobody decided")).await?;
    Ok(Some(ruling).filter(|ruling| ruling.decision == Decision::Deny))
}

async fn of_image(state: &State, repository: Option<&str>, digest: &Digest) -> Result<Ruling, Error> {
    let ruling = match state.facts.judgement(digest).await? {
        Some(judgement) => Ruling::of(&judgement.standing(), (state.now)()),
        None => missing("it was never scanned here"),
    };
    decided(state, repository, digest, ruling).await
}

/// With what people decided about it, which counts before the verdict, as it does for pulls.
async fn decided(
    state: &State,
    repository: Option<&str>,
    digest: &Digest,
    ruling: Ruling,
) -> Result<Ruling, Error> {
    let texts = match repository {
        Some(repository) => state.facts.quarantine(repository, digest).await?.into_iter().collect(),
        None => state.facts.quarantines(digest).await?,
    };
    let mut ruling = ruling;
    for text in texts {
        let with = match serde_json::from_str::<Quarantine>(&text) {
            Ok(decided) => ruling.clone().with(&decided),
            Err(_) => Ruling::refused("somebody decided about it, and what was decided cannot be read"),
        };
        // What was let through holds in its repository alone.
        if repository.is_some() || with.decision == Decision::Deny {
            ruling = with;
        }
    }
    Ok(ruling)
}

fn missing(why: &str) -> Ruling {
    Ruling::unknown(&format!("{why}; push it, and wait until it is scanned"))
}

fn elsewhere(state: &State, reference: &Reference) -> Ruling {
    Ruling::unknown(&format!(
        "it comes from {}, and no image of this digest was scanned here; fix: boltseal image copy {reference} {}/…",
        reference.registry(),
        state.site.registry
    ))
}
