//! Who is asking, and what they may do.

mod action;
mod assignment;
mod base32;
mod certificate;
mod condition;
mod decision;
mod directory;
mod document;
mod edit;
mod error;
mod expiring;
mod explain;
mod glob;
mod id;
mod json;
mod primitive;
mod principal;
mod role;
mod scope;
mod scope_map;
mod signing;
mod visible;

pub mod assertion;
pub mod credential;
pub mod delay;
pub mod federation;
pub mod jwks;
pub mod jwt;
pub mod key_cache;
pub mod oidc;
pub mod password;
pub mod registry_scope;
pub mod seal;
pub mod secret;
pub mod share;
pub mod token;
pub mod totp;

pub use action::{Action, Actions, Plane, UnknownAction};
pub use assignment::Assignment;
pub use condition::{Condition, ConditionError};
pub use credential::Credentials;
pub use decision::{Decision, Nearest};
pub use directory::{
    Directory, MAX_ASSIGNMENTS, MAX_CONDITIONAL, MAX_GRANTS, MAX_GROUPS, MAX_MEMBERS, MAX_NESTING, MAX_PRINCIPALS,
    MAX_REASON, MAX_ROLES, MAX_SCOPE_MAPS,
};
pub use document::{Document, DocumentChange, kind};
pub use edit::{Change, Edit, EditError, Need, Summary};
pub use error::Error;
pub use explain::{Considered, Explanation, MAX_CONSIDERED, Outcome, Subject};
pub use id::{AssignmentId, PrincipalId, RoleId};
pub use principal::{Name, NameError, Principal, PrincipalKind};
pub use role::{Imported, MAX_DEFINITION, Role, RoleError};
pub use scope::{Scope, ScopeError, ScopePattern};
pub use seal::{Keys, RootKey};
pub use scope_map::{ScopeMap, ScopeMapError};
pub use visible::Visible;
