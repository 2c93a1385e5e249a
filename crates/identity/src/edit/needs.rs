//! What somebody must be allowed to do for an edit.
//!
//! One rule beyond the obvious: whoever makes it possible for somebody to do more must be allowed to give roles there.
//! So a person who manages principals cannot become an owner by joining the owners' group, by setting an owner's
//! password, by having an owner's tokens trusted, or by widening a role that they hold.

use std::collections::BTreeSet;

use crate::{Action, Assignment, Directory, Edit, Principal, PrincipalId, RoleId, Scope, ScopePattern};

/// One thing that must be granted; see [`Directory::permits`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    /// What.
    pub action: Action,
    /// Where. With stars in it, only an assignment that covers everything they stand for grants it.
    pub scope: ScopePattern,
    /// The role that is given or taken, for those who may give only some roles.
    pub role: Option<RoleId>,
}

/// Needs without duplicates.
#[derive(Default)]
struct Needs(BTreeSet<Need>);

impl Needs {
    fn add(&mut self, action: Action, scope: &ScopePattern, role: Option<RoleId>) {
        self.0.insert(Need { action, scope: scope.clone(), role });
    }

    fn everywhere(&mut self, action: Action) {
        self.add(action, &ScopePattern::root(), None);
    }

    fn at_registry(&mut self, action: Action, registry: &str) {
        let scope = Scope::registry(registry).map_or_else(|_| ScopePattern::root(), ScopePattern::from);
        self.add(action, &scope, None);
    }

    fn giving(&mut self, assignment: &Assignment) {
        self.add(Action::AssignmentWrite, &assignment.scope, Some(assignment.role));
    }
}

impl Directory {
    /// Everything that must be granted to `by` before it may make this edit. Nothing, where the edit is about its own
    /// credentials or sessions. An edit of what is not there needs what it would need if it were.
    pub fn needs(&self, edit: &Edit, by: PrincipalId) -> Vec<Need> {
        let mut needs = Needs::default();
        match edit {
            Edit::CreatePrincipal(principal) => {
                needs.everywhere(Action::PrincipalWrite);
                self.rights_of_token(principal.scope_map.as_deref(), &mut needs);
            }
            Edit::UpdatePrincipal { principal, disabled, scope_map, .. } => {
                needs.everywhere(Action::PrincipalWrite);
                self.rights_of_token(scope_map.as_deref(), &mut needs);
                if *disabled == Some(false) {
                    self.rights_of(*principal, &mut needs);
                }
            }
            Edit::SetCredentials { principal, .. } | Edit::EndSessions { principal } if *principal == by => {}
            Edit::SetCredentials { principal, .. } => {
                needs.everywhere(Action::PrincipalWrite);
                self.rights_of(*principal, &mut needs);
            }
            Edit::EndSessions { .. } => needs.everywhere(Action::PrincipalWrite),
            Edit::DeletePrincipal { .. } => needs.everywhere(Action::PrincipalDelete),
            Edit::ChangeMembers { group, add, .. } => {
                needs.everywhere(Action::PrincipalWrite);
                if !add.is_empty() {
                    self.rights_of(*group, &mut needs);
                }
            }
            Edit::PutFederation(federation) => {
                needs.everywhere(Action::FederationWrite);
                self.rights_of(PrincipalId(federation.principal), &mut needs);
            }
            Edit::DeleteFederation { .. } => needs.everywhere(Action::FederationDelete),
            other => self.needs_of_roles(other, &mut needs),
        }
        needs.0.into_iter().collect()
    }

    fn needs_of_roles(&self, edit: &Edit, needs: &mut Needs) {
        match edit {
            Edit::CreateRole(role) => {
                role.assignable_scopes.iter().for_each(|scope| needs.add(Action::RoleWrite, scope, None));
            }
            Edit::UpdateRole(role) => {
                let before = self.role(role.id).map_or(&[][..], |role| &role.assignable_scopes);
                let scopes = role.assignable_scopes.iter().chain(before);
                scopes.for_each(|scope| needs.add(Action::RoleWrite, scope, None));
                let given = self.assignments().filter(|assignment| assignment.role == role.id);
                given.for_each(|assignment| needs.giving(assignment));
            }
            Edit::DeleteRole { .. } => needs.everywhere(Action::RoleDelete),
            Edit::Assign(assignment) => needs.giving(assignment),
            Edit::Unassign { assignment } => match self.assignment(*assignment) {
                Some(found) => needs.add(Action::AssignmentDelete, &found.scope, Some(found.role)),
                None => needs.everywhere(Action::AssignmentDelete),
            },
            Edit::PutScopeMap(map) => {
                needs.at_registry(Action::ScopeMapWrite, &map.registry);
                let tokens = |principal: &&Principal| principal.scope_map.as_ref() == Some(&map.name);
                if self.principals().any(|principal| tokens(&principal)) {
                    needs.at_registry(Action::AssignmentWrite, &map.registry);
                    self.rights_of_token(Some(&map.name), needs);
                }
            }
            Edit::DeleteScopeMap { name } => match self.scope_map(name) {
                Some(map) => needs.at_registry(Action::ScopeMapDelete, &map.registry),
                None => needs.everywhere(Action::ScopeMapDelete),
            },
            _ => {}
        }
    }

    /// To give somebody what a principal has, one must be allowed to give each of its roles.
    fn rights_of(&self, principal: PrincipalId, needs: &mut Needs) {
        let holders: BTreeSet<PrincipalId> =
            self.groups_of(principal).map(|group| group.id).chain([principal]).collect();
        let given = self.assignments().filter(|assignment| holders.contains(&assignment.principal));
        given.for_each(|assignment| needs.giving(assignment));
        let map = self.principal(principal).and_then(|principal| principal.scope_map.as_deref());
        self.rights_of_token(map, needs);
    }

    /// A scope map gives rights on a registry as roles do.
    fn rights_of_token(&self, map: Option<&str>, needs: &mut Needs) {
        if let Some(map) = map.and_then(|name| self.scope_map(name)) {
            needs.at_registry(Action::AssignmentWrite, &map.registry);
        }
    }
}
