//! Who did it.

/// Who did something, as far as it was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// The principal's id; empty where nobody proved who they are.
    pub id: String,
    /// The name people know; for a failed sign-in the name that was claimed.
    pub name: String,
    /// What kind of principal.
    pub kind: Kind,
    /// By what it was proven.
    pub via: Via,
    /// A short id or HMAC of the session or token, to follow one through the log. Never the token.
    pub session: Option<String>,
}

impl Actor {
    /// Somebody of a kind.
    pub fn new(kind: Kind, id: impl Into<String>, name: impl Into<String>) -> Self {
        Self { id: id.into(), name: name.into(), kind, via: Via::None, session: None }
    }

    /// A person with an account.
    pub fn user(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(Kind::User, id, name)
    }

    /// Boltseal itself.
    pub fn system() -> Self {
        Self::new(Kind::System, "system", "Boltseal")
    }

    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Self::new(Kind::Anonymous, "", "anonymous")
    }

    /// Says by what it was proven.
    #[must_use]
    pub const fn via(mut self, via: Via) -> Self {
        self.via = via;
        self
    }

    /// Adds the short id of the session or token.
    #[must_use]
    pub fn session(mut self, id: impl Into<String>) -> Self {
        self.session = Some(id.into());
        self
    }
}

/// Kinds of principals.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A person with an account.
    User,
    /// A program with secrets or certificates of its own.
    ServicePrincipal,
    /// A program that another issuer vouches for.
    Workload,
    /// A repository-scoped token.
    Token,
    /// A group, where it acts or is acted upon as one.
    Group,
    /// Nobody proved who they are.
    Anonymous,
    /// Boltseal itself, or a part of the system a record was ingested from.
    System,
    /// A session opened by a quorum of shares.
    BreakGlass,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::User,
        Self::ServicePrincipal,
        Self::Workload,
        Self::Token,
        Self::Group,
        Self::Anonymous,
        Self::System,
        Self::BreakGlass,
    ];

    /// The word in `actor.user.type`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServicePrincipal => "service-principal",
            Self::Workload => "workload",
            Self::Token => "token",
            Self::Group => "group",
            Self::Anonymous => "anonymous",
            Self::System => "system",
            Self::BreakGlass => "break-glass",
        }
    }

    /// OCSF's `user.type_id`.
    pub(super) const fn type_id(self) -> u32 {
        match self {
            Self::User => 1,
            Self::BreakGlass => 2,
            Self::System => 3,
            Self::ServicePrincipal | Self::Workload => 4,
            Self::Anonymous => 0,
            Self::Token | Self::Group => 99,
        }
    }

    /// The kind with this word.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == text)
    }
}

/// By what a principal proved who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Via {
    /// By nothing, or nothing was needed.
    None,
    /// Name and secret in HTTP Basic.
    Basic,
    /// Name and password in a form, with or without a second factor.
    Password,
    /// A bearer token of ours.
    Token,
    /// A dashboard session's cookie.
    Session,
    /// A one-time sign-in link.
    Link,
    /// A client certificate or a certificate assertion.
    Certificate,
    /// A token of another issuer.
    Federated,
    /// Shares of the break-glass key.
    Shares,
    /// A file permission or process of this machine.
    Machine,
    /// A way that another system knows.
    Other,
}

impl Via {
    /// Every way.
    pub const ALL: [Self; 11] = [
        Self::None,
        Self::Basic,
        Self::Password,
        Self::Token,
        Self::Session,
        Self::Link,
        Self::Certificate,
        Self::Federated,
        Self::Shares,
        Self::Machine,
        Self::Other,
    ];

    /// The word in `unmapped.via`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Password => "password",
            Self::Token => "token",
            Self::Session => "session",
            Self::Link => "link",
            Self::Certificate => "certificate",
            Self::Federated => "federated",
            Self::Shares => "shares",
            Self::Machine => "machine",
            Self::Other => "other",
        }
    }

    /// OCSF's `auth_protocol_id` and `auth_protocol` of an Authentication event.
    pub(super) const fn protocol(self) -> (u32, &'static str) {
        match self {
            Self::None => (0, "Unknown"),
            Self::Federated => (4, "OpenID"),
            Self::Token => (6, "OAUTH 2.0"),
            Self::Basic => (11, "Basic Authentication"),
            _ => (99, self.name()),
        }
    }

    /// The way with this word.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|via| via.name() == text)
    }
}
