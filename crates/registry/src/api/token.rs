//! `/token`, `/oauth2/token`, `/oauth2/exchange`: credentials for tokens.
//!
//! - Docker token authentication: GET with Basic, or with nothing for what everybody may pull; POST as OAuth 2 with a
//!   password or a refresh token (distribution, "Token Authentication Specification" and its `OAuth2` form).
//! - ACR's flow: `/oauth2/exchange` turns an access token into a refresh token, which a client then gives as the secret
//!   of the user `00000000-0000-0000-0000-000000000000`.

use axum::{
    Form, Json,
    extract::{FromRequest as _, Request, State},
    http::{HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Subject},
};
use boltseal_flow::access;
use boltseal_identity::{
    Caller,
    authority::Refused,
    registry_scope::{RegistryScope, RegistryScopes},
    token::Kind,
};
use boltseal_model::Timestamp;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Answer,
    auth::{NOBODY, basic, prove, refuse, source},
};
use crate::{
    Registry,
    failure::{Code, Failure},
    route::Query,
};

/// Audiences of access tokens that `/oauth2/exchange` takes besides our own: what Azure's clients ask theirs for.
pub const EXCHANGED: [&str; 2] = ["https://containerregistry.azure.net", "https://management.azure.com"];

pub(super) async fn serve(State(registry): State<Registry>, request: Request) -> Response {
    let exchange = request.uri().path() == "/oauth2/exchange";
    let answer = match *request.method() {
        Method::GET if !exchange => get(&registry, request).await,
        Method::POST => post(&registry, request, exchange).await,
        _ => Err(Failure::new(Code::Unsupported, "GET or POST").header(header::ALLOW, "GET, POST")),
    };
    let mut response = answer.unwrap_or_else(IntoResponse::into_response);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn get(registry: &Registry, request: Request) -> Answer {
    let (parts, _) = request.into_parts();
    let query = Query::parse(parts.uri.query())?;
    let caller = match basic(&parts.headers) {
        Some((name, secret)) => {
            prove(registry, &parts, name, secret).await.map_err(|why| wrong(registry, &parts, &why))?
        }
        None if parts.headers.contains_key(header::AUTHORIZATION) => return Err(refused()),
        None => Caller::anonymous(),
    };
    let offline = query.get("offline_token") == Some("true") && !caller.is_anonymous();
    access_token(registry, &parts, &caller, query.all("scope"), offline).await
}

async fn post(registry: &Registry, request: Request, exchange: bool) -> Answer {
    let (parts, body) = request.into_parts();
    let form =
        Form::<Vec<(String, String)>>::from_request(Request::from_parts(parts.clone(), body), &()).await;
    let Form(fields) = form.map_err(|e| Failure::new(Code::Unsupported, e.to_string()).status(e.status()))?;
    let fields = fields.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect::<Vec<_>>();
    let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone());
    let (grant, now) = (field("grant_type"), Timestamp::now());
    let grant = grant.as_ref().map_or("", |grant| grant.as_str());
    if exchange {
        if grant != "access_token" {
            return Err(not_offered(grant, "access_token"));
        }
        let token = field("access_token").ok_or_else(refused)?;
        let caller = exchanged(registry, &token, now).map_err(|why| wrong(registry, &parts, &why))?;
        return refresh_token(registry, &parts, &caller).await;
    }
    let (caller, offline) = match grant {
        "password" => {
            let (Some(name), Some(secret)) = (field("username"), field("password")) else {
                return Err(refused());
            };
            let caller = prove(registry, &parts, name, secret).await;
            let offline = field("access_type").is_some_and(|kind| *kind == "offline");
            (caller, offline)
        }
        "refresh_token" => {
            let token = field("refresh_token").ok_or_else(refused)?;
            let name = Zeroizing::new(NOBODY.to_owned());
            (prove(registry, &parts, name, token).await, false)
        }
        other => return Err(not_offered(other, "password, refresh_token")),
    };
    let caller = caller.map_err(|why| wrong(registry, &parts, &why))?;
    let scopes = fields.iter().filter(|(name, _)| name == "scope").map(|(_, value)| value.as_str());
    access_token(registry, &parts, &caller, scopes, offline).await
}

