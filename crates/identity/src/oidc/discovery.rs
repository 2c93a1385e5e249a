//! The metadata of an issuer (`OpenID` Connect Discovery section 3, RFC 8414).

use serde_json::{Map, Value};
use url::Url;

use super::OidcError;
use crate::{
    federation::{is_issuer, is_secure},
    json::{object, shown},
};

/// Bytes of a metadata document; they have about 2 KiB.
pub const MAX_DISCOVERY: usize = 64 << 10;
/// Bytes of an endpoint.
const MAX_URL: usize = 2 << 10;

/// What an issuer says about itself, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The same as the one that was asked for.
    pub issuer: String,
    /// Where browsers sign in.
    pub authorization_endpoint: String,
    /// Where codes become tokens.
    pub token_endpoint: String,
    /// Where devices without a browser ask for a code (RFC 8628), if it does that.
    pub device_authorization_endpoint: Option<String>,
    /// Where its keys are.
    pub jwks_uri: String,
    /// Whether it wants a client's secret in the header, as it does unless it says otherwise.
    pub secret_in_header: bool,
}

impl Discovery {
    /// Where the metadata of `issuer` is.
    ///
    /// # Errors
    /// [`OidcError::Discovery`] where the issuer is not an `https` URL.
    pub fn url(issuer: &str) -> Result<String, OidcError> {
        if !is_issuer(issuer) || issuer.len() > MAX_URL {
            return Err(wrong(issuer, "an issuer is an https URL without query and fragment"));
        }
        Ok(format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
    }

    /// Reads the metadata that was fetched for `issuer`: all that a sign-in needs.
    ///
    /// # Errors
    /// [`OidcError::Discovery`]: it is of another issuer, its endpoints are not `https`, or it cannot do what we need.
    pub fn parse(bytes: &[u8], issuer: &str) -> Result<Self, OidcError> {
        let fields = read(bytes, issuer)?;
        let lacks = |list: &str, word: &str| fields.get(list).is_some_and(|value| !lists(value, word));
        if lacks("response_types_supported", "code") {
            return Err(wrong(issuer, "it does not give codes (`response_types_supported`)"));
        }
        // Many issuers, Entra among them, do S256 without saying so; those that speak must list it.
        if lacks("code_challenge_methods_supported", "S256") {
            return Err(wrong(issuer, "it does not do PKCE with S256 (`code_challenge_methods_supported`)"));
        }
        let device = "device_authorization_endpoint";
        let device = fields.contains_key(device).then(|| endpoint(&fields, device, issuer)).transpose()?;
        Ok(Self {
            issuer: issuer.to_owned(),
            device_authorization_endpoint: device,
            authorization_endpoint: endpoint(&fields, "authorization_endpoint", issuer)?,
            token_endpoint: endpoint(&fields, "token_endpoint", issuer)?,
            jwks_uri: endpoint(&fields, "jwks_uri", issuer)?,
            secret_in_header: !lacks("token_endpoint_auth_methods_supported", "client_secret_basic"),
        })
    }

    /// Where the keys of `issuer` are, by its metadata: all that federation needs. GitHub Actions and Kubernetes sign
    /// nobody in.
    ///
    /// # Errors
    /// [`OidcError::Discovery`]
    pub fn keys_url(bytes: &[u8], issuer: &str) -> Result<String, OidcError> {
        endpoint(&read(bytes, issuer)?, "jwks_uri", issuer)
    }
}

fn read(bytes: &[u8], issuer: &str) -> Result<Map<String, Value>, OidcError> {
    if bytes.len() > MAX_DISCOVERY {
        return Err(wrong(issuer, &format!("{} bytes are more than {MAX_DISCOVERY}", bytes.len())));
    }
    let fields = object(bytes).map_err(|problem| wrong(issuer, &problem))?;
    match fields.get("issuer").and_then(Value::as_str) {
        Some(found) if found == issuer => Ok(fields),
        Some(found) => Err(wrong(issuer, &format!("it is the metadata of `{}`", shown(found)))),
        None => Err(wrong(issuer, "it names no issuer")),
    }
}

fn endpoint(fields: &Map<String, Value>, name: &str, issuer: &str) -> Result<String, OidcError> {
    let text = fields.get(name).and_then(Value::as_str).filter(|text| text.len() <= MAX_URL);
    let text = text.ok_or_else(|| wrong(issuer, &format!("it has no `{name}`")))?;
    let secure = Url::parse(text).is_ok_and(|url| is_secure(&url) && url.fragment().is_none());
    if secure { Ok(text.to_owned()) } else { Err(wrong(issuer, &format!("`{name}` is not an https URL"))) }
}

fn lists(value: &Value, word: &str) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(|known| known == word))
}

fn wrong(issuer: &str, problem: &str) -> OidcError {
    OidcError::Discovery { issuer: shown(issuer), problem: problem.to_owned() }
}
