//! Federation: which tokens of which issuers prove which principal. One table for everybody.
//!
//! | issuer | subject | claims worth asking for |
//! |---|---|---|
//! | Entra v2, `https://login.microsoftonline.com/TENANT/v2.0` | pairwise, so `*` | `oid` (the object, for ever), `tid`, `roles` |
//! | GitHub Actions, `https://token.actions.githubusercontent.com` | `repo:OWNER/NAME:ref:refs/heads/main`, `repo:OWNER/NAME:environment:ENV` | `repository`, `ref`, `environment`, `job_workflow_ref` |
//! | Kubernetes, the cluster's `--service-account-issuer` | `system:serviceaccount:NAMESPACE:NAME` | `kubernetes.io.namespace`, `kubernetes.io.serviceaccount.name` |
//! | any other OIDC issuer | its choice | its choice |
//!
//! ```
//! use boltseal_identity::federation::Federation;
//!
//! let entry: Federation = serde_json::from_str(
//!     r#"{
//!         "id": "00000000-0000-4000-8000-000000000001",
//!         "issuer": "https://token.actions.githubusercontent.com",
//!         "audience": "boltseal",
//!         "subject": "repo:team/app:*",
//!         "claims": [{ "name": "ref", "pattern": "refs/tags/v*" }],
//!         "principal": "00000000-0000-4000-8000-000000000002"
//!     }"#,
//! )?;
//! assert!(entry.check().is_ok());
//! # Ok::<(), serde_json::Error>(())
//! ```

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

pub use error::{Difference, FederationError, Unmatched};
pub use pattern::{Pattern, PatternError};

use crate::{json::shown, jwt::Claims};

mod error;
mod pattern;

/// Entries of the table.
pub const MAX_FEDERATIONS: usize = 1_000;
/// Conditions of one entry.
pub const MAX_CONDITIONS: usize = 16;
/// Bytes of an issuer, an audience or the name of a claim.
pub const MAX_TEXT: usize = 512;

/// Issuers that sign for everybody in the world: an entry must name whose tokens it means.
const SHARED: &[Shared] = &[
    Shared {
        issuer: "https://token.actions.githubusercontent.com",
        start: "repo:",
        end: '/',
        claims: &[
            "repository",
            "repository_id",
            "repository_owner",
            "repository_owner_id",
            "job_workflow_ref",
            "enterprise_id",
        ],
    },
    Shared {
        issuer: "https://gitlab.com",
        start: "project_path:",
        end: '/',
        claims: &["project_path", "project_id", "namespace_path", "namespace_id"],
    },
];

struct Shared {
    issuer: &'static str,
    /// What a subject starts with, and the character that ends its owner.
    start: &'static str,
    end: char,
    /// Claims that name an owner.
    claims: &'static [&'static str],
}

/// One entry: a token that fits it proves that its bearer is `principal`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Federation {
    /// Names the entry, in the log and in tokens made from it.
    pub id: Uuid,
    /// `iss`, exactly: an `https` URL. Loopback addresses may be `http`.
    pub issuer: String,
    /// `aud` must contain it, exactly.
    pub audience: String,
    /// `sub`
    pub subject: Pattern,
    /// Further claims; every condition must hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub claims: Vec<Condition>,
    /// Who that is.
    pub principal: Uuid,
}

/// What a claim must be. Of a list, one element has to fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The name, or a path such as `kubernetes.io.namespace`.
    pub name: String,
    /// Exactly, or with stars.
    #[serde(flatten)]
    pub wanted: Wanted,
}

/// How a claim is compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Wanted {
    /// The same text, number or truth value, written as text.
    Equals(String),
    /// See [`Pattern`].
    Pattern(Pattern),
}

/// The entry that a verified token fits. Where several do, the one that asks for most: exact subjects first, then more
/// conditions, then the order of the table.
///
/// # Errors
/// [`Unmatched`] names the nearest entry and what was wrong.
pub fn match_token<'a>(table: &'a [Federation], claims: &Claims) -> Result<&'a Federation, Unmatched> {
    let mut best: Option<&Federation> = None;
    let mut nearest: Option<(usize, Uuid, Difference)> = None;
    for entry in table {
        match entry.compare(claims) {
            Ok(()) if best.is_none_or(|best| best.strictness() < entry.strictness()) => best = Some(entry),
            Ok(()) => {}
            Err((depth, difference)) => {
                if nearest.as_ref().is_none_or(|(known, ..)| *known < depth) {
                    nearest = Some((depth, entry.id, difference));
                }
            }
        }
    }
    best.ok_or_else(|| Unmatched { nearest: nearest.map(|(_, id, difference)| (id, difference)) })
}