/// Whose access token this is: ours, or one that was made for a resource of Azure.
fn exchanged(registry: &Registry, token: &str, now: Timestamp) -> Result<Caller, Refused> {
    let authority = &registry.0.authority;
    let own = authority.token(token, Kind::Access, now);
    EXCHANGED.iter().fold(own, |found, audience| match found {
        Ok(caller) => Ok(caller),
        Err(why) => authority.token_for(audience, token, Kind::Access, now).map_err(|_| why),
    })
}

async fn access_token<'a>(
    registry: &Registry,
    parts: &Parts,
    caller: &Caller,
    asked: impl Iterator<Item = &'a str>,
    offline: bool,
) -> Answer {
    let (authority, now) = (&registry.0.authority, Timestamp::now());
    let asked = RegistryScope::parse_all(asked);
    let wanted = shown(&asked);
    let granted = authority.grant(caller, asked, registry.name(), now);
    let given = shown(&granted);
    let life = Kind::Access.life();
    let issued = authority
        .issue(caller, Kind::Access, RegistryScopes::Listed(granted), life, now)
        .map_err(Failure::fault)?;
    let record = record(registry, parts, caller, now)
        .detail("asked", wanted.clone())
        .detail("granted", given.clone())
        .detail("token", issued.claims.id.to_string());
    let record = if wanted == given {
        record.outcome(Outcome::Success)
    } else {
        record.outcome(Outcome::Denied).status(format!("asked for {wanted}, may have {}", or_nothing(&given)))
    };
    registry.note(&record).await?;
    let mut answer = json!({
        "token": issued.token.expose(),
        "access_token": issued.token.expose(),
        "token_type": "Bearer",
        "expires_in": life,
        "issued_at": issued.claims.issued.to_string(),
        "scope": given,
    });
    if offline {
        let refresh = authority
            .issue(caller, Kind::Refresh, RegistryScopes::All, Kind::Refresh.life(), now)
            .map_err(Failure::fault)?;
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("refresh_token".to_owned(), refresh.token.expose().into());
        }
    }
    Ok(Json(answer).into_response())
}

async fn refresh_token(registry: &Registry, parts: &Parts, caller: &Caller) -> Answer {
    let now = Timestamp::now();
    let issued = registry
        .0
        .authority
        .issue(caller, Kind::Refresh, RegistryScopes::All, Kind::Refresh.life(), now)
        .map_err(Failure::fault)?;
    let record = record(registry, parts, caller, now)
        .detail("kind", Kind::Refresh.word())
        .detail("token", issued.claims.id.to_string())
        .outcome(Outcome::Success);
    registry.note(&record).await?;
    Ok(Json(json!({ "refresh_token": issued.token.expose() })).into_response())
}

fn record(registry: &Registry, parts: &Parts, caller: &Caller, now: Timestamp) -> Record {
    Record::new(now, Activity::Issue, "Boltseal/tokens/issue/action")
        .actor(access::actor(caller))
        .source(source(parts))
        .subject(Subject::new(format!("/registries/{}", registry.name())))
}

fn shown(scopes: &[RegistryScope]) -> String {
    scopes.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn or_nothing(scopes: &str) -> &str {
    if scopes.is_empty() { "nothing of that" } else { scopes }
}

fn wrong(registry: &Registry, parts: &Parts, why: &Refused) -> Failure {
    match why {
        Refused::Wait { .. } | Refused::Busy | Refused::CodeNeeded => refuse(registry, parts, None, why),
        _ => refused(),
    }
}

fn not_offered(found: &str, offered: &str) -> Failure {
    let found: String = found.chars().take(40).collect();
    let message = format!("grant_type `{found}` is not offered here: use {offered}");
    Failure::new(Code::Unsupported, message).status(StatusCode::BAD_REQUEST)
}

fn refused() -> Failure {
    Failure::new(Code::Unauthorized, "name or secret is wrong")
        .header(header::WWW_AUTHENTICATE, "Basic realm=\"boltseal\",charset=\"UTF-8\"")
}
