//! What every gate answers about an image: the push gate, webhooks of Kubernetes, agents beside engines, and whoever asks.
//!
//! A verdict is a policy's; a ruling is what a gate makes of it now: verdicts that are still missing, that ran out, and what
//! people decided otherwise are in it. The words are made here, so that everybody is told the same.
//!
//! ```
//! use boltseal_model::{Ruling, Standing, Timestamp};
//!
//! let ruling = Ruling::of(&Standing::Pending, Timestamp::UNIX_EPOCH);
//! assert!(!ruling.passes() && !ruling.judged);
//! assert_eq!(ruling.why, "unknown: still being scanned; try again in a few seconds");
//! ```

use serde::{Deserialize, Serialize};

use crate::{Decision, Timestamp, Verdict};

/// How far the judgement of an image has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It waits for its scan.
    Pending,
    /// It could not be scanned, for this reason.
    Failed(Option<String>),
    /// What is attached to it changed, and the verdict that knows of it is not there yet.
    Outdated,
    /// There is a verdict, which may have run out.
    Judged(Verdict),
}

/// May it run, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruling {
    /// [`Decision::passes`] says whether it may run.
    pub decision: Decision,
    /// False: nobody judged it so far. Only of such images settings may say that they run all the same; one that was judged
    /// and of which too little is known is refused.
    pub judged: bool,
    /// In one sentence: the decision, what was found, by which rule, what is wanted, and what to do.
    pub why: String,
}

/// What somebody with the role for it decided about a manifest of one repository, whatever its verdict says: ACR's
/// quarantine. It holds in that repository, since the right to say so does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quarantine {
    /// Passed or failed.
    pub state: QuarantineState,
    /// Why, in the words of whoever decided; often JSON.
    pub details: Option<String>,
    /// Name of who decided.
    pub by: String,
    /// Id of who decided, which stays when names change.
    pub by_id: String,
    /// When.
    pub at: Timestamp,
}

/// ACR's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum QuarantineState {
    /// Nobody decided: the verdict counts.
    Quarantined,
    /// It may be pulled, and run.
    Passed,
    /// It may not.
    Failed,
}

/// Characters of the details in a sentence; whoever asks for the attributes gets all.
const MAX_SHOWN: usize = 200;

impl Ruling {
    /// By what is stored about one image.
    pub fn of(standing: &Standing, now: Timestamp) -> Self {
        match standing {
            Standing::Pending => Self::unknown("still being scanned; try again in a few seconds"),
            Standing::Outdated => Self::unknown(
                "what is attached to it has changed, and it is being judged again; try again in a few seconds",
            ),
            Standing::Failed(error) => {
                let error = error.as_deref().unwrap_or("it has no verdict");
                let why = format!("unknown: it could not be scanned: {error}");
                Self { decision: Decision::Unknown, judged: true, why }
            }
            Standing::Judged(verdict) if verdict.expires.is_some_and(|end| end <= now) => {
                Self::unknown(&format!(
                    "the verdict of policy {} has run out and is being made anew; try again in a few seconds",
                    verdict.policy
                ))
            }
            Standing::Judged(verdict) => {
                Self { decision: verdict.decision, judged: true, why: verdict.sentence() }
            }
        }
    }

    /// Nobody judged it.
    pub fn unknown(why: &str) -> Self {
        Self { decision: Decision::Unknown, judged: false, why: format!("unknown: {why}") }
    }

    /// It may not run, whatever settings say.
    pub fn refused(why: &str) -> Self {
        Self { decision: Decision::Deny, judged: true, why: format!("deny: {why}") }
    }

    /// Whether it may run.
    pub const fn passes(&self) -> bool {
        self.decision.passes()
    }

    /// The one of two that lets less run: of an index every image must be good, since a node chooses among them.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        // What was judged and is refused is refused everywhere; what nobody judged, only where settings say so.
        let rank = |one: &Self| (!one.passes(), one.judged, one.decision);
        if rank(&other) > rank(&self) { other } else { self }
    }

    /// With what somebody decided about it, in the repository that it is asked about in.
    #[must_use]
    pub fn with(self, decided: &Quarantine) -> Self {
        match decided.state {
            QuarantineState::Quarantined => self,
            QuarantineState::Failed => {
                Self { decision: Decision::Deny, judged: true, why: decided.sentence() }
            }
            QuarantineState::Passed if self.passes() => self,
            QuarantineState::Passed => {
                Self { decision: Decision::Warn, judged: true, why: decided.released(&self.why) }
            }
        }
    }
}

impl QuarantineState {
    /// As ACR writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Quarantined => "Quarantined",
            Self::Passed => "Passed",
            Self::Failed => "Failed",
        }
    }
}

impl Quarantine {
    /// Why it may not be pulled, and not run.
    pub fn sentence(&self) -> String {
        let reason = self.reason();
        let colon = if reason.is_empty() { "" } else { ": " };
        format!("quarantined by {}{colon}{reason}", self.by)
    }

