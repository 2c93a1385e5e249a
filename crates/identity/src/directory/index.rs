//! Assignments, laid out so that a decision looks at few of them.
//!
//! Scopes are a tree, one node a segment. A decision walks from `/` down the path it is asked about, a dozen steps at
//! most, and at each node asks for the principal and its groups by number. So its cost depends on the length of the
//! path, and not on how many assignments there are, or on who holds them.

mod build;

use std::{collections::HashMap, sync::Arc};

use boltseal_model::Timestamp;

pub use build::{MAX_CONDITIONAL, MAX_GRANTS};

use crate::{
    Action, Actions, AssignmentId, Condition, Decision, Need, PrincipalId, Scope, ScopePattern,
    condition::Asked,
};

#[derive(Debug)]
pub(crate) struct Index {
    subjects: HashMap<PrincipalId, Subject>,
    holders: Vec<Holder>,
    nodes: Vec<Node>,
    grants: Vec<Grant>,
}

/// Somebody who can ask.
#[derive(Debug)]
struct Subject {
    disabled: bool,
    /// Who it can have rights from: itself, its groups by name, everybody. Ascending.
    holders: Box<[u32]>,
    /// What it may do anywhere.
    any: Actions,
    /// All its groups, by name, whether they have rights or not.
    groups: Box<[PrincipalId]>,
}

/// Somebody who has been given something.
#[derive(Debug)]
pub(crate) struct Holder {
    pub id: PrincipalId,
    pub name: Arc<str>,
    /// What it was given anywhere.
    any: Actions,
    /// Numbers of grants.
    grants: Vec<u32>,
}

/// A segment of a scope below other segments.
#[derive(Debug, Default)]
struct Node {
    children: HashMap<Box<str>, u32>,
    /// What lies below any segment.
    star: Option<u32>,
    /// Who has something here, by number.
    held: Vec<Held>,
}

#[derive(Debug)]
struct Held {
    holder: u32,
    any: Actions,
    /// Numbers of grants; those that hold for everything and forever come first.
    grants: Vec<u32>,
}

/// An assignment, or an entry of a scope map, ready to be asked.
#[derive(Debug)]
pub(crate) struct Grant {
    pub id: AssignmentId,
    pub actions: Actions,
    pub scope: ScopePattern,
    /// Whether it holds at its scope only, and not below.
    pub exact: bool,
    pub expires: Option<Timestamp>,
    /// Of the assignment, and of the role.
    pub conditions: [Option<Condition>; 2],
    pub role: Arc<str>,
}

impl Grant {
    pub(crate) fn is_plain(&self) -> bool {
        self.conditions.iter().all(Option::is_none)
    }

    pub(crate) fn expired(&self, now: Timestamp) -> bool {
        self.expires.is_some_and(|end| end <= now)
    }

    /// Whether all its conditions hold.
    pub(crate) fn holds(&self, asked: &Asked<'_>) -> bool {
        self.conditions.iter().flatten().all(|condition| condition.holds(asked))
    }
}

impl Need {
    /// A role is given for a scope and everything below, so what is asked then is about no one repository.
    pub(crate) fn asked(&self) -> Asked<'_> {
        let repository = if self.role.is_none() { self.scope.repository_name() } else { None };
        Asked { action: self.action, repository, role: self.role }
    }
}

impl Index {
    pub(crate) fn decide(&self, principal: PrincipalId, need: &Need, now: Timestamp) -> Decision {
        let missing = || Decision::missing(need.action, &need.scope);
        let Some(subject) = self.subjects.get(&principal) else { return missing() };
        if subject.disabled || !subject.any.contains(need.action) {
            return missing();
        }
        let question = Question { index: self, subject, action: need.action, asked: need.asked(), now };
        let Some((holder, grant)) = question.walk(0, need.scope.as_str().trim_start_matches('/')) else {
            return missing();
        };
        Decision::Granted {
            assignment: grant.id,
            role: Arc::clone(&grant.role),
            scope: grant.scope.clone(),
            through: (holder.id != principal).then(|| Arc::clone(&holder.name)),
        }
    }

