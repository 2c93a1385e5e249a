//! Who is asking, may they, and the challenge for whoever did not say: RFC 7235, RFC 7617, Docker token authentication.

use axum::http::{HeaderMap, header, request::Parts};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_audit::{
    Record,
    record::{Activity, Door, Outcome, Source, Subject},
};
use boltseal_flow::access::{self, Deed, Needs};
use boltseal_identity::{
    Action, Authority, Caller, Scope,
    authority::{Refused, Via},
    registry_scope::RegistryScopes,
    token::Kind,
};
use boltseal_model::Timestamp;
use boltseal_wire::server::Peer;
use zeroize::Zeroizing;

use crate::{
    Registry,
    endpoints::Line,
    failure::{Code, Failure},
    route::{Query, Route, repository},
};

/// Longer credentials are not ours: a name, and a refresh token in the place of the secret.
const MAX_BASIC: usize = 16 << 10;
/// The user name that says that the secret is a refresh token, as ACR has it.
pub(super) const NOBODY: &str = "00000000-0000-0000-0000-000000000000";
/// Characters of a `User-Agent` that are recorded.
const MAX_AGENT: usize = 256;

/// Somebody who may do what they ask for, and what the log will say of it.
pub(super) struct Admitted {
    pub(super) caller: Caller,
    pub(super) record: Record,
}

/// The caller, if it may do what it asks for.
pub(super) async fn admit(
    registry: &Registry,
    parts: &Parts,
    route: &Route,
    line: &Line,
) -> Result<Admitted, Failure> {
    let caller = match identify(registry, parts).await {
        Ok(caller) => caller,
        Err(refused) => return Err(refuse(registry, parts, scope_for(parts, route, line), &refused)),
    };
    let challenge = |error| challenge(registry, parts, scope_for(parts, route, line), error);
    let (now, source) = (Timestamp::now(), source(parts));
    let plain = |activity, action: &str, scope: &str| {
        let record = Record::new(now, activity, action).actor(access::actor(&caller));
        record.source(source.clone()).subject(Subject::new(scope)).outcome(Outcome::Success)
    };
    let action = match line.needs {
        // Whoever brings nothing learns here where tokens are to be had.
        Needs::SignedIn | Needs::Filtered(_) if caller.via == Via::Nothing => {
            return Err(challenge(None));
        }
        Needs::Nothing(_) | Needs::SignedIn => {
            let record = plain(line.activity, "Boltseal/registry/ping", "/");
            return Ok(Admitted { caller, record });
        }
        Needs::Filtered(action) => {
            let scope = route.scope(registry.name()).unwrap_or_else(Scope::root);
            if let RegistryScopes::Listed(_) = &caller.scopes
                && route.repository().is_none()
                && !caller.scopes.allow_catalog()
            {
                return Err(challenge(Some("insufficient_scope")));
            }
            let record = plain(line.activity, action.name(), scope.as_str());
            return Ok(Admitted { caller, record });
        }
        Needs::Action(action) => action,
    };
    let record = permit(registry, parts, &caller, route, line, action).await?;
    Ok(Admitted { caller, record })
}

/// What the log will say of something that the caller may do where the request is about.
pub(super) async fn permit(
    registry: &Registry,
    parts: &Parts,
    caller: &Caller,
    route: &Route,
    line: &Line,
    action: Action,
) -> Result<Record, Failure> {
    let challenge = |error| challenge(registry, parts, scope_for(parts, route, line), error);
    let (now, source) = (Timestamp::now(), source(parts));
    let scope = route.scope(registry.name()).ok_or_else(|| {
        Failure::new(Code::NameInvalid, "the repository name cannot be the name of a scope")
    })?;
    let authority = &registry.0.authority;
    // The token may be too narrow for what its principal may do: then another one helps.
    let wide = Caller { scopes: RegistryScopes::All, ..caller.clone() };
    let deed = Deed { caller: &wide, source, activity: line.activity, action, scope: scope.clone() };
    match access::decide(authority, deed, now) {
        Ok(record) if caller.covers(action, &scope) => Ok(record),
        Ok(_) => Err(challenge(Some("insufficient_scope"))),
        Err(_) if caller.is_anonymous() => Err(challenge(None)),
        Err(missing) => {
            registry.note(&missing.record).await?;
            // The same words whether the repository exists or not.
            Err(Failure::new(Code::Denied, missing.sentence))
        }
    }
}

