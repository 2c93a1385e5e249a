//! What a JWT says, once it is believed.

use boltseal_model::Timestamp;
use serde_json::{Map, Value};

use super::{Expected, JwtError, LEEWAY};
use crate::json::shown;

/// Parts of a path into claims; `kubernetes.io.serviceaccount.name` has four.
const MAX_PARTS: usize = 8;
/// Audiences of one token.
const MAX_AUDIENCES: usize = 64;

/// The claims of a token.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims(Map<String, Value>);

impl Claims {
    pub(super) const fn new(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// The claim at a path such as `repository` or `kubernetes.io.namespace`. Names may hold dots themselves, so the
    /// longest name that is there is taken first.
    pub fn get(&self, path: &str) -> Option<&Value> {
        let parts: Vec<&str> = path.splitn(MAX_PARTS + 1, '.').collect();
        if parts.len() > MAX_PARTS { self.0.get(path) } else { descend(&self.0, &parts) }
    }

    /// The text at a path.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.get(path).and_then(Value::as_str)
    }

    /// `iss`
    pub fn issuer(&self) -> &str {
        self.text("iss").unwrap_or_default()
    }

    /// `sub`; empty where there is none.
    pub fn subject(&self) -> &str {
        self.text("sub").unwrap_or_default()
    }

    /// `jti`
    pub fn id(&self) -> Option<&str> {
        self.text("jti")
    }

    /// `exp`, without which no token is believed.
    pub fn expires(&self) -> Option<Timestamp> {
        self.moment("exp").ok().flatten()
    }

    /// `aud`, which may be one text or a list (RFC 7519 section 4.1.3).
    pub fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(one)) => vec![one],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).take(MAX_AUDIENCES).collect(),
            _ => Vec::new(),
        }
    }

    /// All of them.
    pub const fn all(&self) -> &Map<String, Value> {
        &self.0
    }

    pub(super) fn check(&self, expected: &Expected<'_>, now: Timestamp) -> Result<(), JwtError> {
        self.check_is("iss", expected.issuer)?;
        let audiences = self.audiences();
        if !self.0.contains_key("aud") {
            return Err(JwtError::Missing { claim: "aud" });
        }
        if !audiences.iter().any(|audience| expected.audiences.contains(audience)) {
            let found = shown(&audiences.join(", "));
            return Err(JwtError::Claim { claim: "aud", wanted: one_of(expected.audiences), found });
        }
        let now = now.as_second();
        let expires = self.moment("exp")?.ok_or(JwtError::Missing { claim: "exp" })?;
        if expires.as_second().saturating_add(LEEWAY) <= now {
            return Err(JwtError::Expired { at: expires });
        }
        for claim in ["nbf", "iat"] {
            if let Some(at) = self.moment(claim)?.filter(|at| at.as_second() > now.saturating_add(LEEWAY)) {
                return Err(JwtError::NotYet { claim, at });
            }
        }
        Ok(())
    }

    /// That a claim is exactly this text.
    pub(crate) fn check_is(&self, claim: &'static str, wanted: &str) -> Result<(), JwtError> {
        match self.0.get(claim) {
            None => Err(JwtError::Missing { claim }),
            Some(Value::String(found)) if found == wanted => Ok(()),
            Some(found) => {
                let found = found.as_str().map_or_else(|| found.to_string(), str::to_owned);
                Err(JwtError::Claim { claim, wanted: format!("`{wanted}`"), found: shown(&found) })
            }
        }
    }

    /// A `NumericDate` (RFC 7519 section 2): seconds, perhaps with a fraction, which is cut off.
    pub(crate) fn moment(&self, claim: &'static str) -> Result<Option<Timestamp>, JwtError> {
        let Some(value) = self.0.get(claim) else { return Ok(None) };
        let seconds = value.as_i64().or_else(|| value.as_f64().and_then(whole));
        seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()).map(Some).ok_or_else(|| {
            JwtError::Claim {
                claim,
                wanted: "seconds since 1970".to_owned(),
                found: shown(&value.to_string()),
            }
        })
    }
}

/// The seconds of a number with a fraction, where they are a moment at all.
fn whole(seconds: f64) -> Option<i64> {
    /// The year 9999: within what `Timestamp` holds, and exact as `f64`.
    const LAST: f64 = 253_402_300_799.0;
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds just checked")]
    (0.0..=LAST).contains(&seconds).then_some(seconds as i64)
}

fn descend<'a>(map: &'a Map<String, Value>, parts: &[&str]) -> Option<&'a Value> {
    (1..=parts.len()).rev().find_map(|count| {
        let (name, rest) = parts.split_at_checked(count)?;
        let value = map.get(&name.join("."))?;
        if rest.is_empty() { Some(value) } else { descend(value.as_object()?, rest) }
    })
}

fn one_of(texts: &[&str]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| format!("`{text}`")).collect();
    quoted.join(" or ")
}
