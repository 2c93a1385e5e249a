//! What a token says.

use std::fmt;

use boltseal_model::Timestamp;
use uuid::Uuid;

use crate::registry_scope::RegistryScopes;

/// What a token is for. One kind is never accepted for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Sent with requests: registry, API, vaults.
    Access,
    /// Exchanged for access tokens, as ACR's `/oauth2/exchange` gives.
    Refresh,
    /// In the cookie of the dashboard.
    Session,
    /// In a one-time sign-in link.
    Link,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 4] = [Self::Access, Self::Refresh, Self::Session, Self::Link];

    /// Seconds that one lives unless the settings say otherwise.
    pub const fn life(self) -> i64 {
        match self {
            // Long enough for a push over a slow line between two requests, short enough to be forgotten.
            Self::Access => 30 * 60,
            // ACR's refresh tokens live three hours.
            Self::Refresh => 3 * 3600,
            // A working day; idle ones end sooner, which the server counts.
            Self::Session => 12 * 3600,
            // Long enough to walk to another machine, short enough to be lost in a log.
            Self::Link => 15 * 60,
        }
    }

    /// The most seconds that one may live: revocation by id has to remember it so long.
    pub const fn longest_life(self) -> i64 {
        match self {
            Self::Access | Self::Link => 3600,
            Self::Session => 12 * 3600,
            Self::Refresh => 7 * 24 * 3600,
        }
    }

    /// For people and the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
            Self::Session => "session",
            Self::Link => "link",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How a principal proved who it is. Tokens made from tokens keep it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    /// Nobody signed in.
    Anonymous,
    /// A password alone.
    Password,
    /// A password and a one-time password.
    PasswordAndTotp,
    /// A password and a recovery code.
    PasswordAndRecovery,
    /// A secret of a service principal: which.
    Secret(Uuid),
    /// A client assertion, signed by a registered certificate (RFC 7523).
    Certificate,
    /// A token of another issuer: by which entry of the federation table.
    Federation(Uuid),
    /// A one-time link.
    Link,
    /// A quorum of break-glass shares.
    Shares,
    /// A container that runs as a workload, for which the agent of its node asked: which agent.
    Node(Uuid),
}

impl Method {
    /// For people and the log.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::Password => "password",
            Self::PasswordAndTotp => "password and one-time password",
            Self::PasswordAndRecovery => "password and recovery code",
            Self::Secret(_) => "secret",
            Self::Certificate => "certificate",
            Self::Federation(_) => "federation",
            Self::Link => "one-time link",
            Self::Shares => "break-glass shares",
            Self::Node(_) => "the agent of its node",
        }
    }
}

/// Names one token, for the log and for revoking it. Random.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; 16]);

impl TokenId {
    /// From the bytes that [`TokenId::bytes`] gave.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes.
    pub const fn bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenId({self})")
    }
}

/// What to write into a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What the token is for.
    pub kind: Kind,
    /// Who.
    pub principal: Uuid,
    /// The principal's epoch: the caller refuses a token with another.
    pub epoch: u32,
    /// How that was proven.
    pub method: Method,
    /// Where the token is good: the registry's service name, the resource of a vault.
    pub audience: String,
    /// What it allows in a registry.
    pub scopes: RegistryScopes,
}

/// What a genuine token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Names this token.
    pub id: TokenId,
    /// When it was made, in whole seconds.
    pub issued: Timestamp,
    /// The first moment at which it is void, in whole seconds.
    pub expires: Timestamp,
    /// What it is for, and whose it is.
    pub grant: Grant,
}

impl Claims {
    /// Whether it was issued before the principal's epoch moved on: then it is void.
    pub const fn is_outdated(&self, epoch: u32) -> bool {
        self.grant.epoch != epoch
    }

    /// Seconds left at `now`; 0 where it has expired.
    pub fn seconds_left(&self, now: Timestamp) -> i64 {
        self.expires.as_second().saturating_sub(now.as_second()).max(0)
    }
}
