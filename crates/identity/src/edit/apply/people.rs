//! Edits of who there is.

use std::{collections::BTreeSet, sync::Arc};

use super::{EditError, Summary, Work, not_found, summary};
use crate::{
    AssignmentId, Credentials, Principal, PrincipalId, document::kind, edit::summary::told_principal,
    federation::Federation,
};

impl Work {
    pub(super) fn create_principal(&mut self, mut principal: Principal) -> Result<Summary, EditError> {
        if principal.disabled || principal.epoch != 0 {
            return Err(EditError::NotNew { problem: "a new principal is not disabled, and its epoch is 0" });
        }
        if self.facts.principals.contains_key(&principal.id) {
            return Err(EditError::Exists { kind: "principal", id: principal.id.to_string() });
        }
        principal.created = self.now;
        self.put(kind::PRINCIPAL, &principal.id, &principal)?;
        let summary = of_principal("principal.create", None, Some(&principal), &principal);
        self.facts.principals.insert(principal.id, Arc::new(principal));
        Ok(summary)
    }

    pub(super) fn update_principal(
        &mut self,
        id: PrincipalId,
        display: Option<String>,
        disabled: Option<bool>,
        scope_map: Option<String>,
    ) -> Result<Summary, EditError> {
        self.change(id, "principal.update", |found| {
            if disabled == Some(true) && !found.disabled {
                found.epoch = found.epoch.saturating_add(1);
            }
            found.disabled = disabled.unwrap_or(found.disabled);
            found.scope_map = scope_map.or_else(|| found.scope_map.take());
            found.display = display.unwrap_or_else(|| std::mem::take(&mut found.display));
        })
    }

    pub(super) fn set_credentials(
        &mut self,
        id: PrincipalId,
        credentials: Credentials,
        end_sessions: bool,
    ) -> Result<Summary, EditError> {
        self.change(id, "principal.set-credentials", |found| {
            found.credentials = credentials;
            found.epoch = found.epoch.saturating_add(u32::from(end_sessions));
        })
    }

    pub(super) fn end_sessions(&mut self, id: PrincipalId) -> Result<Summary, EditError> {
        self.change(id, "principal.end-sessions", |found| found.epoch = found.epoch.saturating_add(1))
    }

    pub(super) fn change_members(
        &mut self,
        group: PrincipalId,
        add: BTreeSet<PrincipalId>,
        remove: &BTreeSet<PrincipalId>,
    ) -> Result<Summary, EditError> {
        self.change(group, "group.change-members", |found| {
            found.members.retain(|member| !remove.contains(member));
            found.members.extend(add);
        })
    }

    /// Removes everything that names the principal, too.
    pub(super) fn delete_principal(&mut self, id: PrincipalId) -> Result<Summary, EditError> {
        let before = self.editable(id)?;
        self.facts.principals.remove(&id);
        self.delete(kind::PRINCIPAL, &id);
        let given = self.facts.assignments.values().filter(|given| given.principal == id);
        let given: Vec<AssignmentId> = given.map(|given| given.id).collect();
        for assignment in given {
            self.facts.assignments.remove(&assignment);
            self.delete(kind::ASSIGNMENT, &assignment);
        }
        let groups = self.facts.principals.values().filter(|group| group.members.contains(&id));
        let groups: Vec<Principal> = groups.map(|group| group.as_ref().clone()).collect();
        for mut group in groups {
            group.members.remove(&id);
            self.put(kind::PRINCIPAL, &group.id, &group)?;
            self.facts.principals.insert(group.id, Arc::new(group));
        }
        let (gone, left): (Vec<_>, Vec<_>) =
            self.facts.federations.iter().cloned().partition(|federation| federation.principal == id.0);
        for federation in &gone {
            self.delete(kind::FEDERATION, &federation.id);
        }
        self.facts.federations = left.into();
        Ok(of_principal("principal.delete", Some(&before), None, &before))
    }

    pub(super) fn put_federation(&mut self, federation: Federation) -> Result<Summary, EditError> {
        let (before, mut all): (Vec<_>, Vec<_>) =
            self.facts.federations.iter().cloned().partition(|known| known.id == federation.id);
        self.put(kind::FEDERATION, &federation.id, &federation)?;
        let (before, after) = (before.into_iter().next().map(Arc::new), Arc::new(federation));
        let named = (after.id.to_string(), after.issuer.clone());
        let summary = summary("federation.put", kind::FEDERATION, named, before.as_ref(), Some(&after));
        all.push(after.as_ref().clone());
        all.sort_by_key(|federation| federation.id);
        self.facts.federations = all.into();
        Ok(summary)
    }

    pub(super) fn delete_federation(&mut self, id: uuid::Uuid) -> Result<Summary, EditError> {
        let (gone, left): (Vec<_>, Vec<_>) =
            self.facts.federations.iter().cloned().partition(|federation| federation.id == id);
        let before = gone.into_iter().next().map(Arc::new).ok_or_else(|| not_found("federation", &id))?;
        self.facts.federations = left.into();
        self.delete(kind::FEDERATION, &id);
        let named = (id.to_string(), before.issuer.clone());
        Ok(summary("federation.delete", kind::FEDERATION, named, Some(&before), None))
    }

    fn change(
        &mut self,
        id: PrincipalId,
        verb: &'static str,
        change: impl FnOnce(&mut Principal),
    ) -> Result<Summary, EditError> {
        let before = self.editable(id)?;
        let mut after = before.as_ref().clone();
        change(&mut after);
        self.put(kind::PRINCIPAL, &id, &after)?;
        let summary = of_principal(verb, Some(&before), Some(&after), &after);
        self.facts.principals.insert(id, Arc::new(after));
        Ok(summary)
    }

    fn editable(&self, id: PrincipalId) -> Result<Arc<Principal>, EditError> {
        let found =
            self.facts.principals.get(&id).map(Arc::clone).ok_or_else(|| not_found("principal", &id))?;
        if id.is_well_known() {
            return Err(EditError::BuiltIn { kind: "principal", name: found.name.to_string() });
        }
        Ok(found)
    }
}

fn of_principal(
    verb: &'static str,
    before: Option<&Principal>,
    after: Option<&Principal>,
    named: &Principal,
) -> Summary {
    let (id, name) = (named.id.to_string(), named.name.to_string());
    let (before, after) = (before.map(told_principal), after.map(told_principal));
    Summary { verb, kind: kind::PRINCIPAL, id, name, before, after }
}