/// Whoever sent the request: by its header, or nobody.
pub(super) async fn identify(registry: &Registry, parts: &Parts) -> Result<Caller, Refused> {
    let Some(value) = parts.headers.get(header::AUTHORIZATION) else { return Ok(Caller::anonymous()) };
    let (now, authority) = (Timestamp::now(), &registry.0.authority);
    let bearer = value
        .to_str()
        .ok()
        .and_then(|text| text.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    if let Some((_, token)) = bearer {
        return authority.token(token.trim(), Kind::Access, now);
    }
    let (name, secret) = basic(&parts.headers).ok_or(Refused::Wrong)?;
    prove(registry, parts, name, secret).await
}

/// The principal with this name and secret, or of this refresh token. A wrong one goes into the log.
pub(super) async fn prove(
    registry: &Registry,
    parts: &Parts,
    name: Zeroizing<String>,
    secret: Zeroizing<String>,
) -> Result<Caller, Refused> {
    let (now, authority) = (Timestamp::now(), registry.0.authority.clone());
    if *name == NOBODY {
        return authority.token(&secret, Kind::Refresh, now);
    }
    let source = source(parts);
    let from = source.address.unwrap_or(std::net::IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));
    let asked = Zeroizing::new(name.to_string());
    let check = move |authority: Authority| authority.secret(&asked, &secret, None, from, now);
    let outcome = if authority.is_slow(&name) {
        let work = tokio::task::spawn_blocking(move || check(authority));
        work.await.unwrap_or(Err(Refused::Busy))
    } else {
        check(authority)
    };
    if let Err(refused) = &outcome
        && !matches!(refused, Refused::Wait { .. } | Refused::Busy)
    {
        note_failure(registry, source, &name, refused).await;
    }
    outcome.map(|proved| proved.caller)
}

/// A failed attempt, under the name that was tried. Nobody is let in whether it can be written or not.
async fn note_failure(registry: &Registry, source: Source, name: &str, refused: &Refused) {
    let record = Record::new(Timestamp::now(), Activity::SignIn, "Boltseal/signIn/action")
        .actor(access::actor(&Caller::anonymous()))
        .source(source)
        .subject(Subject::new("/").name(name.chars().take(64).collect::<String>()))
        .outcome(Outcome::Failure)
        .status(refused.to_string());
    if let Err(error) = registry.0.facts.append(vec![record.entry()]).await {
        tracing::error!(%error, "a failed sign-in could not be recorded");
    }
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

/// Where a request came from, for the log.
pub(super) fn source(parts: &Parts) -> Source {
    let source = match parts.extensions.get::<Peer>() {
        Some(Peer { address, tls: true }) => Source::https(address.ip(), address.port()),
        Some(Peer { address, tls: false }) => Source::plain(address.ip(), address.port()),
        None => Source::new(Door::Local),
    };
    match parts.headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()) {
        Some(agent) => source.agent(agent.chars().take(MAX_AGENT).collect::<String>()),
        None => source,
    }
}

/// What somebody hears whose credentials are not good.
pub(super) fn refuse(
    registry: &Registry,
    parts: &Parts,
    scope: Option<String>,
    refused: &Refused,
) -> Failure {
    match refused {
        Refused::Wait { seconds } => Failure::new(Code::TooManyRequests, refused.to_string())
            .header(header::RETRY_AFTER, seconds.to_string()),
        Refused::Busy => {
            Failure::new(Code::TooManyRequests, refused.to_string()).header(header::RETRY_AFTER, "1")
        }
        Refused::CodeNeeded => Failure::new(
            Code::Unauthorized,
            "this user has a second factor: run `boltseal login`, and give the client what `boltseal token` prints",
        ),
        _ => challenge(registry, parts, scope, Some("invalid_token")),
    }
}

/// 401 that tells where a token is to be had, and for what to ask there.
fn challenge(registry: &Registry, parts: &Parts, scope: Option<String>, error: Option<&str>) -> Failure {
    let service = registry.0.authority.audience();
    let mut value =
        format!("Bearer realm=\"{}/oauth2/token\",service=\"{service}\"", base_url(registry, parts));
    if let Some(scope) = scope {
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
        Some("insufficient_scope") => {
            "the token does not cover this: ask for one with the scope of the challenge"
        }
        Some(_) => "name or secret is wrong, or the token is over: sign in again",
        None => "sign in first: docker login, podman login or skopeo login",
    };
    Failure::new(Code::Unauthorized, message).header(header::WWW_AUTHENTICATE, value)
}

/// Asks for a token with these scopes too, from whoever may have one.
pub(super) fn too_narrow(registry: &Registry, parts: &Parts, scope: String) -> Failure {
    challenge(registry, parts, Some(scope), Some("insufficient_scope"))
}

/// The scope of the token that a request needs. A mount needs to pull where it mounts from, so that clients which ask
/// for what the challenge says get a token that is wide enough.
fn scope_for(parts: &Parts, route: &Route, line: &Line) -> Option<String> {
    if matches!(route, Route::Catalog | Route::AcrCatalog) {
        return Some("registry:catalog:*".to_owned());
    }
    let actions = match line.needs {
        Needs::Action(Action::ContentWrite) => "pull,push",
        Needs::Action(Action::ContentDelete) => "pull,delete",
        Needs::Action(Action::MetadataWrite) | Needs::Filtered(Action::MetadataWrite) => "metadata_write",
        _ if route.is_acr() => "metadata_read",
        _ => "pull",
    };
    let mut scope = format!("repository:{}:{actions}", route.repository()?);
    if let Route::Uploads { .. } = route {
        let query = Query::parse(parts.uri.query()).unwrap_or_default();
        let source = query.get("mount").and_then(|_| query.get("from"));
        if let Some(source) = source.and_then(|name| repository(name).ok()) {
            scope.push_str(" repository:");
            scope.push_str(&source);
            scope.push_str(":pull");
        }
    }
    Some(scope)
}

/// Where this client reaches us: as configured, or else as its own request says.
pub(super) fn base_url(registry: &Registry, parts: &Parts) -> String {
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
