//! As whom a group runs: `identity`, as Azure has it.
//!
//! ```yaml
//! identity:
//!   type: SystemAssigned, UserAssigned
//!   userAssignedIdentities:
//!     /subscriptions/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/orders: {}
//! ```
//!
//! Outside of Azure there are no subscriptions: a name alone is a resource id as well.

use crate::{
    document::At,
    leaf::{Leaf, Place},
};

/// Identities of one group.
const MAX_ASSIGNED: usize = 20;
/// Characters of a name.
const MAX_NAME: usize = 64;

/// As whom a group runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Managed {
    /// As itself: by its own name.
    pub system: bool,
    /// As these.
    pub assigned: Vec<Assigned>,
}

/// An identity that somebody made, and assigned to groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// As it stands in the file.
    pub resource: String,
    /// The last part of that.
    pub name: String,
}

/// What stands there; nothing where a group runs as nobody. `wrong` gets what cannot be done as it is written.
pub(super) fn managed(at: &At<'_>, wrong: &mut Vec<(Place, String)>) -> Option<Managed> {
    let kind = match at.get("type").text() {
        Leaf::Unset(_) => return None,
        Leaf::Unknown(why, place) => {
            wrong.push((place, format!("as whom the group runs is not known: {why}")));
            return None;
        }
        Leaf::Set(kind, place) => (kind, place),
    };
    let (kind, place) = kind;
    let mut managed = Managed::default();
    let mut is_assigned = false;
    for word in kind.split(',').map(str::trim) {
        match word.to_ascii_lowercase().as_str() {
            "none" => {}
            "systemassigned" => managed.system = true,
            "userassigned" => is_assigned = true,
            _ => wrong.push((
                place.clone(),
                format!("`{word}` is no type of identity: SystemAssigned, UserAssigned, both, or None"),
            )),
        }
    }
    for (resource, at) in at.get("userAssignedIdentities").entries().into_iter().filter(|_| is_assigned) {
        let name = resource.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._@-".contains(&byte);
        if name.is_empty() || name.len() > MAX_NAME || name.starts_with('-') || !name.bytes().all(fits) {
            wrong.push((at.place(), format!("`{resource}` ends in no name of an identity")));
        } else if managed.assigned.len() == MAX_ASSIGNED {
            wrong.push((at.place(), format!("more than {MAX_ASSIGNED} identities")));
            break;
        } else {
            managed.assigned.push(Assigned { resource: resource.to_owned(), name: name.to_owned() });
        }
    }
    if is_assigned && managed.assigned.is_empty() {
        wrong.push((place, "`userAssignedIdentities` names none".to_owned()));
    }
    (managed != Managed::default()).then_some(managed)
}

#[cfg(test)]
mod tests {
    #[test]
    fn as_whom_a_group_runs() {
        const ID: &str =
            "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities";
        let two = format!(
            "{{type: 'SystemAssigned, UserAssigned', userAssignedIdentities: {{{ID}/orders: {{}}, stock: {{}}}}}}"
        );
        for (identity, names, wrong) in [
            ("{type: None}", None, None),
            ("{}", None, None),
            ("{type: systemAssigned}", Some("system"), None),
            (two.as_str(), Some("system orders stock"), None),
            ("{type: UserAssigned}", None, Some("names none")),
            ("{type: UserAssigned, userAssignedIdentities: {a b: {}}}", None, Some("`a b` ends in no name")),
            // What nobody assigned counts for nothing.
            ("{type: SystemAssigned, userAssignedIdentities: {stock: {}}}", Some("system"), None),
            ("{type: Everybody}", None, Some("`Everybody` is no type")),
        ] {
            let group = format!(
                "type: Microsoft.ContainerInstance/containerGroups\nname: shop\nidentity: {identity}\nproperties: {{containers: []}}\n"
            );
            let read = crate::read("group.yaml", group.as_bytes()).unwrap();
            let needs = super::super::needs(&read.workloads[0]);
            let found = needs.managed.map(|managed| {
                let system = managed.system.then(|| "system".to_owned());
                let all: Vec<_> =
                    system.into_iter().chain(managed.assigned.into_iter().map(|one| one.name)).collect();
                all.join(" ")
            });
            assert_eq!(found.as_deref(), names, "{identity}");
            let first = needs.wrong.first().map(|(_, why)| why.as_str());
            assert_eq!(first.is_some(), wrong.is_some(), "{identity}: {first:?}");
            assert!(wrong.is_none_or(|wrong| first.is_some_and(|first| first.contains(wrong))), "{first:?}");
        }
    }
}
