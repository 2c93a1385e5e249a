//! An edit done: another directory, what the store has to do, and what the log says.

use std::{collections::BTreeSet, sync::Arc};

use boltseal_model::Timestamp;

use super::{
    Change, Edit, EditError, Summary, guard,
    summary::{told, told_federation, told_principal},
};
use crate::{
    Assignment, AssignmentId, Credentials, Directory, Document, DocumentChange, Principal, PrincipalId,
    PrincipalKind, Role, RoleId, ScopeMap, directory::Facts, document::kind, federated::Federated,
};

impl Directory {
    /// Makes an edit. Nothing is asked about who makes it: see [`needs`](Self::needs). `now` is the moment of making.
    pub fn apply(&self, edit: Edit, now: Timestamp) -> Result<Change, EditError> {
        let mut work = Work { facts: self.facts.clone(), documents: Vec::new(), now };
        let summary = work.apply(edit)?;
        let directory = Self::of(work.facts)?;
        guard::keep_an_owner(self, &directory)?;
        Ok(Change { directory, documents: work.documents, summary })
    }
}

struct Work {
    facts: Facts,
    documents: Vec<DocumentChange>,
    now: Timestamp,
}

impl Work {
    fn apply(&mut self, edit: Edit) -> Result<Summary, EditError> {
        match edit {
            Edit::CreatePrincipal(principal) => self.create_principal(*principal),
            Edit::UpdatePrincipal { principal, display, disabled, scope_map } => {
                self.principal(principal, "principal.update", |found| {
                    found.epoch += u32::from(disabled == Some(true) && !found.disabled);
                    found.disabled = disabled.unwrap_or(found.disabled);
                    found.scope_map = scope_map.or_else(|| found.scope_map.take());
                    if let Some(display) = display {
                        found.display = display;
                    }
                    Ok(())
                })
            }
            Edit::SetCredentials { principal, credentials, end_sessions } => {
                self.set_credentials(principal, *credentials, end_sessions)
            }
            Edit::EndSessions { principal } => self.principal(principal, "principal.end-sessions", |found| {
                found.epoch += 1;
                Ok(())
            }),
            Edit::DeletePrincipal { principal } => self.delete_principal(principal),
            Edit::ChangeMembers { group, add, remove } => self.change_members(group, add, &remove),
            Edit::CreateRole(role) => self.create_role(role),
            Edit::UpdateRole(role) => self.update_role(role),
            Edit::DeleteRole { role } => self.delete_role(role),
            Edit::Assign(assignment) => self.assign(assignment),
            Edit::Unassign { assignment } => self.unassign(assignment),
            Edit::PutScopeMap(map) => self.put_scope_map(map),
            Edit::DeleteScopeMap { name } => self.delete_scope_map(&name),
            Edit::PutFederation { id, body } => self.put_federation(&id, &body),
            Edit::DeleteFederation { id } => self.delete_federation(&id),
        }
    }

    fn put(&mut self, document: Document) {
        self.documents.push(DocumentChange::Put(document));
    }

    fn delete(&mut self, kind: &'static str, id: impl ToString) {
        self.documents.push(DocumentChange::Delete { kind, id: id.to_string() });
    }

    fn create_principal(&mut self, mut principal: Principal) -> Result<Summary, EditError> {
        if principal.disabled || principal.epoch != 0 {
            return Err(EditError::NotNew { problem: "a new principal is not disabled, and its epoch is 0" });
        }
        if self.facts.principals.contains_key(&principal.id) {
            return Err(EditError::Exists { kind: "principal", id: principal.id.to_string() });
        }
        principal.created = self.now;
        self.put(Document::of(kind::PRINCIPAL, principal.id, &principal)?);
        let summary = of_principal("principal.create", None, Some(&principal));
        self.facts.principals.insert(principal.id, Arc::new(principal));
        Ok(summary)
    }

    /// Changes one principal.
    fn principal(
        &mut self,
        id: PrincipalId,
        verb: &'static str,
        change: impl FnOnce(&mut Principal) -> Result<(), EditError>,
    ) -> Result<Summary, EditError> {
        let before = self.editable(id)?;
        let mut after = before.as_ref().clone();
        change(&mut after)?;
        self.put(Document::of(kind::PRINCIPAL, id, &after)?);
        let summary = of_principal(verb, Some(&before), Some(&after));
        self.facts.principals.insert(id, Arc::new(after));
        Ok(summary)
    }

    fn editable(&self, id: PrincipalId) -> Result<Arc<Principal>, EditError> {
        let found = self.facts.principals.get(&id).map(Arc::clone);
        let found = found.ok_or_else(|| EditError::NotFound { kind: "principal", id: id.to_string() })?;
        if id.is_well_known() {
            return Err(EditError::BuiltIn { kind: "principal", name: found.name.to_string() });
        }
        Ok(found)
    }