    /// Everybody whose rights a principal has, unless it is disabled or unknown: itself, its groups, everybody.
    pub(crate) fn holders(&self, principal: PrincipalId) -> impl Iterator<Item = &Holder> {
        let subject = self.subjects.get(&principal).filter(|subject| !subject.disabled);
        let numbers = subject.map_or(&[][..], |subject| &subject.holders);
        numbers.iter().filter_map(|number| self.holders.get(*number as usize))
    }

    /// What a holder has been given.
    pub(crate) fn grants<'a>(&'a self, holder: &'a Holder) -> impl Iterator<Item = &'a Grant> {
        holder.grants.iter().filter_map(|number| self.grants.get(*number as usize))
    }

    pub(crate) fn all_holders(&self) -> impl Iterator<Item = &Holder> {
        self.holders.iter()
    }

    pub(crate) fn groups_of(&self, principal: PrincipalId) -> &[PrincipalId] {
        self.subjects.get(&principal).map_or(&[], |subject| &subject.groups)
    }
}

struct Question<'a> {
    index: &'a Index,
    subject: &'a Subject,
    action: Action,
    asked: Asked<'a>,
    now: Timestamp,
}

impl<'a> Question<'a> {
    /// The first grant from here down. It calls itself once a star on the way, of which a pattern has few.
    fn walk(&self, node: u32, path: &str) -> Option<(&'a Holder, &'a Grant)> {
        let mut node = self.index.nodes.get(node as usize)?;
        let mut rest = path;
        loop {
            let found = self.at(node, rest.is_empty());
            if found.is_some() || rest.is_empty() {
                return found;
            }
            let (segment, below) = rest.split_once('/').unwrap_or((rest, ""));
            let child = node.children.get(segment);
            match (child, node.star) {
                (None, None) => return None,
                (Some(child), None) => node = self.index.nodes.get(*child as usize)?,
                (None, Some(star)) => node = self.index.nodes.get(star as usize)?,
                (Some(child), Some(star)) => {
                    let found = self.walk(star, below);
                    if found.is_some() {
                        return found;
                    }
                    node = self.index.nodes.get(*child as usize)?;
                }
            }
            rest = below;
        }
    }

    /// The first grant of this node, by holder: own rights before those of groups, those before everybody's.
    fn at(&self, node: &'a Node, end: bool) -> Option<(&'a Holder, &'a Grant)> {
        let holders = &self.subject.holders;
        if node.held.len() <= holders.len() {
            let mut mine = node.held.iter().filter(|held| holders.binary_search(&held.holder).is_ok());
            mine.find_map(|held| self.of(held, end))
        } else {
            let here = |holder: &u32| node.held.binary_search_by_key(holder, |held| held.holder).ok();
            let mut mine = holders.iter().filter_map(here).filter_map(|at| node.held.get(at));
            mine.find_map(|held| self.of(held, end))
        }
    }

    fn of(&self, held: &'a Held, end: bool) -> Option<(&'a Holder, &'a Grant)> {
        if !held.any.contains(self.action) {
            return None;
        }
        let grants = held.grants.iter().filter_map(|number| self.index.grants.get(*number as usize));
        let grant = grants
            .filter(|grant| grant.actions.contains(self.action) && (end || !grant.exact))
            .find(|grant| !grant.expired(self.now) && grant.holds(&self.asked))?;
        Some((self.index.holders.get(held.holder as usize)?, grant))
    }
}

/// Whether a grant is about this place, for those who do not walk.
pub(crate) fn reaches(grant: &Grant, scope: &Scope) -> bool {
    grant.scope.covers(scope) && (!grant.exact || grant.scope.segments().count() == scope.segments().count())
}