    /// What is told along with an image that may run against this verdict.
    pub fn released(&self, verdict: &str) -> String {
        format!("released by {} although {verdict}", self.by)
    }

    /// The reason in one line: `state` of the details where they are JSON as ACR describes it, else the details.
    fn reason(&self) -> String {
        let details = self.details.as_deref().unwrap_or_default();
        let parsed: Option<serde_json::Value> = serde_json::from_str(details).ok();
        let state = parsed.as_ref().and_then(|value| value.get("state")).and_then(serde_json::Value::as_str);
        let text = state.unwrap_or(details);
        text.chars().map(|sign| if sign.is_control() { ' ' } else { sign }).take(MAX_SHOWN).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Digest, Reason};

    fn verdict(decision: Decision, expires: Option<i64>) -> Verdict {
        let reason = Reason {
            decision,
            rule: "signed".to_owned(),
            found: "it is not signed".to_owned(),
            wanted: "a signature of release".to_owned(),
            fix: Some("boltseal sign".to_owned()),
            exception: None,
        };
        Verdict {
            decision,
            policy: "prod".to_owned(),
            policy_digest: Digest::of(b"prod"),
            snapshot: None,
            reasons: if decision == Decision::Allow { Vec::new() } else { vec![reason] },
            expires: expires.map(|second| Timestamp::from_second(second).unwrap()),
        }
    }

    fn judged(decision: Decision) -> Ruling {
        Ruling::of(&Standing::Judged(verdict(decision, None)), Timestamp::UNIX_EPOCH)
    }

    fn decided(state: QuarantineState, details: Option<&str>) -> Quarantine {
        let details = details.map(str::to_owned);
        let (by, by_id) = ("scanner".to_owned(), "1".to_owned());
        Quarantine { state, details, by, by_id, at: Timestamp::UNIX_EPOCH }
    }

    #[test]
    fn standings() {
        let now = Timestamp::from_second(100).unwrap();
        let sentence = "deny: it is not signed (policy prod, rule signed); wanted: a signature of release; fix: boltseal sign";
        for (standing, decision, is_judged, why) in [
            (Standing::Pending, Decision::Unknown, false, "still being scanned"),
            (Standing::Outdated, Decision::Unknown, false, "being judged again"),
            (Standing::Failed(None), Decision::Unknown, true, "could not be scanned: it has no verdict"),
            (Standing::Failed(Some("no layer".to_owned())), Decision::Unknown, true, "scanned: no layer"),
            (
                Standing::Judged(verdict(Decision::Allow, Some(101))),
                Decision::Allow,
                true,
                "allow (policy prod)",
            ),
            (Standing::Judged(verdict(Decision::Allow, Some(100))), Decision::Unknown, false, "has run out"),
            (Standing::Judged(verdict(Decision::Deny, None)), Decision::Deny, true, sentence),
            (
                Standing::Judged(verdict(Decision::Unknown, None)),
                Decision::Unknown,
                true,
                "unknown: it is not",
            ),
        ] {
            let ruling = Ruling::of(&standing, now);
            assert_eq!((ruling.decision, ruling.judged), (decision, is_judged), "{standing:?}");
            assert!(ruling.why.contains(why), "{standing:?}: {}", ruling.why);
        }
    }

    /// Of several the worst counts, in whatever order: refused, then not judged, then with a warning.
    #[test]
    fn the_worst_counts() {
        let order = [
            judged(Decision::Deny),
            judged(Decision::Unknown),
            Ruling::unknown("nobody"),
            judged(Decision::Warn),
            judged(Decision::Allow),
        ];
        for (index, bad) in order.iter().enumerate() {
            for better in order.iter().skip(index) {
                assert_eq!(&bad.clone().worse(better.clone()), bad);
                assert_eq!(&better.clone().worse(bad.clone()), bad);
            }
        }
    }

    #[test]
    fn people_decide() {
        use QuarantineState::{Failed, Passed, Quarantined};
        let bad = judged(Decision::Deny);
        assert_eq!(bad.clone().with(&decided(Quarantined, None)), bad);
        let passed = bad.with(&decided(Passed, None));
        assert_eq!((passed.decision, passed.judged), (Decision::Warn, true));
        assert!(
            passed.why.starts_with("released by scanner although deny: it is not signed"),
            "{}",
            passed.why
        );
        assert_eq!(judged(Decision::Allow).with(&decided(Passed, None)), judged(Decision::Allow));
        for (details, why) in [
            (None, "quarantined by scanner"),
            (Some(r#"{"state": "a secret"}"#), "quarantined by scanner: a secret"),
            (Some("by\nhand"), "quarantined by scanner: by hand"),
        ] {
            let failed = judged(Decision::Allow).with(&decided(Failed, details));
            assert_eq!((failed.decision, failed.why.as_str()), (Decision::Deny, why));
        }
    }
}