    fn set_credentials(
        &mut self,
        id: PrincipalId,
        credentials: Credentials,
        end_sessions: bool,
    ) -> Result<Summary, EditError> {
        self.principal(id, "principal.set-credentials", |found| {
            if found.kind == PrincipalKind::Group {
                return Err(EditError::NotNew { problem: "a group does not sign in" });
            }
            found.credentials = credentials;
            found.epoch += u32::from(end_sessions);
            Ok(())
        })
    }

    fn delete_principal(&mut self, id: PrincipalId) -> Result<Summary, EditError> {
        let before = self.editable(id)?;
        self.facts.principals.remove(&id);
        self.delete(kind::PRINCIPAL, id);
        let assignments: Vec<AssignmentId> = self
            .facts
            .assignments
            .values()
            .filter(|given| given.principal == id)
            .map(|given| given.id)
            .collect();
        for assignment in assignments {
            self.facts.assignments.remove(&assignment);
            self.delete(kind::ASSIGNMENT, assignment);
        }
        let groups: Vec<Arc<Principal>> = self
            .facts
            .principals
            .values()
            .filter(|group| group.members.contains(&id))
            .map(Arc::clone)
            .collect();
        for group in groups {
            let mut group = group.as_ref().clone();
            group.members.remove(&id);
            self.put(Document::of(kind::PRINCIPAL, group.id, &group)?);
            self.facts.principals.insert(group.id, Arc::new(group));
        }
        let federations: Vec<String> = self
            .facts
            .federations
            .values()
            .filter(|trust| trust.principal == id)
            .map(|trust| trust.id.clone())
            .collect();
        for federation in federations {
            self.facts.federations.remove(&federation);
            self.delete(kind::FEDERATION, federation);
        }
        Ok(of_principal("principal.delete", Some(&before), None))
    }

    fn change_members(
        &mut self,
        group: PrincipalId,
        add: BTreeSet<PrincipalId>,
        remove: &BTreeSet<PrincipalId>,
    ) -> Result<Summary, EditError> {
        self.principal(group, "group.change-members", |found| {
            found.members.retain(|member| !remove.contains(member));
            found.members.extend(add);
            Ok(())
        })
    }

    fn create_role(&mut self, role: Role) -> Result<Summary, EditError> {
        if self.facts.roles.contains_key(&role.id) {
            return Err(EditError::Exists { kind: "role", id: role.id.to_string() });
        }
        self.put(Document::of(kind::ROLE, role.id, &role)?);
        let summary = of_role("role.create", None, Some(&role));
        self.facts.roles.insert(role.id, Arc::new(role));
        Ok(summary)
    }

    fn update_role(&mut self, role: Role) -> Result<Summary, EditError> {
        let before = self.custom(role.id)?;
        self.put(Document::of(kind::ROLE, role.id, &role)?);
        let summary = of_role("role.update", Some(&before), Some(&role));
        self.facts.roles.insert(role.id, Arc::new(role));
        Ok(summary)
    }

    fn delete_role(&mut self, id: RoleId) -> Result<Summary, EditError> {
        let before = self.custom(id)?;
        let times = self.facts.assignments.values().filter(|given| given.role == id).count();
        if times > 0 {
            return Err(EditError::InUse { kind: "role", name: before.name.clone(), times });
        }
        self.facts.roles.remove(&id);
        self.delete(kind::ROLE, id);
        Ok(of_role("role.delete", Some(&before), None))
    }

    fn custom(&self, id: RoleId) -> Result<Arc<Role>, EditError> {
        let found = self.facts.roles.get(&id).map(Arc::clone);
        let found = found.ok_or_else(|| EditError::NotFound { kind: "role", id: id.to_string() })?;
        if found.built_in {
            return Err(EditError::BuiltIn { kind: "role", name: found.name.clone() });
        }
        Ok(found)
    }

    fn assign(&mut self, mut assignment: Assignment) -> Result<Summary, EditError> {
        if self.facts.assignments.contains_key(&assignment.id) {
            return Err(EditError::Exists { kind: "assignment", id: assignment.id.to_string() });
        }
        if assignment.expired(self.now) {
            return Err(EditError::Expired);
        }
        assignment.created = self.now;
        self.put(Document::of(kind::ASSIGNMENT, assignment.id, &assignment)?);
        let summary = self.of_assignment("assignment.create", &assignment, false);
        self.facts.assignments.insert(assignment.id, Arc::new(assignment));
        Ok(summary)
    }

