//! Why a decision is as it is, for `can-i` and for whoever wonders.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use boltseal_model::Timestamp;
use serde::Serialize;

use crate::{
    Action, AssignmentId, Decision, Directory, Nearest, Need, PrincipalId, Scope, ScopePattern,
    decision::granting,
    directory::{Grant, reaches},
};

/// Assignments that are told; more than anybody reads.
pub const MAX_CONSIDERED: usize = 200;

/// A decision with everything that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// The answer.
    pub decision: Decision,
    /// Whether the principal is there at all, and not disabled.
    pub subject: Subject,
    /// Every assignment of the principal, its groups and everybody, the most interesting first.
    pub considered: Vec<Considered>,
    /// How many more there are.
    pub left_out: usize,
    /// Built-in roles that would grant it, the smallest first.
    pub would_grant: Vec<Nearest>,
}

/// Who was asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// Somebody who may have rights.
    Active,
    /// Somebody who has none, whatever was given.
    Disabled,
    /// Nobody.
    Unknown,
}

/// One assignment, or one entry of a scope map, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// Which.
    pub assignment: AssignmentId,
    /// The name of its role.
    pub role: Arc<str>,
    /// Where it is.
    pub scope: ScopePattern,
    /// The group that has it.
    pub through: Option<Arc<str>>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Its condition, as it was written.
    pub condition: Option<String>,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It grants.
    Grants,
    /// It would, if its condition held.
    Condition,
    /// It would have, before it ended.
    Expired,
    /// It would, if the principal or the group were not disabled.
    Disabled,
    /// It is about this place, and its role has not this action.
    OtherAction,
    /// It is about another place.
    OtherScope,
}

impl Directory {
    /// Why `principal` may do `action` at `scope`, or what is missing.
    pub fn explain(
        &self,
        principal: PrincipalId,
        action: Action,
        scope: &Scope,
        now: Timestamp,
    ) -> Explanation {
        let need = Need { action, scope: scope.clone().into(), role: None };
        let subject = match self.principal(principal) {
            None => Subject::Unknown,
            Some(found) if found.disabled => Subject::Disabled,
            Some(_) => Subject::Active,
        };
        let mut considered: Vec<Considered> = Vec::new();
        let alive: BTreeSet<PrincipalId> = self.index().holders(principal).map(|holder| holder.id).collect();
        let all: BTreeSet<PrincipalId> = self.all_groups_of(principal).chain(alive.iter().copied()).collect();
        for holder in self.index().all_holders().filter(|holder| all.contains(&holder.id)) {
            let through = (holder.id != principal).then(|| Arc::clone(&holder.name));
            let dead = !alive.contains(&holder.id);
            considered.extend(self.index().grants(holder).map(|grant| Considered {
                assignment: grant.id,
                role: Arc::clone(&grant.role),
                scope: grant.scope.clone(),
                through: through.clone(),
                expires: grant.expires,
                condition: grant.conditions.iter().flatten().next().map(ToString::to_string),
                outcome: outcome(grant, &need, scope, dead, now),
            }));
        }
        considered.sort_by_key(|one| (one.outcome, one.through.is_some(), one.assignment, one.scope.clone()));
        let left_out = considered.len().saturating_sub(MAX_CONSIDERED);
        considered.truncate(MAX_CONSIDERED);
        let would_grant = granting(action).collect();
        let decision = self.permits(principal, &need, now);
        Explanation { decision, subject, considered, left_out, would_grant }
    }

    /// A principal and all its groups, the disabled ones and those behind them too.
    fn all_groups_of(&self, principal: PrincipalId) -> impl Iterator<Item = PrincipalId> {
        let mut parents: HashMap<PrincipalId, Vec<PrincipalId>> = HashMap::new();
        for group in self.principals() {
            for member in &group.members {
                parents.entry(*member).or_default().push(group.id);
            }
        }
        let mut found = BTreeSet::new();
        let mut next = vec![principal];
        while let Some(id) = next.pop() {
            if found.insert(id) {
                next.extend(parents.get(&id).into_iter().flatten());
            }
        }
        found.into_iter()
    }
}

fn outcome(grant: &Grant, need: &Need, scope: &Scope, dead: bool, now: Timestamp) -> Outcome {
    if !reaches(grant, scope) {
        Outcome::OtherScope
    } else if !grant.actions.contains(need.action) {
        Outcome::OtherAction
    } else if dead {
        Outcome::Disabled
    } else if grant.expired(now) {
        Outcome::Expired
    } else if grant.holds(&need.asked()) {
        Outcome::Grants
    } else {
        Outcome::Condition
    }
}
