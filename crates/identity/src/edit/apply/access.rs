//! Edits of what somebody may do.

use std::sync::Arc;

use super::{EditError, Summary, Work, not_found, summary};
use crate::{Assignment, AssignmentId, Role, RoleId, ScopeMap, document::kind, edit::summary::told};

impl Work {
    pub(super) fn create_role(&mut self, role: Role) -> Result<Summary, EditError> {
        if self.facts.roles.contains_key(&role.id) {
            return Err(EditError::Exists { kind: "role", id: role.id.to_string() });
        }
        self.put_role("role.create", None, role)
    }

    pub(super) fn update_role(&mut self, role: Role) -> Result<Summary, EditError> {
        let before = self.custom(role.id)?;
        self.put_role("role.update", Some(&before), role)
    }

    pub(super) fn delete_role(&mut self, id: RoleId) -> Result<Summary, EditError> {
        let before = self.custom(id)?;
        let times = self.facts.assignments.values().filter(|given| given.role == id).count();
        if times > 0 {
            return Err(EditError::InUse { kind: "role", name: before.name.clone(), times });
        }
        self.facts.roles.remove(&id);
        self.delete(kind::ROLE, &id);
        Ok(summary("role.delete", kind::ROLE, (id.to_string(), before.name.clone()), Some(&before), None))
    }

    fn put_role(
        &mut self,
        verb: &'static str,
        before: Option<&Arc<Role>>,
        role: Role,
    ) -> Result<Summary, EditError> {
        self.put(kind::ROLE, &role.id, &role)?;
        let after = Arc::new(role);
        self.facts.roles.insert(after.id, Arc::clone(&after));
        Ok(summary(verb, kind::ROLE, (after.id.to_string(), after.name.clone()), before, Some(&after)))
    }

    fn custom(&self, id: RoleId) -> Result<Arc<Role>, EditError> {
        let found = self.facts.roles.get(&id).map(Arc::clone).ok_or_else(|| not_found("role", &id))?;
        if found.built_in {
            return Err(EditError::BuiltIn { kind: "role", name: found.name.clone() });
        }
        Ok(found)
    }

    pub(super) fn assign(&mut self, mut assignment: Assignment) -> Result<Summary, EditError> {
        if self.facts.assignments.contains_key(&assignment.id) {
            return Err(EditError::Exists { kind: "assignment", id: assignment.id.to_string() });
        }
        if assignment.expired(self.now) {
            return Err(EditError::Expired);
        }
        assignment.created = self.now;
        self.put(kind::ASSIGNMENT, &assignment.id, &assignment)?;
        let name = self.sentence(&assignment);
        let (id, after) = (assignment.id.to_string(), Some(told(&assignment)));
        self.facts.assignments.insert(assignment.id, Arc::new(assignment));
        Ok(Summary { verb: "assignment.create", kind: kind::ASSIGNMENT, id, name, before: None, after })
    }

    pub(super) fn unassign(&mut self, id: AssignmentId) -> Result<Summary, EditError> {
        if id == AssignmentId::BREAK_GLASS {
            return Err(EditError::BuiltIn { kind: "assignment", name: id.to_string() });
        }
        let before = self.facts.assignments.remove(&id).ok_or_else(|| not_found("assignment", &id))?;
        self.delete(kind::ASSIGNMENT, &id);
        let (name, before) = (self.sentence(&before), Some(told(before.as_ref())));
        let id = id.to_string();
        Ok(Summary { verb: "assignment.delete", kind: kind::ASSIGNMENT, id, name, before, after: None })
    }

    /// An assignment in the names that people know.
    fn sentence(&self, assignment: &Assignment) -> String {
        let role = self.facts.roles.get(&assignment.role).map_or("?", |role| role.name.as_str());
        let who = self.facts.principals.get(&assignment.principal).map_or("?", |who| who.name.as_str());
        format!("{role} at {} to {who}", assignment.scope)
    }

    pub(super) fn put_scope_map(&mut self, mut map: ScopeMap) -> Result<Summary, EditError> {
        let before = self.facts.scope_maps.get(&map.name).map(Arc::clone);
        map.id = before.as_ref().map_or(map.id, |before| before.id);
        self.put(kind::SCOPE_MAP, &map.name, &map)?;
        let after = Arc::new(map);
        self.facts.scope_maps.insert(after.name.clone(), Arc::clone(&after));
        let named = (after.name.clone(), after.name.clone());
        Ok(summary("scope-map.put", kind::SCOPE_MAP, named, before.as_ref(), Some(&after)))
    }

    pub(super) fn delete_scope_map(&mut self, name: &str) -> Result<Summary, EditError> {
        let before = self.facts.scope_maps.remove(name).ok_or_else(|| not_found("scope map", &name))?;
        let tokens = self.facts.principals.values().filter(|token| token.scope_map.as_deref() == Some(name));
        let times = tokens.count();
        if times > 0 {
            return Err(EditError::InUse { kind: "scope map", name: name.to_owned(), times });
        }
        self.delete(kind::SCOPE_MAP, &name);
        let named = (name.to_owned(), name.to_owned());
        Ok(summary("scope-map.delete", kind::SCOPE_MAP, named, Some(&before), None))
    }
}