impl Federation {
    /// Whether the entry may be taken into the table.
    ///
    /// # Errors
    /// See [`FederationError`].
    pub fn check(&self) -> Result<(), FederationError> {
        check_length("issuer", &self.issuer)?;
        check_length("audience", &self.audience)?;
        if self.claims.len() > MAX_CONDITIONS {
            return Err(FederationError::TooMany { found: self.claims.len() });
        }
        for condition in &self.claims {
            check_length("name", &condition.name)?;
            if let Wanted::Equals(text) = &condition.wanted {
                check_length("equals", text)?;
            }
        }
        if !is_issuer(&self.issuer) {
            return Err(FederationError::Issuer { found: shown(&self.issuer) });
        }
        self.check_width()
    }

    fn check_width(&self) -> Result<(), FederationError> {
        let narrow = self.claims.iter().any(|condition| condition.wanted.is_narrow());
        let wide = |remedy: String| Err(FederationError::TooWide { issuer: self.issuer.clone(), remedy });
        if let Some(shared) = SHARED.iter().find(|shared| shared.issuer == self.issuer.trim_end_matches('/'))
        {
            let Shared { start, end, claims, .. } = shared;
            let owner = self.subject.start().strip_prefix(start).and_then(|rest| rest.split_once(*end));
            let by_subject = owner.is_some_and(|(owner, _)| !owner.is_empty());
            let names_owner = |condition: &Condition| {
                claims.contains(&condition.name.as_str()) && condition.wanted.is_narrow()
            };
            if !by_subject && !self.claims.iter().any(names_owner) {
                let claims = claims.join(", ");
                return wide(format!(
                    "start the subject with `{start}OWNER{end}`, or ask for one of {claims}"
                ));
            }
        } else if self.subject.is_anything() && !narrow {
            return wide("name the subject, or ask for a claim that only yours have".to_owned());
        }
        Ok(())
    }

    /// How much the entry asks for.
    fn strictness(&self) -> (bool, usize) {
        (self.subject.is_exact(), self.claims.len())
    }

    /// The first difference, with the number of things that fitted before it.
    fn compare(&self, claims: &Claims) -> Result<(), (usize, Difference)> {
        let differs = |depth, claim: &str, wanted: &str, found: Option<String>| {
            Err((depth, Difference { claim: claim.to_owned(), wanted: wanted.to_owned(), found }))
        };
        if claims.issuer() != self.issuer {
            return differs(0, "iss", &self.issuer, Some(shown(claims.issuer())));
        }
        let audiences = claims.audiences();
        if !audiences.contains(&self.audience.as_str()) {
            return differs(1, "aud", &self.audience, Some(shown(&audiences.join(", "))));
        }
        // A token without a subject is about nobody, even where any subject would do.
        if claims.subject().is_empty() || !self.subject.fits(claims.subject()) {
            return differs(2, "sub", self.subject.as_str(), claims.text("sub").map(shown));
        }
        for (place, condition) in self.claims.iter().enumerate() {
            let found = claims.get(&condition.name);
            if !found.is_some_and(|value| condition.wanted.holds(value)) {
                let found = found.map(|value| shown(&as_text(value).unwrap_or_else(|| value.to_string())));
                return differs(3 + place, &condition.name, condition.wanted.as_str(), found);
            }
        }
        Ok(())
    }
}

impl Wanted {
    fn holds(&self, value: &Value) -> bool {
        if let Value::Array(list) = value {
            return list.iter().any(|element| self.fits(element));
        }
        self.fits(value)
    }

    fn fits(&self, value: &Value) -> bool {
        as_text(value).is_some_and(|text| match self {
            Self::Equals(wanted) => *wanted == text,
            Self::Pattern(pattern) => pattern.fits(&text),
        })
    }

    fn as_str(&self) -> &str {
        match self {
            Self::Equals(text) => text,
            Self::Pattern(pattern) => pattern.as_str(),
        }
    }

    /// Whether some values do not fit.
    fn is_narrow(&self) -> bool {
        match self {
            Self::Equals(_) => true,
            Self::Pattern(pattern) => !pattern.start().is_empty(),
        }
    }
}

/// Texts, numbers and truth values as text; nothing else can be compared.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn check_length(field: &'static str, text: &str) -> Result<(), FederationError> {
    let found = text.len();
    if (1..=MAX_TEXT).contains(&found) { Ok(()) } else { Err(FederationError::Length { field, found }) }
}

/// An URL that keys may be fetched from (`OpenID` Connect Discovery section 3).
pub(crate) fn is_issuer(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| is_secure(&url) && url.query().is_none() && url.fragment().is_none())
}

/// `https`, or `http` on loopback, where nobody listens in between. Never with a user name in it.
pub(crate) fn is_secure(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(url::Host::Ipv4(v4)) => v4.is_loopback(),
        Some(url::Host::Ipv6(v6)) => v6.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let scheme = url.scheme() == "https" || (url.scheme() == "http" && loopback);
    scheme && url.has_host() && url.username().is_empty() && url.password().is_none()
}
