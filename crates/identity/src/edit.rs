//! Changes of a directory, as values: what is to change, what that needs, and what came of it.

mod apply;
mod guard;
mod needs;
mod summary;

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    Assignment, AssignmentId, Credentials, Directory, DocumentChange, Error, Principal, PrincipalId, Role,
    RoleId, ScopeMap, federation::Federation,
};

pub use needs::Need;
pub use summary::Summary;

/// One change. Nothing in it says who makes it: whoever calls asks [`Directory::needs`] first.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Adds a principal. Its moment of making is set; its epoch is 0.
    CreatePrincipal(Box<Principal>),
    /// Changes what is said about a principal; what is `None` stays.
    UpdatePrincipal {
        /// Which.
        principal: PrincipalId,
        /// What people read.
        display: Option<String>,
        /// Whether it may do nothing; this also ends its sessions.
        disabled: Option<bool>,
        /// Of a token, another scope map.
        scope_map: Option<String>,
    },
    /// Changes how a principal proves who it is.
    SetCredentials {
        /// Which.
        principal: PrincipalId,
        /// All of them.
        credentials: Box<Credentials>,
        /// Whether its sessions end too, as they should when a secret was stolen.
        end_sessions: bool,
    },
    /// Ends all sessions of a principal.
    EndSessions {
        /// Whose.
        principal: PrincipalId,
    },
    /// Removes a principal, its assignments, its memberships, and the federations that lead to it.
    DeletePrincipal {
        /// Which.
        principal: PrincipalId,
    },
    /// Adds members to a group, or removes them.
    ChangeMembers {
        /// Which group.
        group: PrincipalId,
        /// Who comes in.
        add: BTreeSet<PrincipalId>,
        /// Who goes.
        remove: BTreeSet<PrincipalId>,
    },
    /// Adds a custom role.
    CreateRole(Role),
    /// Changes a custom role, for everybody who has it.
    UpdateRole(Role),
    /// Removes a custom role that nobody has.
    DeleteRole {
        /// Which.
        role: RoleId,
    },
    /// Gives a role. Its moment of making is set.
    Assign(Assignment),
    /// Takes a role.
    Unassign {
        /// Which assignment.
        assignment: AssignmentId,
    },
    /// Adds a scope map, or changes it for every token that has it. A change keeps its id.
    PutScopeMap(ScopeMap),
    /// Removes a scope map that no token has.
    DeleteScopeMap {
        /// Its name.
        name: String,
    },
    /// Adds or changes a federation.
    PutFederation(Federation),
    /// Removes a federation.
    DeleteFederation {
        /// Its id.
        federation: Uuid,
    },
}

/// What an edit makes of a directory.
#[derive(Clone, Debug)]
pub struct Change {
    /// The directory afterwards.
    pub directory: Directory,
    /// What the store has to do; all of it, or nothing.
    pub documents: Vec<DocumentChange>,
    /// What the audit log says about it.
    pub summary: Summary,
}

/// Why an edit cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// What should be edited is not there.
    #[error("there is no {kind} {id}")]
    NotFound {
        /// What.
        kind: &'static str,
        /// Which.
        id: String,
    },
    /// What should be added is there already.
    #[error("{kind} {id} is there already")]
    Exists {
        /// What.
        kind: &'static str,
        /// Which.
        id: String,
    },
    /// It is the same everywhere.
    #[error("{kind} {name} is built in and cannot be changed")]
    BuiltIn {
        /// What.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Others still need it.
    #[error("{kind} {name} is in use {times} times: remove those first")]
    InUse {
        /// What.
        kind: &'static str,
        /// Its name.
        name: String,
        /// How often.
        times: usize,
    },
    /// Nobody would be left who can give roles.
    #[error(
        "this would leave nobody who holds Owner at / for good and can sign in: give it to somebody else first"
    )]
    LastOwner,
    /// An assignment that has ended before it begins.
    #[error("the assignment ends in the past")]
    Expired,
    /// A new principal that is not new.
    #[error("{problem}")]
    NotNew {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The directory would not fit together afterwards.
    #[error(transparent)]
    Invalid(#[from] Error),
}
