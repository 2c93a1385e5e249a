//! Signing in on another device (RFC 8628), for machines without a browser: people type a short code in elsewhere, and this
//! machine asks again and again whether they did.
//!
//! The code is nobody's who reads it over a shoulder: whoever types it in signs *us* in as themselves, not themselves as us.

use std::time::Duration;

use serde_json::Value;
use url::{Url, form_urlencoded};

use super::{Client, Discovery, OidcError, TokenAnswer, TokenRequest, request, scope};
use crate::{
    federation::is_secure,
    json::{object, shown},
    secret::Secret,
};

/// What is asked with, again and again (section 3.4).
const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Bytes of an answer; they have about 500.
const MAX_ANSWER: usize = 16 << 10;
/// Characters of a device code: some issuers put a token into it.
const MAX_DEVICE_CODE: usize = 4 << 10;
/// Characters that people type in; eight are usual.
const MAX_USER_CODE: usize = 64;
/// Bytes of an address.
const MAX_URL: usize = 2 << 10;
/// How long people may take, whatever the issuer says.
const LONGEST: Duration = Duration::from_mins(30);
/// Between two questions, where the issuer does not say (section 3.2).
const PAUSE: Duration = Duration::from_secs(5);
/// The longest pause that is taken from an issuer.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// A sign-in that has begun.
#[derive(Clone, Debug)]
pub struct Device {
    code: Secret,
    /// What people type in.
    pub user_code: String,
    /// Where they do.
    pub address: String,
    /// The same with the code in it.
    pub whole_address: Option<String>,
    /// How long it can be typed in.
    pub life: Duration,
    /// How long to wait between two questions.
    pub pause: Duration,
}

/// What the issuer says when it is asked whether somebody signed in.
#[derive(Clone, Debug)]
pub enum Polled {
    /// Nobody yet.
    Waiting,
    /// Nobody yet, and it is asked too often: wait [`Polled::SLOWER`] longer from now on.
    TooOften,
    /// Nobody did, and the code is over.
    Over,
    /// Somebody did.
    Done(TokenAnswer),
}

/// The question for a code: a POST of a form (section 3.1).
///
/// # Errors
/// [`OidcError::Discovery`] where the issuer does not do that.
pub fn ask_device(client: &Client, discovery: &Discovery) -> Result<TokenRequest, OidcError> {
    let endpoint = discovery.device_authorization_endpoint.as_ref().ok_or_else(|| OidcError::Discovery {
        issuer: client.issuer.clone(),
        problem: "it signs in no devices without a browser (`device_authorization_endpoint`)".to_owned(),
    })?;
    let mut form = form_urlencoded::Serializer::new(String::new());
    form.append_pair("scope", &scope(client));
    Ok(request(client, discovery, endpoint, form))
}

impl Device {
    /// Reads the answer to [`ask_device`], whatever its status.
    ///
    /// # Errors
    /// [`OidcError::Refused`], [`OidcError::Answer`]
    pub fn parse(body: &[u8]) -> Result<Self, OidcError> {
        let answer = |problem: String| OidcError::Answer { problem };
        if body.len() > MAX_ANSWER {
            return Err(answer(format!("{} bytes are more than {MAX_ANSWER}", body.len())));
        }
        let fields = object(body).map_err(answer)?;
        let text = |name: &str, most: usize| {
            let text = fields.get(name).and_then(Value::as_str);
            text.filter(|text| !text.is_empty() && text.len() <= most)
        };
        if let Some(error) = fields.get("error").and_then(Value::as_str) {
            let description = text("error_description", MAX_ANSWER).map(shown);
            return Err(OidcError::Refused { error: shown(error), description });
        }
        let missing = |name: &str| answer(format!("it has no `{name}`"));
        let code = text("device_code", MAX_DEVICE_CODE).ok_or_else(|| missing("device_code"))?;
        let user_code = text("user_code", MAX_USER_CODE).ok_or_else(|| missing("user_code"))?;
        let address = text("verification_uri", MAX_URL).ok_or_else(|| missing("verification_uri"))?;
        // People open it because we say so.
        let proper = |text: &str| Url::parse(text).ok().filter(is_secure).map(String::from);
        let address =
            proper(address).ok_or_else(|| answer("`verification_uri` is not an https URL".to_owned()))?;
        let seconds = |name: &str| fields.get(name).and_then(Value::as_u64).map(Duration::from_secs);
        Ok(Self {
            code: Secret::new(code.to_owned()),
            user_code: shown(user_code),
            address,
            whole_address: text("verification_uri_complete", MAX_URL).and_then(proper),
            life: seconds("expires_in").ok_or_else(|| missing("expires_in"))?.min(LONGEST),
            pause: seconds("interval").unwrap_or(PAUSE).clamp(Duration::from_secs(1), LONGEST_PAUSE),
        })
    }

    /// The question whether somebody signed in (section 3.4).
    pub fn poll(&self, client: &Client, discovery: &Discovery) -> TokenRequest {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("grant_type", GRANT).append_pair("device_code", self.code.expose());
        request(client, discovery, &discovery.token_endpoint, form)
    }
}

impl Polled {
    /// How much longer to wait each time (section 3.5).
    pub const SLOWER: Duration = Duration::from_secs(5);

    /// Reads the answer to [`Device::poll`], whatever its status.
    ///
    /// # Errors
    /// [`OidcError::Refused`], [`OidcError::Answer`]
    pub fn parse(body: &[u8]) -> Result<Self, OidcError> {
        match TokenAnswer::parse(body) {
            Ok(answer) => Ok(Self::Done(answer)),
            Err(OidcError::Refused { error, .. }) if error == "authorization_pending" => Ok(Self::Waiting),
            Err(OidcError::Refused { error, .. }) if error == "slow_down" => Ok(Self::TooOften),
            Err(OidcError::Refused { error, .. }) if error == "expired_token" => Ok(Self::Over),
            Err(wrong) => Err(wrong),
        }
    }
}
