//! Who somebody is and what they may do.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use crate::own::{FederatedLogin, NewPassword, NewTotp, RecoveryCodes, TotpCode};

/// What kind of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A person.
    User,
    /// A program with secrets or certificates.
    ServicePrincipal,
    /// Principals together.
    Group,
    /// A program that another issuer vouches for.
    Workload,
    /// A token for some repositories, by a scope map.
    Token,
}

/// Somebody. `GET /api/v1/principals` (`?kind=`), `GET|DELETE /api/v1/principals/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Principal {
    /// Never changes.
    pub id: Uuid,
    /// What kind of somebody.
    pub kind: Kind,
    /// Unique.
    pub name: String,
    /// For people to read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub display: String,
    /// Whether nothing is granted to them at the moment.
    #[serde(default)]
    pub disabled: bool,
    /// When made.
    pub created: Timestamp,
    /// Names of members, for a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// What they can prove themselves with; never the secrets themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub credentials: Vec<Credential>,
    /// Name of the scope map, for a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_map: Option<String>,
}

/// What somebody can prove themselves with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// `password`, `totp`, `secret` or `certificate`.
    pub kind: String,
    /// To name it by: of a secret, or a certificate's SHA-256 thumbprint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// `POST /api/v1/principals`: answered 201 with [`Made`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewPrincipal {
    /// What kind of somebody.
    pub kind: Kind,
    /// Unique.
    pub name: String,
    /// For people to read.
    #[serde(default)]
    pub display: String,
    /// A user's first password; without it a one-time link is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Names of members, for a group.
    #[serde(default)]
    pub members: Vec<String>,
    /// Name of the scope map, for a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_map: Option<String>,
    /// When the first secret of a service principal or token ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// A new principal or secret. The secret is shown here and never again.
#[derive(Clone, Serialize, Deserialize)]
pub struct Made {
    /// Whom it belongs to.
    pub principal: Principal,
    /// Of a service principal or token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
    /// Id of that secret, to remove it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_id: Option<String>,
    /// Path of a page where a new user chooses a password, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl std::fmt::Debug for Made {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Made").field("principal", &self.principal.name).finish_non_exhaustive()
    }
}

/// `PATCH /api/v1/principals/{name}`: what is absent stays.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct PrincipalChange {
    /// For people to read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// Whether nothing is granted to them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// A new password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
    /// Names to add to a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub add_members: Vec<String>,
    /// Names to take out of a group.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remove_members: Vec<String>,
    /// End all tokens and sessions of this principal.
    #[serde(default)]
    pub sign_out_everywhere: bool,
}

/// `POST /api/v1/principals/{name}/secrets`: answered 201 with [`Made`]. `DELETE …/secrets/{id}` removes one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct NewSecret {
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Remove the older one when there are two already.
    #[serde(default)]
    pub replace_oldest: bool,
}

/// `POST /api/v1/principals/{name}/certificates`. `DELETE …/certificates/{sha256}` removes one.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewCertificate {
    /// One X.509 certificate.
    pub pem: String,
}

/// A role: what it allows. `GET /api/v1/roles`; `POST` takes a definition as Azure exports it; `DELETE …/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Azure's own for Azure's roles.
    pub id: Uuid,
    /// Unique.
    pub name: String,
    /// What it is for.
    pub description: String,
    /// Whether it came with Boltseal.
    pub built_in: bool,
    /// Control plane.
    pub actions: Vec<String>,
    /// Taken out again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_actions: Vec<String>,
    /// Data plane.
    pub data_actions: Vec<String>,
    /// Taken out again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_data_actions: Vec<String>,
}

/// Answer of `POST /api/v1/roles`, 201: a definition may hold several roles, and mean things that are not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportedRoles {
    /// What was added or changed.
    pub roles: Vec<Role>,
    /// What a person should know of the rest.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// Who has which role where. `GET /api/v1/role-assignments` (`?principal=`, `?scope=`); `DELETE …/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// Named in records as the reason why something was allowed.
    pub id: Uuid,
    /// Name of the principal.
    pub principal: String,
    /// Name of the role.
    pub role: String,
    /// Where: `/`, `/registries/main/repositories/team/*`, …
    pub scope: String,
    /// Azure's condition language, or `repository like "team/*"`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// When made.
    pub created: Timestamp,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// `POST /api/v1/role-assignments`: answered 201 with the [`Assignment`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NewAssignment {
    /// Name of the principal.
    pub principal: String,
    /// Name or id of the role.
    pub role: String,
    /// Where.
    pub scope: String,
    /// Under which condition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<String>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// What a repository token may do. `GET|POST /api/v1/scope-maps`, `DELETE …/{name}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScopeMap {
    /// Unique.
    pub name: String,
    /// ACR's form: `repositories/team/a/content/read`.
    pub actions: Vec<String>,
}

