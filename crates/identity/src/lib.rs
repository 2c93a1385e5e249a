//! Who is asking, and what they may do.
//!
//! Two halves. One proves who somebody is: passwords, secrets, one-time passwords, certificates, tokens of ours and of
//! others. The other decides what they may do, by Azure's model: a *principal* is *assigned* a *role* at a *scope*,
//! under Azure's own numbers, so that what was written for Azure can be imported. Both are pure.
//!
//! ```
//! use boltseal_identity::{
//!     Action, Assignment, AssignmentId, Decision, Directory, Edit, Principal, PrincipalId, PrincipalKind, Scope,
//! };
//! use boltseal_model::Timestamp;
//!
//! let now: Timestamp = "2026-11-25T12:00:00Z".parse()?;
//! let ci = PrincipalId("6a2c9c4e-3c67-4d3c-8f0b-1f2d1f1c0a01".parse()?);
//! let principal = Principal::new(ci, PrincipalKind::ServicePrincipal, "ci".parse()?);
//! let directory = Directory::empty()?.apply(Edit::CreatePrincipal(principal.into()), now)?.directory;
//!
//! let pull = directory.role_named("AcrPull").ok_or("a built-in role")?.id;
//! let change = directory.apply(
//!     Edit::Assign(Assignment {
//!         id: AssignmentId("6a2c9c4e-3c67-4d3c-8f0b-1f2d1f1c0a02".parse()?),
//!         principal: ci,
//!         role: pull,
//!         scope: "/registries/main/repositories/team/*".parse()?,
//!         condition: None,
//!         created: now,
//!         by: PrincipalId::SYSTEM,
//!         expires: None,
//!         reason: "builds".to_owned(),
//!     }),
//!     now,
//! )?;
//! assert_eq!(change.documents.len(), 1); // what the store has to keep
//!
//! let directory = change.directory;
//! let ours = Scope::repository("main", "team/app")?;
//! assert!(directory.decide(ci, Action::ContentRead, &ours, now).is_granted());
//! assert!(!directory.decide(ci, Action::ContentWrite, &ours, now).is_granted());
//! match directory.decide(ci, Action::ContentRead, &Scope::repository("main", "other/app")?, now) {
//!     Decision::Missing { nearest, .. } => assert_eq!(nearest.map(|role| role.name), Some("AcrPull")),
//!     other => panic!("{other:?}"),
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | what they may do | |
//! |---|---|
//! | [`Directory`] | everything that was said, as one value that never changes: [`decide`](Directory::decide), [`visible`](Directory::visible) for lists, [`explain`](Directory::explain) for people |
//! | [`Edit`] | a change: what it [`needs`](Directory::needs), and what [`apply`](Directory::apply) makes of it |
//! | [`Action`], [`Role`], [`Scope`], [`Condition`] | what, in which bundle, where, on which repositories only |
//! | [`Principal`], [`Assignment`], [`ScopeMap`] | who, and what they were given |
//! | [`Document`] | what the store keeps, without knowing what it means |
//! | [`Authority`] | the directory that counts now, with the keys of tokens: what the server's roles ask |
//!
//! | who they are | |
//! |---|---|
//! | [`credential`] | everything by which a principal proves itself: [`secret`]s, [`password`]s, [`totp`] |
//! | [`token`], [`seal`] | our own tokens, sealed and checked without asking anybody; [`registry_scope`] |
//! | [`jwt`], [`jwks`], [`key_cache`], [`federation`], [`assertion`], [`oidc`] | other people's tokens |
//! | [`delay`], [`share`] | patience with those who guess; break-glass |
//!
//! What holds of decisions: nothing is granted that was not given; whoever is disabled or unknown may do nothing; a
//! right ends when it says; whoever can give more to somebody can give roles; an edit never leaves a server without an
//! owner once it has one. A decision costs well under a microsecond whatever the number of assignments.
//!
//! Limits are named constants with their reasons. Azure's role definitions and conditions as in Microsoft's reference
//! "Azure RBAC"; scope maps as in Azure Container Registry.
//!
//! This crate must not know: HTTP, databases, terminals, or what time it is.

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
pub mod authority;
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
pub use authority::{Authority, Caller};
pub use condition::{Condition, ConditionError, MAX_CONDITION};
pub use credential::Credentials;
pub use decision::{Decision, Nearest};
pub use directory::{
    Directory, MAX_ASSIGNMENTS, MAX_CONDITIONAL, MAX_GRANTS, MAX_GROUPS, MAX_MEMBERS, MAX_NESTING,
    MAX_PRINCIPALS, MAX_REASON, MAX_ROLES, MAX_SCOPE_MAPS,
};
pub use document::{Document, DocumentChange, MAX_BODY, kind};
pub use edit::{Change, Edit, EditError, Need, Summary};
pub use error::Error;
pub use explain::{Considered, Explanation, MAX_CONSIDERED, Outcome, Subject};
pub use id::{AssignmentId, PrincipalId, RoleId};
pub use principal::{MAX_NAME, Name, NameError, Principal, PrincipalKind};
pub use role::{Imported, MAX_DEFINITION, Role, RoleError};
pub use scope::{MAX_SCOPE, MAX_SEGMENTS, MAX_STARS, Scope, ScopeError, ScopePattern};
pub use scope_map::{ScopeMap, ScopeMapError};
pub use seal::{Keys, RootKey};
pub use visible::Visible;
