//! Who is asking, and the challenge for whoever did not say: RFC 7235, RFC 7617, Docker token authentication.

use axum::http::{HeaderMap, header, request::Parts};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Timestamp;
use boltseal_wire::server::Peer;
use zeroize::Zeroizing;

use super::action;
use crate::{
    Registry,
    failure::{Code, Failure},
    identity::{Access, Action, Scopes},
    route::Route,
};

/// Longer credentials are not ours.
const MAX_BASIC: usize = 1024;

/// The caller, if it may do what it asks for.
pub(super) fn authenticate(
    registry: &Registry,
    parts: &Parts,
    route: Option<&Route>,
) -> Result<Access, Failure> {
    let Some(access) = credentials(registry, &parts.headers) else {
        return Err(challenge(registry, parts, route, None));
    };
    let allowed = match route {
        Some(Route::Catalog) => access.scopes.allow_catalog(),
        Some(route) => {
            route.repository().is_none_or(|name| access.scopes.allow(name, action(route, &parts.method)))
        }
        None => true,
    };
    if allowed { Ok(access) } else { Err(challenge(registry, parts, route, Some("insufficient_scope"))) }
}

/// Name and secret of a Basic header.
pub(super) fn basic(headers: &HeaderMap) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
    let (scheme, encoded) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") || encoded.len() > MAX_BASIC {
        return None;
    }
    let decoded = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (name, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((Zeroizing::new(name.to_owned()), Zeroizing::new(secret.to_owned())))
}

fn credentials(registry: &Registry, headers: &HeaderMap) -> Option<Access> {
    let identity = &registry.0.identity;
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return identity.open_token(token.trim(), Timestamp::now());
    }
    let (name, secret) = basic(headers)?;
    let principal = identity.secret(&name, &secret)?;
    Some(Access { principal, scopes: Scopes::All })
}

/// 401 that tells where a token is to be had, and for what to ask there.
fn challenge(registry: &Registry, parts: &Parts, route: Option<&Route>, error: Option<&str>) -> Failure {
    let service = &registry.0.config.service;
    let mut value = format!("Bearer realm=\"{}/token\",service=\"{service}\"", base_url(registry, parts));
    if let Some(scope) = route.and_then(|route| wanted(route, action(route, &parts.method))) {
        value.push_str(",scope=\"");
        value.push_str(&scope);
        value.push('"');
    }
    if let Some(error) = error {
        value.push_str(",error=\"");
        value.push_str(error);
        value.push('"');
    }
    let message = match error {
        Some(_) => "the token does not cover this: ask for one with the scope of the challenge",
        None => "sign in first: docker login, podman login or skopeo login",
    };
    Failure::new(Code::Unauthorized, message).header(header::WWW_AUTHENTICATE, value)
}

fn wanted(route: &Route, action: Action) -> Option<String> {
    if *route == Route::Catalog {
        return Some("registry:catalog:*".to_owned());
    }
    let actions = match action {
        Action::Pull => "pull",
        Action::Push => "pull,push",
        Action::Delete => "pull,delete",
    };
    route.repository().map(|name| format!("repository:{name}:{actions}"))
}

/// Where this client reaches us: as configured, or else as its own request says.
fn base_url(registry: &Registry, parts: &Parts) -> String {
    if let Some(url) = &registry.0.config.public_url {
        return url.trim_end_matches('/').to_owned();
    }
    let tls = parts.extensions.get::<Peer>().is_some_and(|peer| peer.tls);
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    // A host comes back in a quoted string: nothing but what hosts are made of.
    let clean = |host: &&str| host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b));
    let host = host.filter(clean).unwrap_or("localhost");
    format!("{}://{host}", if tls { "https" } else { "http" })
}
