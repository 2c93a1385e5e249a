//! Tokens of workloads, for containers that run as them: what the agent of a node asks for when a container asks it.
//!
//! The agent knows from the kernel which container asks; this server knows whether the agent may speak for the node and for
//! the workload, and whether the image is allowed now. So a token is given only if all of that holds, whatever was true when
//! the container was started.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use boltseal_api::workloads::{Asked, Token};
use boltseal_identity::{
    Action, Caller, PrincipalId, PrincipalKind, Scope, registry_scope::RegistryScopes, token::Kind,
    token::Method,
};
use boltseal_model::{Digest, DigestError, Reference};

use super::request::audience;
use crate::{
    State,
    admission::setting,
    control::{By, login, read},
    failure::Failure,
    guard, ruling,
};

/// `POST /api/v1/workloads/{name}/token`
pub(crate) async fn serve(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Failure> {
    let asked: Asked = read(request).await?;
    speaks_for(&state, &by, &asked.host, &name).await?;
    let workload = workload(&state, &by, &name, asked.client_id.as_deref())?;
    allowed(&state, &asked).await?;
    let token = issued(&state, &by, &workload, &asked, &headers).await?;
    Ok(no_store(Json(token).into_response()))
}

/// Refused where whoever asks may not speak for the node, or not for the workload. Of nodes, it speaks for that one alone.
pub(super) async fn speaks_for(state: &State, by: &By, host: &str, name: &str) -> Result<(), Failure> {
    let scope = |path: &[&str]| Scope::root().below(path).map_err(|wrong| Failure::Asked(wrong.to_string()));
    for (action, scope) in [
        (Action::AuditIngest, scope(&["hosts", host])?),
        (Action::WorkloadToken, scope(&["workloads", name])?),
    ] {
        guard::may(state, &by.caller, &by.source, action, &scope).await?;
    }
    Ok(())
}

/// An answer that nobody keeps on the way.
pub(super) fn no_store(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

/// The workload of this name, as who somebody is, if the agent may say so.
pub(super) fn workload(state: &State, by: &By, name: &str, wanted: Option<&str>) -> Result<Caller, Failure> {
    let authority = state.access.authority();
    let directory = authority.directory();
    let missing = || Failure::missing("workload", name);
    let found = directory.principal_named(name).filter(|found| found.kind == PrincipalKind::Workload);
    // The server itself is a workload, too, and nobody's.
    let found = found.filter(|found| found.id != PrincipalId::SYSTEM).ok_or_else(missing)?;
    let is_it = |wanted: &str| {
        wanted.eq_ignore_ascii_case(found.name.as_str()) || wanted.eq_ignore_ascii_case(&found.id.to_string())
    };
    if !wanted.is_none_or(is_it) {
        return Err(missing());
    }
    authority.caller(found.id, Method::Node(by.caller.id.0)).ok_or_else(missing)
}

/// Whether the image of the container is allowed now.
async fn allowed(state: &State, asked: &Asked) -> Result<(), Failure> {
    let digest: Digest =
        asked.digest.parse().map_err(|wrong: DigestError| Failure::Asked(wrong.to_string()))?;
    let image = asked.image.parse::<Reference>();
    let image = image.map_err(|wrong| Failure::Asked(format!("`image` is no name of an image: {wrong}")))?;
    let image = image.pinned(digest);
    let registries = setting::registries(state).await;
    let found = ruling::of_reference(state, &image, &registries).await?;
    if found.ruling.passes() {
        return Ok(());
    }
    Err(Failure::Denied(format!("no token for a container of {image}: {}", found.ruling.why)))
}

/// The token, recorded before it is given.
async fn issued(
    state: &State,
    by: &By,
    workload: &Caller,
    asked: &Asked,
    headers: &HeaderMap,
) -> Result<Token, Failure> {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let audience = audience(&asked.resource, host, state.access.foreign()).ok_or_else(|| {
        Failure::Asked(
            "the resource is not of this server: ask for its own address, or for \
             https://containerregistry.azure.net"
                .to_owned(),
        )
    })?;
    let (life, now) = (Kind::Access.life(), (state.now)());
    let issued = state
        .access
        .authority()
        .issue_for(&audience, workload, Kind::Access, RegistryScopes::All, life, now)
        .map_err(|error| Failure::Refused(error.into()))?;
    let record = login::signed_in(state, workload, by.source.clone())
        .detail("agent", by.caller.id.to_string())
        .detail("host", asked.host.as_str())
        .detail("group", asked.group.as_str())
        .detail("container", asked.container.as_str())
        .detail("image", asked.digest.as_str())
        .detail("audience", audience)
        .detail("token", issued.claims.id.to_string());
    state.recorder.note(&record).await?;
    Ok(Token {
        access_token: issued.token.expose().to_owned(),
        client_id: workload.id.to_string(),
        expires_in: life,
        expires_on: issued.claims.expires.as_second(),
        resource: asked.resource.clone(),
    })
}
