//! Who can ask: people, programs, groups of them, and tokens for a few repositories.

use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};

use boltseal_model::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

use crate::{Credentials, PrincipalId};

/// Bytes of a name: it stands in tables, logs and user names of registries.
pub const MAX_NAME: usize = 64;
/// Characters of a display name.
pub const MAX_DISPLAY: usize = 256;

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PrincipalKind {
    /// A person, with a password or from another issuer.
    User,
    /// A program with secrets or certificates of its own.
    ServicePrincipal,
    /// Others, who have what it has.
    Group,
    /// A program that proves itself with somebody else's tokens.
    Workload,
    /// A registry token: it may do what its scope map says, and nothing else.
    Token,
}

impl PrincipalKind {
    /// The word for people.
    pub const fn word(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ServicePrincipal => "service principal",
            Self::Group => "group",
            Self::Workload => "workload",
            Self::Token => "token",
        }
    }
}

/// The name of a principal: 1 to [`MAX_NAME`] of letters, digits and `. _ @ -`, not starting with `-`.
///
/// All kinds share one space of names, in which case does not matter, so that nobody can be mistaken for another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(Arc<str>);

/// Why a text is not the name of a principal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}`: a name has 1 to {MAX_NAME} of letters, digits and . _ @ - and does not start with `-`")]
pub struct NameError {
    /// The text, shortened.
    pub found: String,
}

impl Name {
    /// As written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is compared: case does not matter.
    pub(crate) fn key(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    pub(crate) fn shared(&self) -> Arc<str> {
        Arc::clone(&self.0)
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"._@-".contains(&b);
        let length = (1..=MAX_NAME).contains(&text.len());
        if length && !text.starts_with('-') && text.bytes().all(allowed) {
            Ok(Self(text.into()))
        } else {
            Err(NameError { found: text.chars().filter(|c| !c.is_control()).take(MAX_NAME).collect() })
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// Somebody who can ask.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// Never used for anybody else, even after deletion.
    pub id: PrincipalId,
    /// What it is.
    pub kind: PrincipalKind,
    /// What it is called in logs and when it signs in.
    pub name: Name,
    /// What people read; may be empty.
    #[serde(default)]
    pub display: String,
    /// Whether it may do nothing, whatever it was given.
    #[serde(default)]
    pub disabled: bool,
    /// Tokens of an older epoch are refused: one step ends all sessions.
    #[serde(default)]
    pub epoch: u32,
    /// When it was made.
    pub created: Timestamp,
    /// Of a group, who is in it: principals and other groups.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub members: BTreeSet<PrincipalId>,
    /// Of a token, the name of its scope map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope_map: Option<String>,
    /// How it proves who it is. They leave this crate only for the store.
    #[serde(default)]
    pub credentials: Credentials,
}

impl Principal {
    /// A principal without credentials, members or rights.
    pub fn new(id: PrincipalId, kind: PrincipalKind, name: Name) -> Self {
        Self {
            id,
            kind,
            name,
            display: String::new(),
            disabled: false,
            epoch: 0,
            created: Timestamp::UNIX_EPOCH,
            members: BTreeSet::new(),
            scope_map: None,
            credentials: Credentials::default(),
        }
    }

    /// The principals that are in every directory.
    pub(crate) fn well_known() -> Vec<Self> {
        [
            (PrincipalId::ANONYMOUS, PrincipalKind::Group, "anonymous", "Everybody, signed in or not"),
            (PrincipalId::AUTHENTICATED, PrincipalKind::Group, "authenticated", "Everybody who signed in"),
            (PrincipalId::SYSTEM, PrincipalKind::Workload, "system", "The server itself"),
            (PrincipalId::BREAK_GLASS, PrincipalKind::User, "break-glass", "An emergency session"),
        ]
        .into_iter()
        .map(|(id, kind, name, display)| {
            let display = display.to_owned();
            Self { display, ..Self::new(id, kind, Name(name.into())) }
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (text, good) in [
            ("ada", true),
            ("ada@example.com", true),
            ("CI_1.a-b", true),
            ("-rf", false),
            ("", false),
            ("a b", false),
            ("ä", false),
            ("a/b", false),
            ("a\n", false),
        ] {
            assert_eq!(text.parse::<Name>().is_ok(), good, "{text:?}");
        }
        assert!(
            "x".repeat(MAX_NAME).parse::<Name>().is_ok() && "x".repeat(MAX_NAME + 1).parse::<Name>().is_err()
        );
    }
}
