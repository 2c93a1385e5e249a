//! Client credentials for an access token.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use boltseal_identity::{
    Caller, PrincipalKind, assertion::ASSERTION_TYPE, registry_scope::RegistryScopes, token::Kind,
};
use boltseal_wire::server::Peer;
use serde_json::json;
use zeroize::Zeroizing;

use super::{
    Tenant,
    refusal::Refusal,
    request::{Form, audience},
};
use crate::{
    State,
    control::{By, login},
    foreign::{ForeignError, address, named},
    guard,
};

/// Bytes of a form: an assertion has 16 KiB at most.
const MAX_FORM: usize = 64 << 10;

/// `POST /{tenant}/oauth2/v2.0/token`, `POST /{tenant}/oauth2/token`
pub(crate) async fn serve(
    From(state): From<State>,
    by: By,
    Path(tenant): Path<String>,
    request: Request,
) -> Response {
    let mut response = match answer(&state, by, &tenant, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn answer(state: &State, by: By, tenant: &str, request: Request) -> Result<Response, Refusal> {
    let tls = request.extensions().get::<Peer>().is_some_and(|peer| peer.tls);
    let tenant = Tenant::of(state, tenant, request.uri(), request.headers(), tls)?;
    let body = axum::body::to_bytes(request.into_body(), MAX_FORM).await;
    let body = body.map_err(|_| Refusal::request("The request is too long."))?;
    let form = Form::parse(&body)?;
    if form.need("grant_type")?.as_str() != "client_credentials" {
        return Err(Refusal::grant());
    }
    let client = form.need("client_id")?;
    let resource = form.resource()?;
    let audience = audience(&resource, &tenant.host, state.access.foreign()).ok_or_else(Refusal::resource)?;
    let caller = match (form.get("client_secret"), form.get("client_assertion")) {
        (Some(secret), None) => by_secret(state, &by, client, secret).await?,
        (None, Some(assertion)) => {
            if form.need("client_assertion_type")?.as_str() != ASSERTION_TYPE {
                return Err(Refusal::request("The parameter `client_assertion_type` is not known here."));
            }
            by_assertion(state, &by, &tenant, client, assertion).await?
        }
        (Some(_), Some(_)) => return Err(Refusal::request("A client proves itself in one way, not in two.")),
        (None, None) => return Err(Refusal::lacks("client_secret or client_assertion")),
    };
    if !matches!(caller.kind, PrincipalKind::ServicePrincipal | PrincipalKind::Workload) {
        login::refused(
            state,
            by.source,
            &caller.name,
            "only service principals and workloads get tokens this way",
        )
        .await;
        return Err(Refusal::kind());
    }
    let (life, now) = (Kind::Access.life(), (state.now)());
    let issued = state
        .access
        .authority()
        .issue_for(&audience, &caller, Kind::Access, RegistryScopes::All, life, now)
        .map_err(|error| {
            tracing::error!(%error, "a token could not be made");
            Refusal::fault()
        })?;
    let record = login::signed_in(state, &caller, by.source)
        .detail("tenant", tenant.name.clone())
        .detail("audience", audience)
        .detail("token", issued.claims.id.to_string());
    state.recorder.note(&record).await.map_err(|error| {
        tracing::error!(%error, "a sign-in could not be recorded");
        Refusal::fault()
    })?;
    Ok(Json(json!({
        "token_type": "Bearer",
        "expires_in": life,
        "ext_expires_in": life,
        "expires_on": issued.claims.expires.as_second().to_string(),
        "resource": resource,
        "access_token": issued.token.expose(),
    }))
    .into_response())
}

async fn by_secret(
    state: &State,
    by: &By,
    client: &str,
    secret: &Zeroizing<String>,
) -> Result<Caller, Refusal> {
    // Clients of Entra know themselves by number.
    let directory = state.access.authority().directory();
    let name = named(&directory, client).map_or_else(|| client.to_owned(), |found| found.name.to_string());
    Ok(guard::prove(state, by.source.clone(), Zeroizing::new(name), secret.clone(), None).await?)
}

async fn by_assertion(
    state: &State,
    by: &By,
    tenant: &Tenant,
    client: &str,
    assertion: &str,
) -> Result<Caller, Refusal> {
    let (foreign, authority, now) = (state.access.foreign(), state.access.authority(), (state.now)());
    let from = address(&by.source);
    let seconds = authority.wait(client, from, now);
    if seconds > 0 {
        return Err(Refusal::later(seconds));
    }
    // What a client signed for a server of another name proves nothing here, even if somebody brings it here.
    let by_our_name = foreign.is_called(&tenant.host);
    let endpoints = tenant.token_endpoints();
    let own: Vec<&str> = endpoints.iter().filter(|_| by_our_name).map(String::as_str).collect();
    let error = match foreign.asserted(authority, client, assertion, &own, now).await {
        Ok(caller) => return Ok(caller),
        Err(ForeignError::Assertion(_)) if !by_our_name => ForeignError::Name(tenant.host.clone()),
        Err(error) => error,
    };
    login::refused(state, by.source.clone(), client, &error.to_string()).await;
    if error.is_ours() {
        return Err(Refusal::fault());
    }
    authority.failed(client, from, now);
    Err(match error {
        ForeignError::Token(why) => Refusal::assertion(&why.to_string()),
        _ => Refusal::client(),
    })
}
