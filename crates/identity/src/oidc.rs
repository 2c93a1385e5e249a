//! Signing in people through another issuer: the authorization code flow of `OpenID` Connect, with PKCE, in pure steps.
//!
//! ```text
//! Discovery::parse   what the issuer's metadata says
//! begin              the URL to send the browser to, and a Pending to seal into a cookie
//! finish             the query it comes back with, checked: the request for tokens, which the caller sends
//! TokenAnswer::parse what came back
//! verify             the id token, checked: its claims go to the federation table
//! ```
//!
//! On machines without a browser people type a code in elsewhere ([`Device`]): [`ask_device`], [`Device::parse`],
//! [`Device::poll`] and [`Polled::parse`] until there is an answer, [`verify_device`].
//!
//! PKCE is always S256 (RFC 7636), `state` and `nonce` are always there, and the browser keeps them sealed.

use boltseal_model::Timestamp;
use url::{Url, form_urlencoded};
use zeroize::Zeroizing;

pub use answer::{TokenAnswer, verify, verify_device};
pub use device::{Device, Polled, ask_device};
pub use discovery::{Discovery, MAX_DISCOVERY};
pub use pending::{PENDING_LIFE, Pending};

use crate::{
    jwt::JwtError,
    primitive::{NoRandomness, same},
    seal::SealError,
    secret::Secret,
};

mod answer;
mod device;
mod discovery;
mod pending;

/// Bytes of a query that a browser comes back with: codes of Entra have about 1.5 KiB.
const MAX_QUERY: usize = 8 << 10;
/// Characters of an error that an issuer gives.
const MAX_CODE: usize = 4 << 10;

/// How we are known to an issuer.
#[derive(Clone, Debug)]
pub struct Client {
    /// Exactly as its metadata and its tokens name it.
    pub issuer: String,
    /// What the issuer calls us.
    pub id: String,
    /// What proves us to the issuer; public clients have none, and PKCE alone.
    pub secret: Option<Secret>,
    /// Where browsers come back to, as registered with the issuer.
    pub redirect: String,
    /// Beside `openid`.
    pub scopes: Vec<String>,
}

/// A request for tokens (RFC 6749 section 4.1.3): a POST of a form.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// Where to.
    pub endpoint: String,
    /// `application/x-www-form-urlencoded`
    pub body: Secret,
    /// The header `Authorization`, where the issuer wants the client's secret there.
    pub authorization: Option<Secret>,
}