    fn unassign(&mut self, id: AssignmentId) -> Result<Summary, EditError> {
        if id == AssignmentId::BREAK_GLASS {
            return Err(EditError::BuiltIn { kind: "assignment", name: id.to_string() });
        }
        let before = self.facts.assignments.remove(&id);
        let before = before.ok_or_else(|| EditError::NotFound { kind: "assignment", id: id.to_string() })?;
        self.delete(kind::ASSIGNMENT, id);
        Ok(self.of_assignment("assignment.delete", &before, true))
    }

    fn put_scope_map(&mut self, mut map: ScopeMap) -> Result<Summary, EditError> {
        let before = self.facts.scope_maps.get(&map.name).map(Arc::clone);
        if let Some(before) = &before {
            map.id = before.id;
        }
        self.put(Document::of(kind::SCOPE_MAP, &map.name, &map)?);
        let summary = of_scope_map("scope-map.put", before.as_deref(), Some(&map));
        self.facts.scope_maps.insert(map.name.clone(), Arc::new(map));
        Ok(summary)
    }

    fn delete_scope_map(&mut self, name: &str) -> Result<Summary, EditError> {
        let before = self.facts.scope_maps.remove(name);
        let before = before.ok_or_else(|| EditError::NotFound { kind: "scope map", id: name.to_owned() })?;
        let used = self.facts.principals.values().filter(|token| token.scope_map.as_deref() == Some(name));
        let times = used.count();
        if times > 0 {
            return Err(EditError::InUse { kind: "scope map", name: name.to_owned(), times });
        }
        self.delete(kind::SCOPE_MAP, name);
        Ok(of_scope_map("scope-map.delete", Some(&before), None))
    }

    fn put_federation(&mut self, id: &str, body: &str) -> Result<Summary, EditError> {
        let after = Arc::new(Federated::read(id, body)?);
        let before = self.facts.federations.insert(id.to_owned(), Arc::clone(&after));
        self.put(after.document());
        Ok(of_federation("federation.put", before.as_deref(), Some(&after)))
    }

    fn delete_federation(&mut self, id: &str) -> Result<Summary, EditError> {
        let before = self.facts.federations.remove(id);
        let before = before.ok_or_else(|| EditError::NotFound { kind: "federation", id: id.to_owned() })?;
        self.delete(kind::FEDERATION, id);
        Ok(of_federation("federation.delete", Some(&before), None))
    }

    /// An assignment is told with the names that people know.
    fn of_assignment(&self, verb: &'static str, assignment: &Assignment, gone: bool) -> Summary {
        let role = self.facts.roles.get(&assignment.role).map_or("?", |role| role.name.as_str());
        let who = self.facts.principals.get(&assignment.principal).map_or("?", |who| who.name.as_str());
        let told = Some(told(assignment));
        let (before, after) = if gone { (told, None) } else { (None, told) };
        let name = format!("{role} at {} to {who}", assignment.scope);
        Summary { verb, kind: kind::ASSIGNMENT, id: assignment.id.to_string(), name, before, after }
    }
}

fn of_principal(verb: &'static str, before: Option<&Principal>, after: Option<&Principal>) -> Summary {
    let one = after.or(before);
    Summary {
        verb,
        kind: kind::PRINCIPAL,
        id: one.map(|one| one.id.to_string()).unwrap_or_default(),
        name: one.map(|one| one.name.to_string()).unwrap_or_default(),
        before: before.map(told_principal),
        after: after.map(told_principal),
    }
}

fn of_role(verb: &'static str, before: Option<&Role>, after: Option<&Role>) -> Summary {
    let one = after.or(before);
    Summary {
        verb,
        kind: kind::ROLE,
        id: one.map(|one| one.id.to_string()).unwrap_or_default(),
        name: one.map(|one| one.name.clone()).unwrap_or_default(),
        before: before.map(|role| told(role)),
        after: after.map(|role| told(role)),
    }
}

fn of_scope_map(verb: &'static str, before: Option<&ScopeMap>, after: Option<&ScopeMap>) -> Summary {
    let name = after.or(before).map(|map| map.name.clone()).unwrap_or_default();
    let (before, after) = (before.map(|map| told(map)), after.map(|map| told(map)));
    Summary { verb, kind: kind::SCOPE_MAP, id: name.clone(), name, before, after }
}

fn of_federation(verb: &'static str, before: Option<&Federated>, after: Option<&Federated>) -> Summary {
    let id = after.or(before).map(|federated| federated.id.clone()).unwrap_or_default();
    let (before, after) = (before.map(told_federation), after.map(told_federation));
    Summary { verb, kind: kind::FEDERATION, id: id.clone(), name: id, before, after }
}
