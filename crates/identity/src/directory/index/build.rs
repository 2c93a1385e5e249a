//! Facts to an index.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{Grant, Held, Holder, Index, Node, Subject};
use crate::{
    Actions, Assignment, Error, Principal, PrincipalId, PrincipalKind, Role, RoleId, ScopePattern,
    directory::{Facts, groups},
};

/// Assignments with a condition that one principal has at one scope: a decision there may evaluate them all.
pub const MAX_CONDITIONAL: usize = 256;
/// Assignments and, for every token, entries of its scope map: each takes some hundred bytes.
pub const MAX_GRANTS: usize = 1_000_000;

impl Index {
    pub(in crate::directory) fn of(facts: &Facts) -> Result<Self, Error> {
        let groups = groups::flatten(facts)?;
        let mut index = Self {
            subjects: HashMap::new(),
            holders: Vec::new(),
            nodes: vec![Node::default()],
            grants: Vec::new(),
        };
        let given = grants(facts)?;
        let numbers = index.number(facts, &given);
        let mut held: BTreeMap<(u32, u32), Vec<u32>> = BTreeMap::new();
        for (principal, grant) in given {
            let Some(holder) = numbers.get(&principal) else { continue };
            let node = index.node(&grant.scope);
            let number = small(index.grants.len());
            held.entry((node, *holder)).or_default().push(number);
            if let Some(holder) = index.holders.get_mut(*holder as usize) {
                holder.any = holder.any.union(grant.actions);
                holder.grants.push(number);
            }
            index.grants.push(grant);
        }
        for ((node, holder), grants) in held {
            let held = index.held(holder, grants)?;
            if let Some(node) = index.nodes.get_mut(node as usize) {
                node.held.push(held);
            }
        }
        index.subjects = facts
            .principals
            .values()
            .map(|principal| (principal.id, index.subject(principal, &numbers, groups.get(&principal.id))))
            .collect();
        Ok(index)
    }

    /// Gives numbers to whoever has been given something, in the order in which a decision asks them.
    fn number(&mut self, facts: &Facts, given: &[(PrincipalId, Grant)]) -> HashMap<PrincipalId, u32> {
        let rank = |principal: &Principal| match principal.id {
            PrincipalId::ANONYMOUS => 3,
            PrincipalId::AUTHENTICATED => 2,
            _ => u8::from(principal.kind == PrincipalKind::Group),
        };
        let mut holders: Vec<&Arc<Principal>> =
            given.iter().filter_map(|(id, _)| facts.principals.get(id)).collect();
        holders.sort_by_key(|principal| (rank(principal), principal.name.clone()));
        holders.dedup_by_key(|principal| principal.id);
        let mut numbers = HashMap::new();
        for holder in holders {
            numbers.insert(holder.id, small(self.holders.len()));
            self.holders.push(Holder {
                id: holder.id,
                name: holder.name.shared(),
                any: Actions::NONE,
                grants: Vec::new(),
            });
        }
        numbers
    }

    /// The node of a scope, made if it is not there.
    fn node(&mut self, scope: &ScopePattern) -> u32 {
        let mut at = 0;
        for segment in scope.segments() {
            let fresh = small(self.nodes.len());
            let Some(node) = self.nodes.get_mut(at as usize) else { return at };
            let next = if segment == "*" {
                *node.star.get_or_insert(fresh)
            } else {
                *node.children.entry(segment.into()).or_insert(fresh)
            };
            if next == fresh {
                self.nodes.push(Node::default());
            }
            at = next;
        }
        at
    }

    fn held(&self, holder: u32, mut grants: Vec<u32>) -> Result<Held, Error> {
        let get = |number: &u32| self.grants.get(*number as usize);
        let found = grants.iter().filter_map(get).filter(|grant| !grant.is_plain()).count();
        if found > MAX_CONDITIONAL {
            let what = "assignments with a condition of one principal at one scope";
            return Err(Error::TooMany { what, found, limit: MAX_CONDITIONAL });
        }
        grants.sort_by_key(|number| {
            get(number).map(|grant| (!grant.is_plain(), grant.expires.is_some(), grant.id))
        });
        let any = grants.iter().filter_map(get).fold(Actions::NONE, |any, grant| any.union(grant.actions));
        Ok(Held { holder, any, grants })
    }

    fn subject(
        &self,
        principal: &Principal,
        numbers: &HashMap<PrincipalId, u32>,
        groups: Option<&Vec<PrincipalId>>,
    ) -> Subject {
        let groups: Box<[PrincipalId]> = groups.map(|groups| groups.as_slice().into()).unwrap_or_default();
        // Whoever signed in may also do what may be done without. A group, which nobody signs in as, is only itself.
        let everybody: &[PrincipalId] = match principal.kind {
            _ if principal.id.is_well_known() => &[],
            PrincipalKind::Group => &[],
            PrincipalKind::Token => &[PrincipalId::ANONYMOUS],
            _ => &[PrincipalId::AUTHENTICATED, PrincipalId::ANONYMOUS],
        };
        let all = [principal.id].into_iter().chain(groups.iter().copied()).chain(everybody.iter().copied());
        let mut holders: Vec<u32> = all.filter_map(|id| numbers.get(&id).copied()).collect();
        holders.sort_unstable();
        let granted = holders.iter().filter_map(|number| self.holders.get(*number as usize));
        let any = granted.fold(Actions::NONE, |any, holder| any.union(holder.any));
        Subject { disabled: principal.disabled, holders: holders.into(), any, groups }
    }
}

/// Everything that was given, by whom it was given to, in the order of ids.
fn grants(facts: &Facts) -> Result<Vec<(PrincipalId, Grant)>, Error> {
    let mut roles: HashMap<RoleId, (Actions, Arc<str>)> = HashMap::new();
    let mut given = Vec::new();
    for assignment in facts.assignments.values() {
        let Some(role) = facts.roles.get(&assignment.role) else { continue };
        let worked_out = || (role.permitted(), Arc::from(role.name.as_str()));
        let (actions, name) = roles.entry(role.id).or_insert_with(worked_out);
        given.push((assignment.principal, assigned(assignment, role, *actions, name)));
    }
    let mut maps: HashMap<&str, Vec<crate::scope_map::Entry>> = HashMap::new();
    for (name, map) in &facts.scope_maps {
        maps.insert(name, map.entries()?);
    }
    for token in facts.principals.values() {
        let Some(map) = token.scope_map.as_ref().and_then(|name| facts.scope_maps.get(name)) else {
            continue;
        };
        let name: Arc<str> = format!("scope map {}", map.name).into();
        for entry in maps.get(map.name.as_str()).into_iter().flatten() {
            let grant = Grant {
                id: map.id,
                actions: entry.actions,
                scope: entry.scope.clone(),
                exact: entry.exact,
                expires: None,
                conditions: [None, None],
                role: Arc::clone(&name),
            };
            given.push((token.id, grant));
        }
        if given.len() > MAX_GRANTS {
            let what = "assignments and entries of the scope maps of tokens";
            return Err(Error::TooMany { what, found: given.len(), limit: MAX_GRANTS });
        }
    }
    Ok(given)
}

fn assigned(assignment: &Assignment, role: &Role, actions: Actions, name: &Arc<str>) -> Grant {
    Grant {
        id: assignment.id,
        actions,
        scope: assignment.scope.clone(),
        exact: false,
        expires: assignment.expires,
        conditions: [assignment.condition.clone(), role.condition.clone()],
        role: Arc::clone(name),
    }
}

/// The limits of a directory keep every number far below this one.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
