//! Groups in groups, laid flat.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use crate::{Error, Principal, PrincipalId, PrincipalKind};

use super::Facts;

/// Groups inside each other: deeper ones are mistakes, and nobody understands them.
pub const MAX_NESTING: usize = 8;
/// Groups that one principal is in, through others too: a decision may ask each of them. Tokens of Entra name 200.
pub const MAX_GROUPS: usize = 256;

/// For everybody who is in a group, all the groups they are in, by name. Nothing passes through a disabled group.
pub(super) fn flatten(facts: &Facts) -> Result<HashMap<PrincipalId, Vec<PrincipalId>>, Error> {
    let order = top_down(facts)?;
    let mut parents: HashMap<PrincipalId, Vec<PrincipalId>> = HashMap::new();
    for group in facts.principals.values().filter(|principal| !principal.disabled) {
        for member in &group.members {
            parents.entry(*member).or_default().push(group.id);
        }
    }
    let mut all: HashMap<PrincipalId, BTreeSet<PrincipalId>> = HashMap::new();
    let others = facts.principals.values().filter(|principal| principal.kind != PrincipalKind::Group);
    for id in order.into_iter().chain(others.map(|principal| principal.id)) {
        let Some(direct) = parents.get(&id) else { continue };
        let mut mine: BTreeSet<PrincipalId> = direct.iter().copied().collect();
        mine.extend(direct.iter().filter_map(|group| all.get(group)).flatten());
        if mine.len() > MAX_GROUPS {
            return Err(Error::TooMany {
                what: "groups of one principal",
                found: mine.len(),
                limit: MAX_GROUPS,
            });
        }
        all.insert(id, mine);
    }
    let name = |id: &PrincipalId| facts.principals.get(id).map(|group| group.name.clone());
    Ok(all
        .into_iter()
        .map(|(id, groups)| {
            let mut groups: Vec<_> = groups.into_iter().collect();
            groups.sort_by_key(name);
            (id, groups)
        })
        .collect())
}

/// Groups, each after all the groups it is in; an error if there is no such order, or a long way from top to bottom.
fn top_down(facts: &Facts) -> Result<Vec<PrincipalId>, Error> {
    let groups = || facts.principals.values().filter(|principal| principal.kind == PrincipalKind::Group);
    let inner = |group: &Arc<Principal>| -> Vec<PrincipalId> {
        let is_group = |id: &PrincipalId| {
            facts.principals.get(id).is_some_and(|member| member.kind == PrincipalKind::Group)
        };
        group.members.iter().copied().filter(is_group).collect()
    };
    let mut above: HashMap<PrincipalId, usize> = groups().map(|group| (group.id, 0)).collect();
    for member in groups().flat_map(inner) {
        *above.entry(member).or_default() += 1;
    }
    let mut level: Vec<PrincipalId> =
        groups().map(|group| group.id).filter(|id| above.get(id) == Some(&0)).collect();
    let mut order = Vec::new();
    let mut depth = 0;
    while !level.is_empty() {
        depth += 1;
        if depth > MAX_NESTING {
            return Err(Error::TooMany {
                what: "groups inside each other",
                found: depth,
                limit: MAX_NESTING,
            });
        }
        let mut next = Vec::new();
        for group in level.iter().filter_map(|id| facts.principals.get(id)) {
            for member in inner(group) {
                if let Some(left) = above.get_mut(&member) {
                    *left -= 1;
                    if *left == 0 {
                        next.push(member);
                    }
                }
            }
        }
        order.append(&mut level);
        level = next;
    }
    match above.into_iter().filter(|(_, left)| *left > 0).map(|(id, _)| id).min() {
        Some(group) => Err(Error::Cycle { group }),
        None => Ok(order),
    }
}
