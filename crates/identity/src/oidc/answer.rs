//! The answer to a request for tokens, and the id token in it (`OpenID` Connect Core sections 3.1.3.3, 3.1.3.7).

use aws_lc_rs::digest;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;
use jsonwebtoken::Algorithm;
use serde_json::Value;

use super::{Client, OidcError, Pending};
use crate::{
    json::{object, shown},
    jwks::Jwks,
    jwt::{Claims, Expected, JwtError, Unverified, Verified},
    primitive::same,
    secret::Secret,
};

/// Bytes of an answer: three tokens.
const MAX_ANSWER: usize = 64 << 10;

/// What an issuer gave for a code.
#[derive(Clone, Debug)]
pub struct TokenAnswer {
    /// Who signed in: to be verified.
    pub id_token: Secret,
    /// For the issuer's own services; used here only to check that it belongs to the id token.
    pub access_token: Option<Secret>,
}

impl TokenAnswer {
    /// Reads the body of an answer, whatever its status.
    ///
    /// # Errors
    /// [`OidcError::Refused`] where it is an error, [`OidcError::Answer`] where it is nothing known.
    pub fn parse(body: &[u8]) -> Result<Self, OidcError> {
        let answer = |problem: String| OidcError::Answer { problem };
        if body.len() > MAX_ANSWER {
            return Err(answer(format!("{} bytes are more than {MAX_ANSWER}", body.len())));
        }
        let fields = object(body).map_err(answer)?;
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        if let Some(error) = text("error") {
            let description = text("error_description").map(shown);
            return Err(OidcError::Refused { error: shown(error), description });
        }
        let id_token = text("id_token").ok_or_else(|| answer("it has no `id_token`".to_owned()))?;
        let access_token = text("access_token").map(|token| Secret::new(token.to_owned()));
        Ok(Self { id_token: Secret::new(id_token.to_owned()), access_token })
    }
}

/// Believes the id token: it is signed by the issuer, for us, for this sign-in.
///
/// # Errors
/// [`OidcError::Unknown`], [`OidcError::IdToken`]
pub fn verify(
    client: &Client,
    keys: &Jwks,
    pending: &Pending,
    answer: &TokenAnswer,
    now: Timestamp,
) -> Result<Claims, OidcError> {
    if pending.issuer() != client.issuer || pending.is_over(now) {
        return Err(OidcError::Unknown);
    }
    let claims = believed(client, keys, answer, now)?;
    let nonce = claims.text("nonce").ok_or(JwtError::Missing { claim: "nonce" })?;
    if !same(nonce.as_bytes(), pending.nonce().as_bytes()) {
        let wanted = "the one of this sign-in".to_owned();
        return Err(JwtError::Claim { claim: "nonce", wanted, found: "another".to_owned() }.into());
    }
    Ok(claims)
}

/// Believes the id token that [`Device::poll`](super::Device::poll) got. It came on our own connection, and no browser was
/// sent anywhere that could have come back with another one's: there is no nonce in it (RFC 8628).
///
/// # Errors
/// [`OidcError::IdToken`]
pub fn verify_device(
    client: &Client,
    keys: &Jwks,
    answer: &TokenAnswer,
    now: Timestamp,
) -> Result<Claims, OidcError> {
    believed(client, keys, answer, now)
}

/// That the id token is signed by the issuer, for us, and belongs to the access token.
fn believed(client: &Client, keys: &Jwks, answer: &TokenAnswer, now: Timestamp) -> Result<Claims, OidcError> {
    let token = Unverified::parse(answer.id_token.expose())?;
    let expected = Expected { issuer: &client.issuer, audiences: &[&client.id] };
    let Verified { claims, algorithm } = token.verify(keys, &expected, now)?;
    for claim in ["sub", "iat"] {
        if claims.get(claim).is_none() {
            return Err(JwtError::Missing { claim }.into());
        }
    }
    // Who the token was given to, where it is for several or says so.
    if claims.audiences().len() > 1 || claims.get("azp").is_some() {
        claims.check_is("azp", &client.id)?;
    }
    if let (Some(hash), Some(access)) = (claims.get("at_hash"), &answer.access_token) {
        let wanted = at_hash(algorithm, access.expose());
        if !hash.as_str().is_some_and(|hash| same(hash.as_bytes(), wanted.as_bytes())) {
            let wanted = "that of the access token".to_owned();
            return Err(JwtError::Claim { claim: "at_hash", wanted, found: "another".to_owned() }.into());
        }
    }
    Ok(claims)
}

/// The left half of the digest that belongs to the signature (`OpenID` Connect Core section 3.1.3.6).
fn at_hash(algorithm: Algorithm, access_token: &str) -> String {
    let kind = match algorithm {
        Algorithm::RS384 | Algorithm::PS384 | Algorithm::ES384 => &digest::SHA384,
        Algorithm::RS512 | Algorithm::PS512 | Algorithm::EdDSA => &digest::SHA512,
        _ => &digest::SHA256,
    };
    let digest = digest::digest(kind, access_token.as_bytes());
    let half = digest.as_ref().get(..digest.as_ref().len() / 2).unwrap_or_default();
    URL_SAFE_NO_PAD.encode(half)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `OpenID` Connect Core appendix A.3.
    #[test]
    fn at_hash_is_that_of_the_specification() {
        let access_token = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y";
        assert_eq!(at_hash(Algorithm::RS256, access_token), "77QmUPtjPfzWtF2AnpK9RQ");
    }
}