/// Tokens of another issuer that stand for a principal of ours. `GET|POST /api/v1/federations`, `DELETE …/{id}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Federation {
    /// Made by the server.
    #[serde(default)]
    pub id: Uuid,
    /// Exact `iss`.
    pub issuer: String,
    /// Exact `aud`.
    pub audience: String,
    /// Pattern of `sub`: exact, or with `*`.
    pub subject: String,
    /// Conditions on claims: `repository=octo/*`.
    #[serde(default)]
    pub claims: Vec<String>,
    /// Name of the principal.
    pub principal: String,
    /// The issuer's keys as a JWKS document, for issuers that cannot be reached; otherwise they are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
}

/// `POST /api/v1/login`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Login {
    /// Name of a user or service principal.
    pub name: String,
    /// Password or secret.
    pub secret: String,
    /// Six digits, or a recovery code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A token, for `Authorization: Bearer`. Answer of `POST /api/v1/login` and of breaking the glass.
/// `POST /api/v1/logout`, without a body, ends it; answered 204.
#[derive(Clone, Serialize, Deserialize)]
pub struct Session {
    /// To be sent with every request.
    pub access_token: String,
    /// Seconds it lives.
    pub expires_in: u64,
    /// Whose it is.
    pub principal: String,
    /// As images of this server are named, where that is another address: `127.0.0.1:5000`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("principal", &self.principal).finish_non_exhaustive()
    }
}

/// `GET /api/v1/whoami`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoAmI {
    /// Unique name.
    pub name: String,
    /// Never changes.
    pub id: Uuid,
    /// What kind of somebody.
    pub kind: String,
    /// How they proved it: `basic`, `token`, `session`, …
    pub via: String,
    /// When that proof ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// Groups they are in, nested ones too.
    pub groups: Vec<String>,
    /// All that was assigned to them, directly or through a group.
    pub assignments: Vec<Assignment>,
}

/// `GET /api/v1/can-i?action=&scope=` (`&principal=`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CanI {
    /// The answer.
    pub allowed: bool,
    /// What was asked.
    pub action: String,
    /// Where.
    pub scope: String,
    /// About whom.
    pub principal: String,
    /// The assignment that grants it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granted_by: Option<Assignment>,
    /// The group it comes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Assignments that were looked at and why they do not grant it.
    #[serde(default)]
    pub considered: Vec<Considered>,
    /// Built-in roles that would grant it here.
    #[serde(default)]
    pub roles_that_would: Vec<String>,
}

/// An assignment that does not grant what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Considered {
    /// Which.
    pub assignment: Assignment,
    /// Why not: `scope`, `action`, `condition`, `expired`, in a sentence.
    pub why_not: String,
}

/// `POST /api/v1/break-glass/shares`: answered 201 with [`Shares`]. Makes all earlier shares useless.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct NewShares {
    /// How many people get one: 2 to 16.
    pub shares: u8,
    /// How many of them must come together.
    pub threshold: u8,
}

/// Shares, shown once.
#[derive(Clone, Serialize, Deserialize)]
pub struct Shares {
    /// One for each person.
    pub shares: Vec<String>,
    /// How many of them must come together.
    pub threshold: u8,
}

impl std::fmt::Debug for Shares {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shares").field("threshold", &self.threshold).finish_non_exhaustive()
    }
}

/// `POST /api/v1/break-glass/open`: answered with a [`Session`] of one hour.
#[derive(Clone, Serialize, Deserialize)]
pub struct BreakGlass {
    /// As many as the threshold says.
    pub shares: Vec<String>,
    /// Why; it stands in the log and in the alert.
    pub reason: String,
}

impl std::fmt::Debug for BreakGlass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BreakGlass").field("reason", &self.reason).finish_non_exhaustive()
    }
}
