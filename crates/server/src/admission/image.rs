//! One image: what is stored about it.

use boltseal_model::{Decision, Digest, Reference, Verdict};
use boltseal_store::{Error, Kind, State as Progress};
use serde::Deserialize;

use crate::State;

/// Reasons of a verdict in one answer; the page of the image has all.
const MAX_REASONS: usize = 3;

/// What is known about an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// It may run, with a word of warning perhaps. The digest is the one that the tag points to.
    Pass { digest: Digest, warning: Option<String> },
    /// It may not.
    Refuse(String),
    /// Nobody here can tell: what is missing, and what to do.
    Unknown { why: String, fix: String },
}

/// What somebody decided about a manifest, as the registry writes it.
#[derive(Deserialize)]
struct Decided {
    state: String,
    by: String,
}

/// Looks up `written`; `registries` are the names under which this registry is known.
pub(super) async fn rule(state: &State, written: &str, registries: &[String]) -> Result<Ruling, Error> {
    let reference: Reference = match written.parse() {
        Ok(reference) => reference,
        Err(wrong) => return Ok(Ruling::Refuse(format!("is no reference of an image: {wrong}"))),
    };
    let named = reference.registry();
    let ours = named == state.site.registry || registries.iter().any(|other| other == named);
    if !ours {
        return elsewhere(state, &reference).await;
    }
    let repository = reference.repository();
    let digest = if let Some(digest) = reference.digest() {
        digest.clone()
    } else {
        let tag = reference.tag().unwrap_or("latest");
        let Some(digest) = state.facts.tag(repository, tag).await? else {
            return Ok(missing(&format!("there is no tag {tag} in {repository}")));
        };
        digest
    };
    let Some(manifest) = state.facts.manifest(repository, &digest).await? else {
        return Ok(missing(&format!("{digest} is not in {repository}")));
    };
    if let Some(ruling) = decided(state, repository, &digest).await? {
        return Ok(ruling);
    }
    match manifest.kind {
        Kind::Image => judged(state, &digest, &digest).await,
        Kind::Index => index(state, repository, &digest).await,
        Kind::Artifact => Ok(Ruling::Refuse("is no image that could run".to_owned())),
    }
}

fn missing(why: &str) -> Ruling {
    Ruling::Unknown { why: why.to_owned(), fix: "push it, and wait until it is scanned".to_owned() }
}

/// A verdict belongs to a digest, wherever the image is kept.
async fn elsewhere(state: &State, reference: &Reference) -> Result<Ruling, Error> {
    let registry = reference.registry();
    if let Some(digest) = reference.digest()
        && state.facts.judgement(digest).await?.is_some()
    {
        return judged(state, digest, digest).await;
    }
    Ok(Ruling::Unknown {
        why: format!("it comes from {registry}, and no image of this digest was scanned here"),
        fix: format!("copy it: boltseal image copy {reference} {}/…", state.site.registry),
    })
}

/// An exception by somebody with the role for it counts before the verdict, as it does for pulls.
async fn decided(state: &State, repository: &str, digest: &Digest) -> Result<Option<Ruling>, Error> {
    let Some(text) = state.facts.quarantine(repository, digest).await? else { return Ok(None) };
    let Ok(decided) = serde_json::from_str::<Decided>(&text) else {
        return Ok(Some(Ruling::Refuse("was decided about, and what was decided cannot be read".to_owned())));
    };
    Ok(match decided.state.as_str() {
        "Passed" => Some(Ruling::Pass {
            digest: digest.clone(),
            warning: Some(format!("passed by {}, whatever its verdict", decided.by)),
        }),
        "Failed" => Some(Ruling::Refuse(format!("was refused by {}", decided.by))),
        _ => None,
    })
}

/// Which image of an index runs, the node decides: all of them must be good.
async fn index(state: &State, repository: &str, digest: &Digest) -> Result<Ruling, Error> {
    let mut worst = None;
    for child in state.facts.index_children(repository, digest).await? {
        if child.kind != Kind::Image {
            continue;
        }
        match judged(state, &child.digest, digest).await? {
            Ruling::Pass { digest, warning } => {
                let warned = warning.is_some();
                if worst.is_none() || (warned && matches!(worst, Some(Ruling::Pass { warning: None, .. }))) {
                    worst = Some(Ruling::Pass { digest, warning });
                }
            }
            refused @ Ruling::Refuse(_) => return Ok(refused),
            unknown @ Ruling::Unknown { .. } => worst = Some(unknown),
        }
    }
    Ok(worst.unwrap_or_else(|| missing("no image of the index is stored here")))
}

/// What the stored verdict about `image` says; what may run is called `runs`.
async fn judged(state: &State, image: &Digest, runs: &Digest) -> Result<Ruling, Error> {
    let wait = |why: String| Ruling::Unknown { why, fix: "try again in a moment".to_owned() };
    let Some(judgement) = state.facts.judgement(image).await? else {
        return Ok(missing("it was never scanned here"));
    };
    let heeded = judgement.heeded;
    Ok(match (judgement.state, judgement.verdict) {
        (Progress::Pending, _) => wait("it is being scanned".to_owned()),
        (Progress::Failed, _) => {
            let error = judgement.error.unwrap_or_else(|| "nobody knows why".to_owned());
            Ruling::Refuse(format!("could not be scanned: {error}"))
        }
        (Progress::Judged, _) if !heeded => {
            wait("what is attached to it has changed, and it is being judged again".to_owned())
        }
        (Progress::Judged, None) => Ruling::Refuse("has no verdict".to_owned()),
        (Progress::Judged, Some(verdict)) if verdict.expires.is_some_and(|end| end <= (state.now)()) => {
            wait(format!("the verdict of policy {} has run out and is being made anew", verdict.policy))
        }
        (Progress::Judged, Some(verdict)) if verdict.decision.passes() => Ruling::Pass {
            digest: runs.clone(),
            warning: (verdict.decision == Decision::Warn).then(|| verdict.sentence()),
        },
        (Progress::Judged, Some(verdict)) => Ruling::Refuse(against(&verdict)),
    })
}

/// Policy, rule, what was found, what is wanted, what to do.
fn against(verdict: &Verdict) -> String {
    let mut reasons = verdict.reasons.iter().filter(|reason| !reason.decision.passes());
    let mut said: Vec<String> = Vec::new();
    for reason in reasons.by_ref().take(MAX_REASONS) {
        let fix = reason.fix.as_ref().map(|fix| format!("; fix: {fix}")).unwrap_or_default();
        said.push(format!("rule {}: found {}; wanted {}{fix}", reason.rule, reason.found, reason.wanted));
    }
    let more = reasons.count();
    if more > 0 {
        said.push(format!("{more} more"));
    }
    format!("is refused by policy {}: {}", verdict.policy, said.join("; "))
}
