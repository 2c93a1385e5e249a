//! Saying who we are: Basic (RFC 7617), and Bearer tokens as registries hand them out (distribution's token
//! authentication specification; RFC 6750).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_wire::client::{Method, Payload, Request};
use serde::Deserialize;
use url::Url;
use zeroize::Zeroizing;

use super::{MAX_ANSWER, Registry, refused};
use crate::{Credentials, Error, error::shown};

/// What a 401 asks for.
#[derive(Debug, PartialEq, Eq)]
pub enum Challenge {
    /// Name and password with every request.
    Basic,
    /// A token from `realm`.
    Bearer { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// Reads `WWW-Authenticate`; of several challenges a token is preferred.
    pub fn parse(header: &str) -> Option<Self> {
        let mut basic = false;
        let mut rest = header.trim_start();
        while !rest.is_empty() {
            let (scheme, after) =
                rest.split_once(|c: char| c.is_whitespace() || c == ',').unwrap_or((rest, ""));
            let (parameters, next) = parameters(after);
            let get = |name: &str| {
                parameters
                    .iter()
                    .find(|(key, _)| key.eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.clone())
            };
            if scheme.eq_ignore_ascii_case("bearer")
                && let Some(realm) = get("realm")
            {
                return Some(Self::Bearer { realm, service: get("service"), scope: get("scope") });
            }
            basic |= scheme.eq_ignore_ascii_case("basic");
            rest = next.trim_start_matches([' ', ',', '\t']);
        }
        basic.then_some(Self::Basic)
    }
}

/// `key=value` or `key="value"`, separated by commas, and what follows: another challenge.
fn parameters(mut text: &str) -> (Vec<(String, String)>, &str) {
    let mut found = Vec::new();
    loop {
        let trimmed = text.trim_start_matches([' ', ',', '\t']);
        let Some((key, after)) = trimmed.split_once('=') else { return (found, trimmed) };
        if key.trim_end().contains([' ', ',', '\t']) {
            return (found, trimmed);
        }
        let (value, next) = value(after.trim_start());
        found.push((key.trim_end().to_owned(), value));
        text = next;
    }
}

fn value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ', '\t']).unwrap_or(text.len());
        let (value, next) = text.split_at(end);
        return (value.to_owned(), next);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, quoted.get(at + 1..).unwrap_or_default()),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

impl Registry {
    /// Answers `challenge` and keeps what to say from now on.
    pub(super) fn authorize(&self, challenge: Option<&Challenge>, what: &str) -> Result<(), Error> {
        let authorization = match challenge {
            Some(Challenge::Basic) => match &self.credentials {
                Some(credentials) => basic(credentials),
                None => return Ok(()), // the second 401 will be told
            },
            Some(Challenge::Bearer { realm, service, scope }) => {
                let token = self.token(realm, service.as_deref(), scope.as_deref())?;
                Zeroizing::new(format!("Bearer {}", token.as_str()))
            }
            None => {
                let why = "answered 401 without saying which login it wants".to_owned();
                return Err(Error::Registry { registry: self.host.clone(), what: shown(what), why });
            }
        };
        if let Ok(mut held) = self.authorization.lock() {
            *held = Some(authorization);
        }
        Ok(())
    }

    fn token(
        &self,
        realm: &str,
        service: Option<&str>,
        scope: Option<&str>,
    ) -> Result<Zeroizing<String>, Error> {
        let fail = |why: String| Error::Registry { registry: self.host.clone(), what: "login".into(), why };
        let mut url =
            Url::parse(realm).map_err(|_| fail(format!("its token address `{}` is none", shown(realm))))?;
        // Who may not speak plain HTTP may not have passwords sent over it.
        if url.scheme() != "https" && self.base.starts_with("https") {
            return Err(fail(format!("its token address `{}` is not https", shown(realm))));
        }
        let pull = format!("repository:{}:pull", self.repository);
        let mut query = vec![("scope", scope.unwrap_or(&pull))];
        query.extend(service.map(|service| ("service", service)));
        let exchanged = self.credentials.as_ref().and_then(|credentials| credentials.identity_token.as_ref());
        let form = exchanged.map(|token| form(&query, token));
        if form.is_none() {
            url.query_pairs_mut().extend_pairs(&query);
        }
        let send = || {
            let request = match &form {
                Some(form) => Request::new(Method::Post, url.as_str())?
                    .header("Content-Type", "application/x-www-form-urlencoded")
                    .payload(Payload::Bytes(form.as_bytes())),
                None => Request::new(Method::Get, url.as_str())?,
            };
            let request = match &self.credentials {
                Some(credentials) if form.is_none() => {
                    request.header("Authorization", basic(credentials).as_str())
                }
                _ => request,
            };
            self.client.send(request)
        };
        let answer = send().map_err(|error| refused(&self.host, "login", &error))?;
        if answer.status() != 200 {
            return Err(self.refusal("login", answer.status(), answer));
        }
        let bytes = answer.bytes(MAX_ANSWER).map_err(|error| refused(&self.host, "login", &error))?;
        let bytes = Zeroizing::new(bytes);
        let token: Token =
            serde_json::from_slice(&bytes).map_err(|_| fail("its token answer is not JSON".into()))?;
        let token = token.token.or(token.access_token).filter(|token| is_header_text(token));
        token.map(Zeroizing::new).ok_or_else(|| fail("its token answer has no token".into()))
    }
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// A refresh of the login that `docker login` left (OAuth 2.0, RFC 6749, section 6).
fn form(query: &[(&str, &str)], refresh: &str) -> Zeroizing<String> {
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("grant_type", "refresh_token").append_pair("refresh_token", refresh);
    form.append_pair("client_id", "boltseal").extend_pairs(query);
    Zeroizing::new(form.finish())
}

fn basic(credentials: &Credentials) -> Zeroizing<String> {
    let pair = Zeroizing::new(format!("{}:{}", credentials.username, credentials.password.as_str()));
    Zeroizing::new(format!("Basic {}", STANDARD.encode(pair.as_bytes())))
}

fn is_header_text(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_challenges() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            let owned = |text: Option<&str>| text.map(str::to_owned);
            Some(Challenge::Bearer { realm: realm.into(), service: owned(service), scope: owned(scope) })
        };
        let full = r#"Bearer realm="https://a/token",service="s, \"q\"",scope="repository:x:pull,push""#;
        for (header, expected) in [
            (full, bearer("https://a/token", Some("s, \"q\""), Some("repository:x:pull,push"))),
            ("bearer realm=https://a", bearer("https://a", None, None)),
            (r#"Basic realm="r", Bearer realm="https://a""#, bearer("https://a", None, None)),
            (r#"Basic realm="Registry""#, Some(Challenge::Basic)),
            ("BASIC", Some(Challenge::Basic)),
            ("Negotiate", None),
            ("Bearer", None),
            ("Bearer realm=\"unclosed", bearer("unclosed", None, None)),
            ("", None),
        ] {
            assert_eq!(Challenge::parse(header), expected, "{header}");
        }
    }
}
