//! A review: every image of it and every pod.

use boltseal_api::admission::{Mode, OnUnknown};
use boltseal_orchestrator::{
    admission::{Answer, Image, Patch, Review},
    leaf::Leaf,
    pss::{Level, Version},
};

use boltseal_model::{Decision, Ruling};

use super::{
    log::About,
    setting::{self, InForce},
};
use crate::{
    State,
    failure::Failure,
    ruling::{self, Found},
};

/// What is said of one review, before warn mode makes warnings of refusals.
#[derive(Default)]
struct Said {
    refused: Vec<String>,
    warned: Vec<String>,
    unknown: usize,
    about: Vec<About>,
}

impl Said {
    /// What is not known, as the setting wants it.
    fn unknown(&mut self, text: String, wanted: OnUnknown) {
        self.unknown += 1;
        match wanted {
            OnUnknown::Deny => self.refused.push(text),
            OnUnknown::Warn => self.warned.push(text),
            OnUnknown::Allow => {}
        }
    }
}

/// Images of a review whose answers are kept for the log; a pod has a handful.
const MAX_ABOUT: usize = 16;

/// Whether what is asked about may run, and what was said of each image.
pub(super) async fn judge(state: &State, review: &Review) -> (Answer, Vec<About>) {
    if !review.runs_anything() {
        return (Answer::default(), Vec::new());
    }
    let force = setting::in_force(state, review.namespace.as_deref()).await;
    let mut said = Said::default();
    for image in review.images() {
        one(state, &image, &force, &mut said).await;
    }
    pods(review, force.level, force.version, &mut said);
    let about = std::mem::take(&mut said.about);
    (finished(said, &force), about)
}

/// The answer when there was no time for one.
pub(super) fn late(state: &State, review: &Review) -> Answer {
    // A store that does not answer is not asked again: what was in force last is in force.
    let force = setting::last(state, review.namespace.as_deref());
    let mut said = Said::default();
    let text = "the verdicts could not be looked up in time; fix: try again, and look at the server's log"
        .to_owned();
    said.unknown(text, force.unknown);
    finished(said, &force)
}

/// The answer to what cannot be read: what nobody looked at is not let in, whatever is said about images that nobody knows.
pub(super) fn unread(why: &Failure, force: &InForce) -> Answer {
    let text = format!("what is asked about cannot be read, so nobody knows what would run: {why}");
    finished(Said { refused: vec![text], ..Said::default() }, force)
}

/// Digests behind the tags of a pod's images, as far as they are known here.
pub(super) async fn pin(state: &State, review: &Review) -> Answer {
    let mut answer = Answer::default();
    if !review.is_pod() {
        return answer;
    }
    let force = setting::in_force(state, review.namespace.as_deref()).await;
    for Image { reference, pointer, .. } in review.images() {
        let Leaf::Set(written, _) = reference else { continue };
        if written.contains('@') {
            continue;
        }
        // What is not allowed is refused by its tag, so that people read the name that they wrote.
        if let Ok(Found { ruling, digest: Some(digest) }) =
            ruling::of_text(state, &written, &force.registries).await
            && ruling.passes()
        {
            answer.patches.push(Patch::replace(pointer, format!("{written}@{digest}")));
        }
    }
    answer
}

async fn one(state: &State, image: &Image, force: &InForce, said: &mut Said) {
    let Image { who, reference, pointer } = image;
    let written = match reference {
        Leaf::Set(written, _) => written,
        Leaf::Unset(_) => {
            return said.unknown(format!("{who} names no image at {pointer}"), OnUnknown::Deny);
        }
        Leaf::Unknown(why, _) => {
            return said.unknown(format!("{who}: the image at {pointer} is {why}"), OnUnknown::Deny);
        }
    };
    let place = format!("{who}: {written} ({pointer})");
    let found = ruling::of_text(state, written, &force.registries).await;
    let Found { ruling, digest } = found.unwrap_or_else(|error| {
        tracing::warn!(%error, "a review could not be answered");
        Found { ruling: Ruling::unknown("the store did not answer; fix: try again"), digest: None }
    });
    if said.about.len() < MAX_ABOUT {
        let Ruling { why, .. } = &ruling;
        said.about.push(About { image: written.clone(), digest, why: why.clone(), passes: ruling.passes() });
    }
    let text = format!("{place}: {}", ruling.why);
    match ruling {
        Ruling { decision: Decision::Allow, .. } => {}
        Ruling { decision: Decision::Warn, .. } => said.warned.push(text),
        Ruling { judged: true, .. } => said.refused.push(text),
        Ruling { judged: false, .. } => said.unknown(text, force.unknown),
    }
}

fn pods(review: &Review, level: Level, version: Version, said: &mut Said) {
    for (control, hit) in review.broken(level, version) {
        said.refused.push(format!(
            "Pod Security {level} {version}, {}: {} ({}); wanted: {}; fix: {}",
            control.id, hit.found, hit.place.path, control.title, control.fix
        ));
    }
}

fn finished(said: Said, force: &InForce) -> Answer {
    let Said { mut refused, mut warned, unknown, .. } = said;
    let decision = match (refused.is_empty(), unknown) {
        (false, _) => "deny",
        (true, 0) => "allow",
        (true, _) => "unknown",
    };
    if force.mode == Mode::Warn {
        warned.extend(refused.drain(..).map(|text| format!("would be refused: {text}")));
    } else if !refused.is_empty()
        && let Some(exceptions) = &force.exceptions
    {
        refused.push(format!("for an exception: {exceptions}"));
    }
    let mode = if force.mode == Mode::Warn { "warn" } else { "enforce" };
    Answer {
        refused,
        warnings: warned,
        patches: Vec::new(),
        notes: vec![("decision", decision.to_owned()), ("mode", mode.to_owned())],
    }
}
