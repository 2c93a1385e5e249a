//! Repositories that are a cache of another registry: called by their name there, and not pushed into.

use axum::http::{HeaderValue, Method, header, request::Parts};

use crate::{
    Registry,
    failure::{Code, Failure},
    route::{Query, Route},
};

/// What a client calls by its name in another registry, in `ns`, is called otherwise here (distribution specification,
/// "Registry Proxying"). Gives `ns` back where it made a difference.
pub(super) async fn here(
    registry: &Registry,
    route: Route,
    parts: &Parts,
) -> Result<(Route, Option<HeaderValue>), Failure> {
    let pulls = matches!(parts.method, Method::GET | Method::HEAD) && !matches!(route, Route::Upload { .. });
    let Some(query) = parts.uri.query().filter(|query| pulls && query.contains("ns=")) else {
        return Ok((route, None));
    };
    let query = Query::parse(Some(query))?;
    let (Some(namespace), Some(repository)) = (query.get("ns"), route.repository()) else {
        return Ok((route, None));
    };
    match registry.0.upstreams.here(namespace, repository).await? {
        Some(here) => Ok((route.in_repository(here), HeaderValue::from_str(namespace).ok())),
        // A registry may ignore it, and does not say that it did.
        None => Ok((route, None)),
    }
}

/// Nobody pushes into a cache: the upstream would never have it.
pub(super) async fn refuse_push(registry: &Registry, route: &Route, method: &Method) -> Result<(), Failure> {
    let pushes = match route {
        Route::Manifest { .. } => method == Method::PUT,
        Route::Uploads { .. } => true,
        Route::Upload { .. } => matches!(*method, Method::PATCH | Method::PUT),
        _ => false,
    };
    let Some(repository) = route.repository().filter(|_| pushes) else { return Ok(()) };
    match registry.0.upstreams.of(repository).await? {
        Some(known) => Err(read_only(&known.setting.host, repository)),
        None => Ok(()),
    }
}

fn read_only(host: &str, repository: &str) -> Failure {
    let message =
        format!("{repository} is a cache of {host}: push to another repository, or to {host} itself");
    Failure::new(Code::Unsupported, message).header(header::ALLOW, "GET, HEAD")
}
