//! Collects the reasons of one verdict: pardons, moments of change, order, bounds.

use std::collections::BTreeMap;

use boltseal_cel::Budget;
use boltseal_model::{Decision, Reason, Subject, Timestamp, Verdict};

use crate::{
    Policy,
    exception::{Exception, Hit, pardoned},
    rule::Rule,
    text::plain,
};

/// A verdict is read by people; the report holds the rest.
const MAX_REASONS_PER_RULE: usize = 50;

/// One reason in the making.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) decision: Decision,
    /// Index of the exception that pardons it.
    pub(crate) pardon: Option<usize>,
    pub(crate) found: String,
    /// Where the rule's own sentence is too wide.
    pub(crate) wanted: Option<String>,
    pub(crate) fix: Option<String>,
}

/// One verdict in the making.
pub(crate) struct Judge<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) subject: &'a Subject,
    pub(crate) now: Timestamp,
    /// What is left of the work that rules in CEL may do.
    pub(crate) budget: Budget,
    reasons: Vec<Reason>,
    /// How many reasons each rule gave, by decision, shown or not.
    given: Vec<(Decision, &'a str, usize)>,
    expires: Option<Timestamp>,
    /// Expired exceptions that would have helped, with the rule they would have helped against.
    lapsed: BTreeMap<usize, &'a str>,
    /// Exceptions that would help and do not count: the rule, and why not. The first of each is enough to read.
    void: BTreeMap<usize, (&'a str, Void)>,
}

/// Why an exception that has not ended does not count.
enum Void {
    /// Too few approved it.
    Waits,
    /// Something is known by now that was not when it was granted.
    Reopened(String),
}

impl Void {
    /// Why `exception` did not help against `rule`, for whoever counted on it.
    fn reason(self, rule: &str, exception: &Exception, approvals: usize) -> Reason {
        let who = format!("exception {} of {}", exception.name, exception.owner);
        let (found, wanted, fix) = match self {
            Self::Waits => {
                let by = match exception.approved_by.as_slice() {
                    [] => "nobody approved it".to_owned(),
                    names => format!("{} of {approvals} approved it: {}", names.len(), names.join(", ")),
                };
                let fix = format!(
                    "have {approvals} who do not own it approve it: boltseal exception approve {}",
                    exception.name
                );
                (format!("{who} does not count yet: {by}"), "exceptions that enough people approved", fix)
            }
            Self::Reopened(why) => (
                format!("{who} no longer pardons this: {why}"),
                "exceptions granted for what is known now",
                "solve what it pardoned, or have its owner renew it with the new values in `known`"
                    .to_owned(),
            ),
        };
        Reason {
            decision: Decision::Warn,
            rule: rule.to_owned(),
            found: plain(found),
            wanted: wanted.to_owned(),
            fix: Some(fix),
            exception: None,
        }
    }
}

impl<'a> Judge<'a> {
    pub(crate) fn new(policy: &'a Policy, subject: &'a Subject, now: Timestamp) -> Self {
        Self {
            policy,
            subject,
            now,
            budget: Budget::new(Budget::POLICY),
            reasons: Vec::new(),
            given: Vec::new(),
            expires: None,
            lapsed: BTreeMap::new(),
            void: BTreeMap::new(),
        }
    }

    /// The answer may change at `moment`.
    pub(crate) fn changes_at(&mut self, moment: Timestamp) {
        if moment > self.now && self.expires.is_none_or(|expires| moment < expires) {
            self.expires = Some(moment);
        }
    }

    /// The exception that pardons `hit` from `rule` longest, if any does.
    pub(crate) fn pardon(&mut self, rule: &'a Rule, hit: Hit<'_>) -> Option<usize> {
        let mut best: Option<(Timestamp, usize)> = None;
        let mut lapsed = None;
        for index in rule.exceptions.candidates(hit) {
            let Some(exception) = self.policy.exceptions.get(index) else { continue };
            if !exception.covers(self.subject, hit) {
                continue;
            }
            if exception.ends() <= self.now {
                lapsed = Some(index);
            } else if exception.approved_by.len() < self.policy.approvals {
                self.void.entry(index).or_insert((&rule.name, Void::Waits));
            } else if let Some(why) = exception.reopened(hit) {
                self.void.entry(index).or_insert((&rule.name, Void::Reopened(why)));
            } else if best.is_none_or(|(ends, _)| exception.ends() > ends) {
                best = Some((exception.ends(), index));
            }
        }
        if let Some((ends, index)) = best {
            self.changes_at(ends);
            return Some(index);
        }
        if let Some(index) = lapsed {
            self.lapsed.entry(index).or_insert(&rule.name);
        }
        None
    }

    /// Notes one reason; a pardon eases its decision and stays visible.
    pub(crate) fn add(&mut self, rule: &'a Rule, case: Case) {
        let exception = case.pardon.and_then(|index| self.policy.exceptions.get(index));
        let decision = if exception.is_some() { pardoned(case.decision) } else { case.decision };
        if self.given(decision, &rule.name) > MAX_REASONS_PER_RULE {
            return;
        }
        self.reasons.push(Reason {
            decision,
            rule: rule.name.clone(),
            found: plain(case.found),
            wanted: case.wanted.unwrap_or_else(|| rule.wants.clone()),
            fix: case.fix.map(plain),
            exception: exception.map(ToString::to_string),
        });
    }

    fn given(&mut self, decision: Decision, rule: &'a str) -> usize {
        if let Some(entry) = self.given.iter_mut().find(|entry| entry.0 == decision && entry.1 == rule) {
            entry.2 += 1;
            return entry.2;
        }
        self.given.push((decision, rule, 1));
        1
    }

    /// The verdict: worst reason first, otherwise in the order of the policy.
    pub(crate) fn finish(mut self, snapshot: Option<&str>) -> Verdict {
        for (decision, rule, number) in std::mem::take(&mut self.given) {
            let hidden = number.saturating_sub(MAX_REASONS_PER_RULE);
            if hidden == 0 {
                continue;
            }
            self.reasons.push(Reason {
                decision,
                rule: rule.to_owned(),
                found: format!("{hidden} more of this rule"),
                wanted: "a verdict that can be read: the report lists everything".to_owned(),
                fix: None,
                exception: None,
            });
        }
        for (index, rule) in std::mem::take(&mut self.lapsed) {
            let Some(exception) = self.policy.exceptions.get(index) else { continue };
            self.reasons.push(Reason {
                decision: Decision::Warn,
                rule: rule.to_owned(),
                found: format!(
                    "exception {} of {} ended on {} and no longer pardons this",
                    exception.name,
                    exception.owner,
                    exception.last_day()
                ),
                wanted: "exceptions that still hold".to_owned(),
                fix: Some("solve what it pardoned, or have its owner renew it in the policy file".to_owned()),
                exception: None,
            });
        }
        for (index, (rule, why)) in std::mem::take(&mut self.void) {
            let exception = self.policy.exceptions.get(index);
            self.reasons
                .extend(exception.map(|exception| why.reason(rule, exception, self.policy.approvals)));
        }
        self.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.decision));
        Verdict {
            decision: self.reasons.first().map_or(Decision::Allow, |worst| worst.decision),
            policy: self.policy.name().to_owned(),
            policy_digest: self.policy.digest().clone(),
            snapshot: snapshot.map(str::to_owned),
            reasons: self.reasons,
            expires: self.expires,
        }
    }
}
