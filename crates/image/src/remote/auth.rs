//! Saying who we are: Basic (RFC 7617), and Bearer tokens as registries hand them out (distribution's token
//! authentication specification; RFC 6750).

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_wire::client::{Method, Payload, Request};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::{
    Challenge, Error, Inner,
    error::{MAX_ANSWER, Refusal},
};
use crate::{Credentials, error::shown};

/// Seconds a token is good for where the registry does not say (token specification).
const DEFAULT_LIFE: u64 = 60;
/// A token that ends sooner than this is not used any more: a request takes its time to arrive.
const MARGIN: Duration = Duration::from_secs(10);
/// Tokens held at once. A walk over a registry asks for one per repository.
const MAX_TOKENS: usize = 256;

/// Who we are at one registry, and what it gave us for that.
pub(super) struct Login {
    credentials: Option<Credentials>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    /// Whether it wants name and password with every request.
    basic: bool,
    /// Where its tokens come from.
    issuer: Option<Issuer>,
    /// By scope.
    tokens: BTreeMap<String, Token>,
}

#[derive(Clone)]
struct Issuer {
    realm: String,
    service: Option<String>,
}

struct Token {
    value: Zeroizing<String>,
    until: Instant,
}

impl Login {
    pub(super) fn new(credentials: Option<Credentials>) -> Self {
        Self { credentials, held: Mutex::default() }
    }

    pub(super) const fn is_known(&self) -> bool {
        self.credentials.is_some()
    }

    /// A panic elsewhere leaves at worst an old token here.
    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// What to say for `scopes`, as far as is known; a token is fetched where it is known from whom.
    pub(super) fn authorization(&self, scopes: &[String]) -> Result<Option<Zeroizing<String>>, Error> {
        let issuer = {
            let held = self.login.held();
            if held.basic {
                return Ok(self.login.credentials.as_ref().map(basic));
            }
            let token = held.tokens.get(&key(scopes)).filter(|token| token.until > Instant::now());
            if let Some(token) = token {
                return Ok(Some(bearer(&token.value)));
            }
            held.issuer.clone()
        };
        match issuer {
            Some(issuer) => self.token(&issuer, scopes, None).map(Some),
            None => Ok(None),
        }
    }

    /// Answers `challenge`; what to say from now on for `scopes`, or nothing where there is nothing to say.
    pub(super) fn answer(
        &self,
        challenge: Option<Challenge>,
        scopes: &[String],
        what: &str,
    ) -> Result<Option<Zeroizing<String>>, Error> {
        match challenge {
            Some(Challenge::Basic) => {
                self.login.held().basic = true;
                Ok(self.login.credentials.as_ref().map(basic))
            }
            Some(Challenge::Bearer { realm, service, scope }) => {
                let issuer = Issuer { realm, service };
                self.login.held().issuer = Some(issuer.clone());
                self.token(&issuer, scopes, scope.as_deref()).map(Some)
            }
            None => Err(Error::answer(&self.host, what, "answered 401 without saying which login it wants")),
        }
    }

    /// Fetches a token and keeps it.
    fn token(
        &self,
        issuer: &Issuer,
        scopes: &[String],
        challenged: Option<&str>,
    ) -> Result<Zeroizing<String>, Error> {
        let url = self.token_address(&issuer.realm)?;
        // What the registry asks for beyond what we want is its affair to know.
        let more = challenged.into_iter().flat_map(|text| text.split(' '));
        let more = more.filter(|scope| !scope.is_empty() && !scopes.iter().any(|ours| covers(ours, scope)));
        let wanted: Vec<&str> = scopes.iter().map(String::as_str).chain(more).collect();
        let token = self.fetch(url, issuer.service.as_deref(), &wanted)?;
        let authorization = bearer(&token.value);
        let mut held = self.login.held();
        if held.tokens.len() >= MAX_TOKENS {
            held.tokens.clear();
        }
        held.tokens.insert(key(scopes), token);
        Ok(authorization)
    }

