//! What no edit may do, whoever makes it.

use std::collections::BTreeSet;

use crate::{Directory, EditError, PrincipalId, PrincipalKind, RoleId, ScopePattern};

/// Nobody can lock everybody out: once somebody holds Owner at `/` for good, somebody always does.
pub(super) fn keep_an_owner(before: &Directory, after: &Directory) -> Result<(), EditError> {
    if has_owner(before) && !has_owner(after) { Err(EditError::LastOwner) } else { Ok(()) }
}

fn has_owner(directory: &Directory) -> bool {
    let root = ScopePattern::root();
    let holders: BTreeSet<PrincipalId> = directory
        .assignments()
        .filter(|given| given.role == RoleId::OWNER && given.scope == root)
        .filter(|given| given.expires.is_none() && given.condition.is_none())
        .map(|given| given.principal)
        .collect();
    if holders.is_empty() {
        return false;
    }
    directory
        .principals()
        // A group cannot sign in, and those who exist everywhere are nobody in particular.
        .filter(|who| who.kind != PrincipalKind::Group && !who.disabled && !who.id.is_well_known())
        .any(|who| {
            holders.contains(&who.id) || directory.groups_of(who.id).any(|group| holders.contains(&group.id))
        })
}
