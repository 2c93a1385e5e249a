//! Answers of the webhooks in the log: each refusal, and how many were let in.
//!
//! Anybody who reaches the server may ask, and a controller that is refused asks again all day. So one refusal stands in the log
//! once a minute, and [`MAX_ALONE`] of them at most; what is left out is counted, and the counts are a record of their own at
//! the end of the minute. Answers do not wait for it. A server that is killed loses the counts of its last minute.

use std::{
    collections::{BTreeMap, HashSet, hash_map::DefaultHasher},
    fmt::Write as _,
    hash::{Hash as _, Hasher as _},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use boltseal_api::admission::Logged;
use boltseal_audit::{
    Record,
    record::{Activity, Actor, Kind, Outcome, Severity, Source, Subject},
};
use boltseal_model::{Digest, Timestamp};
use boltseal_orchestrator::admission::{Answer, Review};

use crate::State;

/// What is counted together.
const WINDOW: Duration = Duration::from_mins(1);
/// Records of single answers in a window.
const MAX_ALONE: usize = 200;
/// Namespaces that are counted by name; more are counted together.
const MAX_NAMESPACES: usize = 100;
/// Characters of a name that a stranger chose.
const MAX_NAME: usize = 253;
/// What records of it say was done.
const ACTION: &str = "Boltseal/admission/decide";

/// What is counted in the current window.
#[derive(Debug, Default)]
pub struct AdmissionLog(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    /// Whether somebody waits for its end.
    open: bool,
    /// What stands in the log already.
    told: HashSet<u64>,
    counts: BTreeMap<String, Counts>,
}

/// Of one namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    let_in: u64,
    warned: u64,
    refused: u64,
    /// Of all, those that have no record of their own and would have one.
    unlisted: u64,
}

/// An image of a review, and what was said of it.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) image: String,
    pub(super) digest: Option<Digest>,
    pub(super) why: String,
    pub(super) passes: bool,
}

/// What became of a review.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Ended {
    LetIn,
    Warned,
    Refused,
}

/// Writes down what was answered, as far as the setting wants it, without making the answer wait. A dry run runs nothing.
pub(super) fn write(
    state: &State,
    source: Source,
    review: &Review,
    answer: &Answer,
    about: &[About],
    wanted: Logged,
) {
    if review.dry_run || !review.runs_anything() {
        return;
    }
    let ended = match (answer.refused.is_empty(), answer.warnings.is_empty()) {
        (false, _) => Ended::Refused,
        (true, false) => Ended::Warned,
        (true, true) => Ended::LetIn,
    };
    let namespace = name(review.namespace.as_deref());
    let texts = if ended == Ended::Refused { &answer.refused } else { &answer.warnings };
    let mut hasher = DefaultHasher::new();
    (ended, &namespace, &review.kind, &review.user, texts).hash(&mut hasher);
    if ended == Ended::LetIn {
        // Two pods of one image are two things that run.
        (&review.name, &review.uid).hash(&mut hasher);
    }
    let wants_it = wanted == Logged::All || ended != Ended::LetIn;
    let (alone, first) = {
        let mut window = state.admission_log.0.lock().unwrap_or_else(PoisonError::into_inner);
        let alone = window.count(&namespace, ended, wants_it.then(|| hasher.finish()));
        (alone, !std::mem::replace(&mut window.open, true))
    };
    if alone {
        let record = of_one((state.now)(), source, review, &namespace, ended, texts, about);
        let recorder = state.recorder.clone();
        tokio::spawn(async move {
            if let Err(failed) = recorder.note(&record).await {
                tracing::warn!(%failed, "an answer to a cluster is not in the log");
            }
        });
    }
    if first {
        let state = state.clone();
        tokio::spawn(async move {
            tokio::time::sleep(WINDOW).await;
            let window =
                std::mem::take(&mut *state.admission_log.0.lock().unwrap_or_else(PoisonError::into_inner));
            let Some(record) = window.record((state.now)(), wanted) else { return };
            if let Err(failed) = state.recorder.note(&record).await {
                tracing::warn!(%failed, "counts of answers to clusters are not in the log");
            }
        });
    }
}

impl Window {
    /// Counts one; whether it gets a record of its own.
    fn count(&mut self, namespace: &str, ended: Ended, key: Option<u64>) -> bool {
        let alone = key.is_some_and(|key| self.told.len() < MAX_ALONE && self.told.insert(key));
        let known = self.counts.contains_key(namespace) || self.counts.len() < MAX_NAMESPACES;
        let counts = self.counts.entry(if known { namespace } else { "others" }.to_owned()).or_default();
        match ended {
            Ended::LetIn => counts.let_in += 1,
            Ended::Warned => counts.warned += 1,
            Ended::Refused => counts.refused += 1,
        }
        counts.unlisted += u64::from(key.is_some() && !alone);
        alone
    }