/// Why a sign-in did not succeed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OidcError {
    /// The metadata of the issuer is not to be trusted, or of no use.
    #[error("the metadata of {issuer}: {problem}")]
    Discovery {
        /// Whose.
        issuer: String,
        /// What is wrong.
        problem: String,
    },
    /// Our own configuration makes no sense.
    #[error("the sign-in through {issuer} is configured wrongly: {problem}")]
    Client {
        /// With whom.
        issuer: String,
        /// What is wrong.
        problem: String,
    },
    /// The page to return to is not ours.
    #[error("after the sign-in only pages of this server can be opened")]
    ReturnTo,
    /// The browser came back without what we gave it, or too late.
    #[error("this sign-in is not known here, or took longer than ten minutes: begin again")]
    Unknown,
    /// The browser came back with something that does not belong to it.
    #[error("the answer does not belong to this sign-in: {problem}")]
    Answer {
        /// What is wrong.
        problem: String,
    },
    /// The issuer said no.
    #[error("the issuer refused: {error}{}", .description.as_ref().map(|text| format!(" ({text})")).unwrap_or_default())]
    Refused {
        /// Its word for it, such as `access_denied`.
        error: String,
        /// In its words.
        description: Option<String>,
    },
    /// See [`JwtError`].
    #[error("the id token: {0}")]
    IdToken(#[from] JwtError),
    /// See [`NoRandomness`].
    #[error(transparent)]
    Randomness(#[from] NoRandomness),
    /// See [`SealError`].
    #[error(transparent)]
    Seal(#[from] SealError),
}

/// The URL to send the browser to, and what to remember until it comes back. Afterwards it goes to `return_to`, a path
/// of this server.
///
/// # Errors
/// [`OidcError::Client`], [`OidcError::ReturnTo`], [`OidcError::Randomness`]
pub fn begin(
    client: &Client,
    discovery: &Discovery,
    return_to: &str,
    now: Timestamp,
) -> Result<(String, Pending), OidcError> {
    let wrong =
        |problem: &str| OidcError::Client { issuer: client.issuer.clone(), problem: problem.to_owned() };
    if discovery.issuer != client.issuer {
        return Err(wrong("the metadata is of another issuer"));
    }
    let pending = Pending::new(&client.issuer, return_to, now)?;
    let mut url =
        Url::parse(&discovery.authorization_endpoint).map_err(|_| wrong("its endpoint is no URL"))?;
    url.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &client.id)
        .append_pair("redirect_uri", &client.redirect)
        .append_pair("scope", &scope(client))
        .append_pair("state", pending.state())
        .append_pair("nonce", pending.nonce())
        .append_pair("code_challenge", &pending.challenge())
        .append_pair("code_challenge_method", "S256");
    Ok((url.into(), pending))
}

fn scope(client: &Client) -> String {
    let mut scope = String::from("openid");
    for more in client.scopes.iter().filter(|scope| *scope != "openid") {
        scope.push(' ');
        scope.push_str(more);
    }
    scope
}

/// The request for tokens, from the query that the browser came back with.
///
/// # Errors
/// [`OidcError::Unknown`], [`OidcError::Answer`], [`OidcError::Refused`]
pub fn finish(
    client: &Client,
    discovery: &Discovery,
    pending: &Pending,
    query: &str,
    now: Timestamp,
) -> Result<TokenRequest, OidcError> {
    let answer = |problem: &str| OidcError::Answer { problem: problem.to_owned() };
    if pending.issuer() != client.issuer || pending.is_over(now) {
        return Err(OidcError::Unknown);
    }
    if query.len() > MAX_QUERY {
        return Err(answer("it is too long"));
    }
    let state = once(query, "state")?.ok_or_else(|| answer("it has no `state`"))?;
    if !same(state.as_bytes(), pending.state().as_bytes()) {
        return Err(answer("its `state` is another"));
    }
    // Who answered (RFC 9207): an issuer that names itself must be the one that was asked.
    if once(query, "iss")?.is_some_and(|issuer| *issuer != client.issuer) {
        return Err(answer("it comes from another issuer"));
    }
    if let Some(error) = once(query, "error")? {
        let description = once(query, "error_description")?.map(|text| crate::json::shown(&text));
        return Err(OidcError::Refused { error: crate::json::shown(&error), description });
    }
    let code = once(query, "code")?.filter(|code| !code.is_empty() && code.len() <= MAX_CODE);
    let code = code.ok_or_else(|| answer("it has no `code`"))?;
    Ok(token_request(client, discovery, pending, &code))
}

fn token_request(client: &Client, discovery: &Discovery, pending: &Pending, code: &str) -> TokenRequest {
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "authorization_code")
        .append_pair("code", code)
        .append_pair("redirect_uri", &client.redirect)
        .append_pair("code_verifier", pending.verifier());
    request(client, discovery, &discovery.token_endpoint, form)
}

/// A form with what proves us to the issuer (RFC 6749 section 2.3.1).
fn request(
    client: &Client,
    discovery: &Discovery,
    endpoint: &str,
    mut form: form_urlencoded::Serializer<'_, String>,
) -> TokenRequest {
    let mut authorization = None;
    match &client.secret {
        Some(secret) if discovery.secret_in_header => {
            authorization = Some(basic(&client.id, secret));
        }
        Some(secret) => {
            form.append_pair("client_id", &client.id).append_pair("client_secret", secret.expose());
        }
        None => {
            form.append_pair("client_id", &client.id);
        }
    }
    TokenRequest { endpoint: endpoint.to_owned(), body: Secret::new(form.finish()), authorization }
}

/// HTTP Basic, each part form-encoded first (RFC 6749 section 2.3.1).
fn basic(id: &str, secret: &Secret) -> Secret {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let pair = Zeroizing::new(format!("{}:{}", encoded(id), encoded(secret.expose())));
    Secret::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

/// The value of a parameter that may stand there once.
fn once(query: &str, name: &str) -> Result<Option<Zeroizing<String>>, OidcError> {
    let mut values = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
    let first = values.next().map(|(_, value)| Zeroizing::new(value.into_owned()));
    if values.next().is_some() {
        return Err(OidcError::Answer { problem: format!("`{name}` stands there twice") });
    }
    Ok(first)
}