    fn token_address(&self, realm: &str) -> Result<Url, Error> {
        let fail = |why: String| Error::answer(&self.host, "login", why);
        let url =
            Url::parse(realm).map_err(|_| fail(format!("its token address `{}` is none", shown(realm))))?;
        // Who may not speak plain HTTP may not have passwords sent over it.
        if url.scheme() != "https" && self.base.scheme() == "https" {
            return Err(fail(format!("its token address `{}` is not https", shown(realm))));
        }
        Ok(url)
    }

    fn fetch(&self, mut url: Url, service: Option<&str>, scopes: &[&str]) -> Result<Token, Error> {
        let fail = |why: &str| Error::answer(&self.host, "login", why);
        let credentials = self.login.credentials.as_ref();
        let refresh = credentials.and_then(|credentials| credentials.identity_token.as_ref());
        let form = refresh.map(|token| form(scopes, service, token));
        if form.is_none() {
            let mut query = url.query_pairs_mut();
            query.extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
            query.extend_pairs(service.map(|service| ("service", service)));
        }
        let send = || {
            let request = match &form {
                Some(form) => Request::new(Method::Post, url.as_str())?
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .payload(Payload::Bytes(form.as_bytes())),
                None => Request::new(Method::Get, url.as_str())?,
            };
            let request = match credentials {
                Some(credentials) if form.is_none() => {
                    request.header("Authorization", basic(credentials).as_str())
                }
                _ => request,
            };
            self.client.send(request)
        };
        let asked = Instant::now();
        let answer = send().map_err(|source| Error::unreachable(&self.host, "login", source))?;
        if answer.status() != 200 {
            let refusal = Box::new(Refusal::read(answer, self.login.is_known()));
            return Err(Error::Refused { registry: self.host.clone(), what: "login".into(), refusal });
        }
        let bytes =
            answer.bytes(MAX_ANSWER).map_err(|source| Error::unreachable(&self.host, "login", source))?;
        let bytes = Zeroizing::new(bytes);
        let written: Written =
            serde_json::from_slice(&bytes).map_err(|_| fail("its token answer is not JSON"))?;
        let life = Duration::from_secs(written.expires_in.unwrap_or(DEFAULT_LIFE).clamp(1, 24 * 60 * 60));
        let token = written.token.or(written.access_token).filter(|token| is_header_text(token));
        let value = token.ok_or_else(|| fail("its token answer has no token"))?;
        Ok(Token { value, until: asked + life.saturating_sub(MARGIN) })
    }
}

#[derive(Deserialize)]
struct Written {
    token: Option<Zeroizing<String>>,
    access_token: Option<Zeroizing<String>>,
    expires_in: Option<u64>,
}

/// Scopes have no line breaks.
fn key(scopes: &[String]) -> String {
    scopes.join("\n")
}

/// Whether a token for `ours` allows all of `theirs`: the same thing, and every action.
fn covers(ours: &str, theirs: &str) -> bool {
    let split = |scope: &'_ str| {
        scope.rsplit_once(':').map(|(thing, actions)| (thing.to_owned(), actions.to_owned()))
    };
    match (split(ours), split(theirs)) {
        (Some((ours, may)), Some((theirs, must))) => {
            ours == theirs && must.split(',').all(|action| may.split(',').any(|ours| ours == action))
        }
        _ => ours == theirs,
    }
}

/// A refresh of the login that `docker login` left (OAuth 2.0, RFC 6749, section 6).
fn form(scopes: &[&str], service: Option<&str>, refresh: &str) -> Zeroizing<String> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", refresh);
    form.append_pair("client_id", "boltseal").append_pair("scope", &scopes.join(" "));
    form.extend_pairs(service.map(|service| ("service", service)));
    Zeroizing::new(form.finish())
}

fn basic(credentials: &Credentials) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{}:{}", credentials.username, credentials.password.as_str()));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

fn bearer(token: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("Bearer {token}"))
}

fn is_header_text(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_that_cover_others() {
        for (ours, theirs, expected) in [
            ("repository:a:pull,push", "repository:a:pull", true),
            ("repository:a:pull", "repository:a:pull,push", false),
            ("repository:a:pull", "repository:b:pull", false),
            ("registry:catalog:*", "registry:catalog:*", true),
            ("x", "x", true),
            ("x", "y", false),
        ] {
            assert_eq!(covers(ours, theirs), expected, "{ours} {theirs}");
        }
    }
}
