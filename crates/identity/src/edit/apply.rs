//! An edit done: another directory, what the store has to do, and what the log says.

mod access;
mod people;

use std::sync::Arc;

use boltseal_model::Timestamp;
use serde::Serialize;

use super::{Change, Edit, EditError, Summary, guard, summary::told};
use crate::{Directory, Document, DocumentChange, directory::Facts};

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

/// Facts on the way from one directory to the next.
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
                self.update_principal(principal, display, disabled, scope_map)
            }
            Edit::SetCredentials { principal, credentials, end_sessions } => {
                self.set_credentials(principal, *credentials, end_sessions)
            }
            Edit::EndSessions { principal } => self.end_sessions(principal),
            Edit::DeletePrincipal { principal } => self.delete_principal(principal),
            Edit::ChangeMembers { group, add, remove } => self.change_members(group, add, &remove),
            Edit::CreateRole(role) => self.create_role(role),
            Edit::UpdateRole(role) => self.update_role(role),
            Edit::DeleteRole { role } => self.delete_role(role),
            Edit::Assign(assignment) => self.assign(assignment),
            Edit::Unassign { assignment } => self.unassign(assignment),
            Edit::PutScopeMap(map) => self.put_scope_map(map),
            Edit::DeleteScopeMap { name } => self.delete_scope_map(&name),
            Edit::PutFederation(federation) => self.put_federation(federation),
            Edit::DeleteFederation { federation } => self.delete_federation(federation),
        }
    }

    fn put(
        &mut self,
        kind: &'static str,
        id: &impl ToString,
        fact: &impl Serialize,
    ) -> Result<(), EditError> {
        self.documents.push(DocumentChange::Put(Document::of(kind, id, fact)?));
        Ok(())
    }

    fn delete(&mut self, kind: &'static str, id: &impl ToString) {
        self.documents.push(DocumentChange::Delete { kind, id: id.to_string() });
    }
}

fn not_found(kind: &'static str, id: &impl ToString) -> EditError {
    EditError::NotFound { kind, id: id.to_string() }
}

/// What is told of something that has a name, before and after.
fn summary<T: Serialize>(
    verb: &'static str,
    kind: &'static str,
    (id, name): (String, String),
    before: Option<&Arc<T>>,
    after: Option<&Arc<T>>,
) -> Summary {
    let told = |fact: &Arc<T>| told(fact.as_ref());
    Summary { verb, kind, id, name, before: before.map(told), after: after.map(told) }
}