    /// All of it in one record, where the setting wants counts or something has no record of its own.
    fn record(&self, now: Timestamp, wanted: Logged) -> Option<Record> {
        let sum = self.counts.values().fold(Counts::default(), |sum, one| Counts {
            let_in: sum.let_in + one.let_in,
            warned: sum.warned + one.warned,
            refused: sum.refused + one.refused,
            unlisted: sum.unlisted + one.unlisted,
        });
        if sum == Counts::default() || (wanted == Logged::Refused && sum.unlisted == 0) {
            return None;
        }
        let mut said = format!(
            "answers to clusters in {} s: {} let in, {} with a warning, {} refused",
            WINDOW.as_secs(),
            sum.let_in,
            sum.warned,
            sum.refused
        );
        if sum.unlisted > 0 {
            let _ =
                write!(said, "; {} of them, repeated or too many, have no record of their own", sum.unlisted);
        }
        let mut record = Record::new(now, Activity::Judge, ACTION)
            .subject(Subject::new("/admission"))
            .outcome(Outcome::Success)
            .status(said);
        for (namespace, counts) in &self.counts {
            let Counts { let_in, warned, refused, .. } = counts;
            record = record.detail(
                format!("namespace {namespace}"),
                serde_json::json!({"let_in": let_in, "warned": warned, "refused": refused}),
            );
        }
        Some(record)
    }
}

fn of_one(
    now: Timestamp,
    source: Source,
    review: &Review,
    namespace: &str,
    ended: Ended,
    texts: &[String],
    about: &[About],
) -> Record {
    let (word, outcome, severity) = match ended {
        Ended::LetIn => ("let in", Outcome::Success, Severity::Informational),
        Ended::Warned => ("let in with a warning", Outcome::Success, Severity::Low),
        Ended::Refused => ("refused", Outcome::Denied, Severity::Medium),
    };
    let object = format!("{} {}", name(Some(&review.kind)), name(review.name.as_deref()));
    // API servers prove nothing to us: who it was is what they say.
    let user = name(review.user.as_deref());
    let actor = Actor::new(Kind::Anonymous, format!("kubernetes:{user}"), user);
    let why = if texts.is_empty() { String::new() } else { format!(": {}", texts.join("; ")) };
    let mut record = Record::new(now, Activity::Judge, ACTION)
        .actor(actor)
        .source(source)
        .subject(Subject::new(format!("/admission/namespaces/{namespace}")).name(object.as_str()))
        .outcome(outcome)
        .status(format!("{object} in {namespace}: {word}{why}"))
        .severity(severity)
        .detail("operation", review.operation.as_str());
    let decisive = about.iter().find(|one| !one.passes).or_else(|| about.first());
    if let Some(digest) = decisive.and_then(|one| one.digest.as_ref()) {
        record = record.digest(digest);
    }
    for (index, one) in about.iter().enumerate() {
        let digest = one.digest.as_ref().map(ToString::to_string);
        let value = serde_json::json!({"image": one.image, "digest": digest, "why": one.why});
        record = record.detail(format!("image {index}"), value);
    }
    record
}

/// What a stranger chose as a name, as one segment of a place.
fn name(text: Option<&str>) -> String {
    let plain = |sign: char| if sign.is_control() || sign == '/' { '?' } else { sign };
    match text.unwrap_or_default() {
        "" => "-".to_owned(),
        text => text.chars().take(MAX_NAME).map(plain).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_stands_alone_once_and_everything_is_counted() {
        let mut window = Window::default();
        assert!(window.count("shop", Ended::Refused, Some(1)));
        for _ in 0..9 {
            assert!(!window.count("shop", Ended::Refused, Some(1)), "the same again");
        }
        assert!(!window.count("shop", Ended::LetIn, None), "is only counted");
        for key in 2..1_000 {
            let alone = window.count("dev", Ended::Warned, Some(key));
            assert_eq!(alone, key <= MAX_ALONE as u64, "{key}");
        }
        let record = window.record(Timestamp::UNIX_EPOCH, Logged::Refused).unwrap();
        let said = record.status.unwrap();
        assert!(said.contains("1 let in, 998 with a warning, 10 refused; 808 of them"), "{said}");
        assert_eq!(record.detail["namespace shop"]["refused"], 10);
    }

    #[test]
    fn counts_are_as_the_setting_wants_them() {
        let mut window = Window::default();
        for (logged, there) in [(Logged::Refused, false), (Logged::Counts, false), (Logged::All, false)] {
            assert_eq!(window.record(Timestamp::UNIX_EPOCH, logged).is_some(), there, "nothing happened");
        }
        window.count("shop", Ended::LetIn, None);
        window.count("shop", Ended::Refused, Some(1));
        for (logged, there) in [(Logged::Refused, false), (Logged::Counts, true), (Logged::All, true)] {
            assert_eq!(window.record(Timestamp::UNIX_EPOCH, logged).is_some(), there, "{logged:?}");
        }
        for number in 0..1_000 {
            window.count(&format!("n{number}"), Ended::LetIn, None);
        }
        assert_eq!(window.counts.len(), MAX_NAMESPACES + 1);
        assert_eq!(window.counts["others"].let_in, 1_001 - MAX_NAMESPACES as u64);
    }
}
