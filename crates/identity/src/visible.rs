//! Where a principal may do something, as a filter for lists.

use std::{collections::HashSet, sync::Arc};

use boltseal_model::Timestamp;

use crate::{Action, Directory, PrincipalId, Scope, ScopePattern, condition::Asked, directory::Grant};

/// A filter that lets through the scopes at which [`Directory::decide`] would grant. It costs one step a segment where
/// no star and no condition is involved, and holds for the directory and the moment it was made from.
#[derive(Debug, Default)]
pub struct Visible {
    action: Option<Action>,
    /// Everything at and below these.
    whole: HashSet<Arc<str>>,
    /// These only.
    exact: HashSet<Arc<str>>,
    /// What needs a closer look.
    rest: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    scope: ScopePattern,
    exact: bool,
    conditions: [Option<crate::Condition>; 2],
}

impl Directory {
    /// Where `principal` may do `action` at `now`.
    pub fn visible(&self, principal: PrincipalId, action: Action, now: Timestamp) -> Visible {
        let index = self.index();
        let mut visible = Visible { action: Some(action), ..Visible::default() };
        for grant in index.holders(principal).flat_map(|holder| index.grants(holder)) {
            if grant.actions.contains(action) && !grant.expired(now) {
                visible.add(grant);
            }
        }
        visible
    }
}

impl Visible {
    /// Whether nothing gets through.
    pub fn is_nothing(&self) -> bool {
        self.whole.is_empty() && self.exact.is_empty() && self.rest.is_empty()
    }

    /// Whether everything at and below `scope` gets through, so that nothing there need be asked.
    pub fn is_all_of(&self, scope: &Scope) -> bool {
        prefixes(scope.as_str()).any(|prefix| self.whole.contains(prefix))
            || self.rest.iter().any(|part| {
                !part.exact && part.conditions.iter().all(Option::is_none) && part.scope.covers(scope)
            })
    }

    /// Whether `scope` gets through.
    pub fn contains(&self, scope: &Scope) -> bool {
        if self.exact.contains(scope.as_str())
            || prefixes(scope.as_str()).any(|prefix| self.whole.contains(prefix))
        {
            return true;
        }
        let Some(action) = self.action else { return false };
        let asked = Asked { action, repository: scope.repository_name(), role: None };
        let fits = |part: &Part| !part.exact || part.scope.segments().count() == scope.segments().count();
        self.rest.iter().any(|part| {
            part.scope.covers(scope)
                && fits(part)
                && part.conditions.iter().flatten().all(|condition| condition.holds(&asked))
        })
    }

    fn add(&mut self, grant: &Grant) {
        match grant.scope.as_scope() {
            Some(scope) if grant.is_plain() && grant.exact => drop(self.exact.insert(scope.shared())),
            Some(scope) if grant.is_plain() => drop(self.whole.insert(scope.shared())),
            _ => self.rest.push(Part {
                scope: grant.scope.clone(),
                exact: grant.exact,
                conditions: grant.conditions.clone(),
            }),
        }
    }
}

/// `/`, and the path cut after each of its segments.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let cuts = path.match_indices('/').map(|(at, _)| at).skip(1);
    let cuts = cuts.chain((path.len() > 1).then_some(path.len()));
    ["/"].into_iter().chain(cuts.filter_map(|at| path.get(..at)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prefixes_of_a_path() {
        assert_eq!(prefixes("/").collect::<Vec<_>>(), ["/"]);
        assert_eq!(prefixes("/a/bc/d").collect::<Vec<_>>(), ["/", "/a", "/a/bc", "/a/bc/d"]);
    }
}
