//! Whether facts fit together.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::{
    Action, Actions, Assignment, Error, Principal, PrincipalId, PrincipalKind, Role,
    federation::MAX_FEDERATIONS, principal::MAX_DISPLAY, role::is_line,
};

use super::{Facts, MAX_ASSIGNMENTS, MAX_PRINCIPALS, MAX_ROLES, MAX_SCOPE_MAPS};

/// Members of one group.
pub const MAX_MEMBERS: usize = 10_000;
/// Characters of the reason of an assignment.
pub const MAX_REASON: usize = 512;

/// What may be given to everybody: looking at and pulling images.
fn harmless() -> Actions {
    [Action::ContentRead, Action::MetadataRead, Action::CatalogRead].into_iter().collect()
}

/// The principals by name in lower case, if everything fits.
pub(super) fn check(facts: &Facts) -> Result<HashMap<String, PrincipalId>, Error> {
    let given = Role::built_in().len();
    for (what, found, limit) in [
        ("principals", facts.principals.len(), MAX_PRINCIPALS),
        ("assignments", facts.assignments.len(), MAX_ASSIGNMENTS),
        ("custom roles", facts.roles.len().saturating_sub(given), MAX_ROLES),
        ("scope maps", facts.scope_maps.len(), MAX_SCOPE_MAPS),
        ("federations", facts.federations.len(), MAX_FEDERATIONS),
    ] {
        if found > limit {
            return Err(Error::TooMany { what, found, limit });
        }
    }
    roles(facts)?;
    let names = principals(facts)?;
    for assignment in facts.assignments.values() {
        self::assignment(facts, assignment)?;
    }
    for federation in facts.federations.iter() {
        federation.check()?;
        let principal =
            named(facts, PrincipalId(federation.principal), || format!("federation {}", federation.id))?;
        if principal.id.is_well_known()
            || matches!(principal.kind, PrincipalKind::Group | PrincipalKind::Token)
        {
            let problem = "foreign tokens stand for a user, a service principal or a workload";
            return Err(Error::Kind { principal: principal.name.to_string(), problem });
        }
    }
    Ok(names)
}

fn roles(facts: &Facts) -> Result<(), Error> {
    let mut names = HashSet::new();
    for role in facts.roles.values() {
        if !Role::built_in().iter().any(|known| known.id == role.id) {
            role.check()?;
        }
        if !names.insert(role.key()) {
            return Err(Error::NameTaken { kind: "role", name: role.name.clone() });
        }
    }
    Ok(())
}

fn principals(facts: &Facts) -> Result<HashMap<String, PrincipalId>, Error> {
    let mut names = HashMap::new();
    for principal in facts.principals.values() {
        if names.insert(principal.name.key(), principal.id).is_some() {
            return Err(Error::NameTaken { kind: "principal", name: principal.name.to_string() });
        }
        self::principal(facts, principal)?;
    }
    Ok(names)
}

fn principal(facts: &Facts, principal: &Principal) -> Result<(), Error> {
    let wrong = |problem| Err(Error::Kind { principal: principal.name.to_string(), problem });
    if !is_line(&principal.display, MAX_DISPLAY) {
        return Err(Error::Line { what: "a display name", limit: MAX_DISPLAY });
    }
    if principal.kind != PrincipalKind::Group && !principal.members.is_empty() {
        return wrong("only a group has members");
    }
    if principal.kind == PrincipalKind::Group && !principal.credentials.is_empty() {
        return wrong("a group does not sign in, so it has no credentials");
    }
    if principal.members.len() > MAX_MEMBERS {
        let found = principal.members.len();
        return Err(Error::TooMany { what: "members of one group", found, limit: MAX_MEMBERS });
    }
    match (principal.kind, &principal.scope_map) {
        (PrincipalKind::Token, None) => return wrong("a token has a scope map"),
        (PrincipalKind::Token, Some(map)) if !facts.scope_maps.contains_key(map) => {
            return Err(Error::NotFound {
                kind: "scope map",
                id: map.clone(),
                by: principal.name.to_string(),
            });
        }
        (PrincipalKind::Token, Some(_)) | (_, None) => {}
        (_, Some(_)) => return wrong("only a token has a scope map"),
    }
    members(facts, principal, &principal.members)
}

fn members(facts: &Facts, group: &Principal, members: &BTreeSet<PrincipalId>) -> Result<(), Error> {
    for id in members {
        let member = named(facts, *id, || format!("group {}", group.name))?;
        if member.kind == PrincipalKind::Token || id.is_well_known() {
            let problem = "a token or a well-known principal is in no group";
            return Err(Error::Kind { principal: member.name.to_string(), problem });
        }
    }
    Ok(())
}

fn assignment(facts: &Facts, assignment: &Assignment) -> Result<(), Error> {
    let by = || format!("assignment {}", assignment.id);
    let principal = named(facts, assignment.principal, by)?;
    let Some(role) = facts.roles.get(&assignment.role) else {
        return Err(Error::NotFound { kind: "role", id: assignment.role.to_string(), by: by() });
    };
    let own = assignment.id == crate::AssignmentId::BREAK_GLASS;
    let problem = match assignment.principal {
        PrincipalId::SYSTEM | PrincipalId::BREAK_GLASS if !own => "nothing can be given to it",
        _ if principal.kind == PrincipalKind::Token => "a token is given a scope map, not a role",
        _ => "",
    };
    if !problem.is_empty() {
        return Err(Error::Kind { principal: principal.name.to_string(), problem });
    }
    if assignment.principal == PrincipalId::ANONYMOUS && !role.permitted().without(harmless()).is_empty() {
        return Err(Error::TooMuchForEverybody { role: role.name.clone() });
    }
    if !role.assignable_scopes.iter().any(|scope| scope.includes(&assignment.scope)) {
        return Err(Error::NotAssignable { role: role.name.clone(), scope: assignment.scope.to_string() });
    }
    if !is_line(&assignment.reason, MAX_REASON) {
        return Err(Error::Line { what: "a reason", limit: MAX_REASON });
    }
    Ok(())
}

fn named(facts: &Facts, id: PrincipalId, by: impl FnOnce() -> String) -> Result<&Principal, Error> {
    let found = facts.principals.get(&id).map(AsRef::as_ref);
    found.ok_or_else(|| Error::NotFound { kind: "principal", id: id.to_string(), by: by() })
}
