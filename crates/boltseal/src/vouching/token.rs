//! Tokens in which an issuer says who somebody is (`OpenID` Connect Core 1.0, section 2), and where runners of CI have them.
//!
//! | where | how |
//! |---|---|
//! | anywhere, and GitLab's `id_tokens` | the variable `SIGSTORE_ID_TOKEN` |
//! | GitHub Actions with `id-token: write` | asked for at `ACTIONS_ID_TOKEN_REQUEST_URL` |
//! | Azure Pipelines | asked for at `SYSTEM_OIDCREQUESTURI` |

use std::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use boltseal_model::Timestamp;
use boltseal_wire::client::{Method, Request, Response};
use serde::Deserialize;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{Services, check_private, failed, json, strange};
use crate::exit::Failure;

/// Whom tokens are for: what every authority of sigstore is called.
const AUDIENCE: &str = "sigstore";
/// Bytes of a token. Those with hundreds of groups have some 20 kB.
const MAX_TOKEN: usize = 64 << 10;
/// Seconds by which clocks may differ, as everywhere.
const LEEWAY: i64 = boltseal_identity::jwt::LEEWAY;
const SERVICE: &str = "the issuer of identity tokens";

/// How programs that nobody sits at get a token.
pub const TOKENS_NEXT: &str = "give --identity-token FILE, or set SIGSTORE_ID_TOKEN; in GitHub Actions the job needs the permission \
                               `id-token: write`, in Azure Pipelines the step needs SYSTEM_ACCESSTOKEN";

/// Reads variables of the environment.
type Environment<'e> = &'e dyn Fn(&str) -> Option<String>;

/// A token. It cannot be printed.
pub struct IdentityToken {
    text: Zeroizing<String>,
    subject: String,
}

/// What an authority will look at, which checks it; here it only says what to prove.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    #[serde(default)]
    email: Option<String>,
    /// Some issuers write it as text.
    #[serde(default)]
    email_verified: Value,
    /// Seconds since 1970, perhaps with a fraction.
    #[serde(default)]
    exp: Option<f64>,
}

impl IdentityToken {
    /// Reads one (RFC 7519, section 3); white space around it is none of it.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let text = text.trim();
        if text.len() > MAX_TOKEN {
            return Err(unusable("it is longer than any token"));
        }
        let mut parts = text.split('.');
        let (Some(_), Some(claims), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(unusable("it has not the three parts of a JWT"));
        };
        let claims = URL_SAFE_NO_PAD.decode(claims).map(Zeroizing::new);
        let claims = claims.map_err(|_| unusable("its claims are not base64"))?;
        let claims: Claims = serde_json::from_slice(&claims)
            .map_err(|_| unusable("its claims are no JSON with a subject (`sub`)"))?;
        // An authority says only that something is wrong; builds outlive their tokens, so this is what mostly is.
        if let Some(end) = claims.exp.and_then(ended) {
            return Err(unusable(&format!("it ended at {end}")).next("get a new one just before signing"));
        }
        let verified = match &claims.email_verified {
            Value::Bool(verified) => *verified,
            Value::String(text) => text == "true",
            _ => false,
        };
        let subject = match claims.email.filter(|email| !email.is_empty()) {
            Some(email) if verified => email,
            Some(_) => return Err(unusable("its issuer has not verified the address in it")),
            None => claims.sub,
        };
        Ok(Self { text: Zeroizing::new(text.to_owned()), subject })
    }

    /// Whom it names.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    pub(super) fn expose(&self) -> &str {
        &self.text
    }
}

/// When a token with this end was over, if it is.
fn ended(end: f64) -> Option<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "a moment that does not fit is none")]
    let end = Timestamp::from_second(end as i64).ok()?;
    (end.as_second().saturating_add(LEEWAY) < Timestamp::now().as_second()).then_some(end)
}

fn unusable(why: &str) -> Failure {
    Failure::usage(format_args!("the identity token cannot be used: {why}"))
}

impl fmt::Debug for IdentityToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdentityToken")
    }
}

impl Services {
    /// The token that the runner here has or is given, if it is one of those known.
    pub fn ambient(&self, environment: Environment<'_>) -> Result<Option<IdentityToken>, Failure> {
        let there = |name: &str| environment(name).filter(|value| !value.is_empty());
        if let Some(token) = there("SIGSTORE_ID_TOKEN").map(Zeroizing::new) {
            return IdentityToken::parse(&token).map(Some);
        }
        if let (Some(address), Some(secret)) =
            (there("ACTIONS_ID_TOKEN_REQUEST_URL"), there("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
        {
            let with = if address.contains('?') { '&' } else { '?' };
            let address = format!("{address}{with}audience={AUDIENCE}");
            return self.ask(Method::Get, &address, secret, "value").map(Some);
        }
        if let (Some(address), Some(secret)) = (there("SYSTEM_OIDCREQUESTURI"), there("SYSTEM_ACCESSTOKEN")) {
            let connection = there("AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")
                .map(|id| format!("&serviceConnectionId={id}"))
                .unwrap_or_default();
            let address = format!("{address}?api-version=7.1{connection}");
            return self.ask(Method::Post, &address, secret, "oidcToken").map(Some);
        }
        Ok(None)
    }

    /// Asks a runner's service for a token, which is the text `field` of its answer.
    fn ask(
        &self,
        method: Method,
        address: &str,
        secret: String,
        field: &str,
    ) -> Result<IdentityToken, Failure> {
        check_private(address)?;
        let secret = Zeroizing::new(secret);
        let wire = |wrong| failed(SERVICE, &wrong);
        let request = Request::new(method, address)
            .map_err(Failure::usage)?
            .header("Authorization", format!("Bearer {}", *secret))
            .header("Content-Type", "application/json")
            .header("Accept", "application/json");
        let answer: Response = self.client.send(request).map_err(wire)?;
        let answer = json(SERVICE, address, answer)?;
        let token = answer.get(field).and_then(Value::as_str);
        let token = token
            .ok_or_else(|| strange(SERVICE, address, &format!("there is no `{field}` in its answer")))?;
        IdentityToken::parse(token)
    }
}
