//! What the log says of a verdict: the first one of an image, and every one that differs from the one before.

use boltseal_audit::{
    Record,
    record::{Activity, Actor, Outcome as Ended, Source, Subject, Why},
};
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Judgement, Outcome};

/// The record, unless nothing changed.
pub(super) fn changed(
    image: &Digest,
    before: Option<&Judgement>,
    outcome: &Outcome,
    now: Timestamp,
) -> Option<Record> {
    let was = before.and_then(|judgement| {
        let decision = judgement.verdict.as_ref().map(|verdict| verdict.decision.word());
        decision.or_else(|| judgement.error.as_ref().map(|_| "failed"))
    });
    let record = Record::new(now, Activity::Judge, "Boltseal/images/judge/action")
        .actor(Actor::system())
        .source(Source::local())
        .subject(Subject::new("/registries").digest(image.clone()));
    let record = match was {
        Some(was) => record.detail("before", was),
        None => record,
    };
    match outcome {
        Outcome::Judged { report, .. } => {
            let verdict = report.verdict.as_ref()?;
            if was == Some(verdict.decision.word()) {
                return None;
            }
            let record = record
                .outcome(Ended::Success)
                .status(verdict.sentence())
                .why(Why::rule(format!("policy {} {}", verdict.policy, verdict.policy_digest)))
                .detail("verdict", verdict.decision.word());
            Some(match &report.snapshot {
                Some(snapshot) => record.detail("snapshot", snapshot.id.clone()),
                None => record,
            })
        }
        Outcome::Failed { error } if was != Some("failed") => {
            Some(record.outcome(Ended::Failure).status(error.clone()).detail("verdict", "failed"))
        }
        Outcome::Failed { .. } => None,
    }
}
