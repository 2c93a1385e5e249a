//! What no edit may do, whoever makes it.

use std::collections::BTreeSet;

use crate::{Directory, EditError, Principal, PrincipalId, PrincipalKind, RoleId, ScopePattern};

/// Who is there to give roles. Later ones are better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Owned {
    ByNobody,
    /// By somebody who cannot sign in yet, as on the first start.
    BySomebody,
    /// By somebody who can prove who they are.
    ForGood,
}

/// Nobody can lock everybody out: once somebody holds Owner at `/` for good, somebody always does; once that somebody
/// can sign in, somebody always can.
pub(super) fn keep_an_owner(before: &Directory, after: &Directory) -> Result<(), EditError> {
    if owned(after) < owned(before) { Err(EditError::LastOwner) } else { Ok(()) }
}

fn owned(directory: &Directory) -> Owned {
    let root = ScopePattern::root();
    let holders: BTreeSet<PrincipalId> = directory
        .assignments()
        .filter(|given| given.role == RoleId::OWNER && given.scope == root)
        .filter(|given| given.expires.is_none() && given.condition.is_none())
        .map(|given| given.principal)
        .collect();
    let through = |who: &Principal| directory.groups_of(who.id).any(|group| holders.contains(&group.id));
    let federated: BTreeSet<PrincipalId> =
        directory.federations().iter().map(|federation| PrincipalId(federation.principal)).collect();
    directory
        .principals()
        // A group cannot sign in, and those who exist everywhere are nobody in particular.
        .filter(|who| who.kind != PrincipalKind::Group && !who.disabled && !who.id.is_well_known())
        .filter(|who| holders.contains(&who.id) || through(who))
        .map(|who| {
            let proves = !who.credentials.is_empty() || federated.contains(&who.id);
            if proves { Owned::ForGood } else { Owned::BySomebody }
        })
        .max()
        .unwrap_or(Owned::ByNobody)
}
