//! What a draft would have decided otherwise about an image than the verdict that is recorded.

use boltseal_model::{Decision, Reason, Verdict};
use serde::Serialize;

/// What changes about one image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// What is recorded.
    pub before: Decision,
    /// What the draft decides.
    pub after: Decision,
    /// Reasons of the draft that are new, or that weigh more or less than before.
    pub added: Vec<Reason>,
    /// Recorded reasons that the draft does not have.
    pub removed: Vec<Reason>,
}

impl Replayed {
    /// The difference between a recorded verdict and that of a draft; `None` where they decide the same for the same reasons.
    pub fn between(before: &Verdict, after: &Verdict) -> Option<Self> {
        let lacks = |all: &[Reason], one: &Reason| {
            !all.iter().any(|other| {
                (other.decision, &other.rule, &other.found) == (one.decision, &one.rule, &one.found)
            })
        };
        let of = |some: &Verdict, others: &Verdict| -> Vec<Reason> {
            some.reasons.iter().filter(|reason| lacks(&others.reasons, reason)).cloned().collect()
        };
        let this = Self {
            before: before.decision,
            after: after.decision,
            added: of(after, before),
            removed: of(before, after),
        };
        let same = this.before == this.after && this.added.is_empty() && this.removed.is_empty();
        (!same).then_some(this)
    }

    /// Whether gates would answer otherwise.
    pub const fn turns(&self) -> bool {
        self.before.passes() != self.after.passes()
    }

    /// The rules that decide it: of the draft where it is stricter, else of the policy whose verdict is recorded.
    pub fn rules(&self) -> Vec<&str> {
        let (reasons, decision) =
            if self.after >= self.before { (&self.added, self.after) } else { (&self.removed, self.before) };
        let mut rules: Vec<&str> =
            reasons.iter().filter(|one| one.decision == decision).map(|one| one.rule.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        rules
    }
}
