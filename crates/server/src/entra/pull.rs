//! Tokens of workloads to pull images with: what the agent of a node asks for where the file of a group names an identity for a
//! registry.
//!
//! Nothing of the group runs yet, so nothing is asked about its image: the registry gives out what is allowed, and to whom, when
//! it is pulled. What is given here is a refresh token that is good for pulling from one repository, as far as the workload may,
//! and for a short time.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::{HeaderMap, header},
    response::{IntoResponse as _, Response},
};
use boltseal_api::workloads::{Pull, PullToken};
use boltseal_identity::{
    registry_scope::{Actions, RegistryAction, RegistryScope, RegistryScopes},
    token::Kind,
};
use boltseal_model::Reference;

use super::{
    request::audience,
    workload::{no_store, speaks_for, workload},
};
use crate::{
    State,
    admission::setting,
    control::{By, login, read},
    failure::Failure,
    ruling,
};

/// Seconds: an image of many GB over a slow line, and a node that asks for the next token when it asks for the next image.
const LIFE: i64 = 30 * 60;

/// `POST /api/v1/workloads/{name}/pull-token`
pub(crate) async fn serve(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Failure> {
    let asked: Pull = read(request).await?;
    speaks_for(&state, &by, &asked.host, &name).await?;
    let workload = workload(&state, &by, &name, None)?;
    let repository = repository(&state, &asked.image, &headers).await?;
    let actions = [RegistryAction::Pull, RegistryAction::MetadataRead]
        .into_iter()
        .fold(Actions::default(), Actions::with);
    let scope = RegistryScope::repository(&repository, actions)
        .ok_or_else(|| Failure::Asked(format!("`{repository}` is no repository")))?;
    let issued = state
        .access
        .authority()
        .issue(&workload, Kind::Refresh, RegistryScopes::Listed(vec![scope]), LIFE, (state.now)())
        .map_err(|error| Failure::Refused(error.into()))?;
    let record = login::signed_in(&state, &workload, by.source.clone())
        .detail("agent", by.caller.id.to_string())
        .detail("host", asked.host.as_str())
        .detail("group", asked.group.as_str())
        .detail("image", asked.image.as_str())
        .detail("token", issued.claims.id.to_string());
    state.recorder.note(&record).await?;
    let token = PullToken { refresh_token: issued.token.expose().to_owned(), expires_in: LIFE };
    Ok(no_store(Json(token).into_response()))
}

/// The repository of an image of this registry. Of any other one, whoever asks would send the token elsewhere.
async fn repository(state: &State, image: &str, headers: &HeaderMap) -> Result<String, Failure> {
    let image = image
        .parse::<Reference>()
        .map_err(|wrong| Failure::Asked(format!("`image` is no name of an image: {wrong}")))?;
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let registry = image.registry();
    // Another port of this machine is another service, which the token is not for.
    let is_here = port(registry).is_none_or(|port_of| Some(port_of) == port(host));
    let is_called = audience(&format!("https://{registry}"), host, state.access.foreign()).is_some();
    if (is_here && is_called) || ruling::is_ours(state, registry, &setting::registries(state).await) {
        return Ok(image.repository().to_owned());
    }
    Err(Failure::Asked(format!(
        "{registry} is not known as a name of this registry: whoever asks would send the token there; \
         start the server with `--name` for it, or add it to `registries` of its setting for admission"
    )))
}

/// The port in `host:port`.
fn port(authority: &str) -> Option<u16> {
    authority.rsplit_once(':')?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::port;

    #[test]
    fn ports() {
        let of =
            ["registry.example.com", "registry.example.com:5000", "[::1]", "[::1]:5000", "a:b"].map(port);
        assert_eq!(of, [None, Some(5000), None, Some(5000), None]);
    }
}
