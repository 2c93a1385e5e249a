//! The distribution API and ACR's, one file per part of them. Here: from a request to the function that answers it.

mod attributes;
mod auth;
mod blobs;
mod body;
mod cached;
mod damaged;
mod lists;
mod locks;
mod manifests;
mod pull;
mod quarantine;
mod referrers;
mod refusals;
mod token;
mod uploads;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::any,
};
use boltseal_audit::Record;
use boltseal_identity::{Action, Caller, Scope, registry_scope::RegistryScopes};
use boltseal_model::Timestamp;
use boltseal_store::{Error as StoreError, Facts};

use crate::{
    Registry,
    endpoints::Line,
    failure::{Code, Failure},
    route::{Named, Query, Route},
};
use auth::Admitted;
pub(crate) use manifests::{Arrival, Held};
pub(crate) use pull::{Holders, key};
pub(crate) use referrers::Entry;
pub use token::EXCHANGED;

const API_VERSION: HeaderName = HeaderName::from_static("docker-distribution-api-version");
const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const OCI_NAMESPACE: HeaderName = HeaderName::from_static("oci-namespace");
const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// What a handler gives back.
type Answer = Result<Response, Failure>;

/// Everything a handler needs to know about a request, its body apart.
struct Call {
    registry: Registry,
    caller: Caller,
    /// What the log will say of it; the handler adds what it is about.
    record: Record,
    parts: Parts,
    query: Query,
}

pub(crate) fn router(registry: Registry) -> Router {
    Router::new()
        .route("/v2", any(serve))
        .route("/v2/", any(serve))
        .route("/v2/{*path}", any(serve))
        .route("/acr/v1/{*path}", any(serve))
        .route("/token", any(token::serve))
        .route("/oauth2/token", any(token::serve))
        .route("/oauth2/exchange", any(token::serve))
        .with_state(registry)
}

async fn serve(State(registry): State<Registry>, request: Request) -> Response {
    let mut response = match dispatch(registry, request).await {
        Ok(response) => response,
        Err(failure) => failure.into_response(),
    };
    let headers = response.headers_mut();
    headers.insert(API_VERSION, HeaderValue::from_static("registry/2.0"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

async fn dispatch(registry: Registry, request: Request) -> Answer {
    let (parts, body) = request.into_parts();
    let route = match Route::parse(parts.uri.path()) {
        Ok(route) => route,
        // Whoever is nobody is not told what is wrong with a path either.
        Err(failure) => {
            auth::identify(&registry, &parts)
                .await
                .map_err(|why| auth::refuse(&registry, &parts, None, &why))?;
            return Err(failure);
        }
    };
    let Some(line) = Line::of(&route, &parts.method) else { return Err(not_allowed(&route, &parts.method)) };
    let (route, namespace) = cached::here(&registry, route, &parts).await?;
    let Admitted { caller, record } = auth::admit(&registry, &parts, &route, line).await?;
    cached::refuse_push(&registry, &route, &parts.method).await?;
    let query = Query::parse(parts.uri.query())?;
    let refusals = refusals::Refusals::of(&registry, &parts.method, &record);
    let call = Call { registry, caller, record, parts, query };
    let answered = answer(call, route, body).await;
    let mut response = refusals.note(answered).await?;
    if let Some(namespace) = namespace {
        response.headers_mut().insert(OCI_NAMESPACE, namespace);
    }
    Ok(response)
}

async fn answer(call: Call, route: Route, body: Body) -> Answer {
    let (get, method) = (matches!(call.parts.method, Method::GET | Method::HEAD), call.parts.method.clone());
    match (route, method) {
        (Route::Ping, _) if get => Ok(StatusCode::OK.into_response()),
        (route, _) if route.is_acr() => call.acr(route, body).await,
        (Route::Catalog, _) if get => call.catalog("/v2/_catalog", lists::PAGE).await,
        (Route::Tags { repository }, _) if get => call.tags(&repository).await,
        (Route::Referrers { repository, digest }, _) if get => call.referrers(&repository, &digest).await,
        (Route::Manifest { repository, reference }, _) if get => {
            call.get_manifest(&repository, &reference).await
        }
        (Route::Manifest { repository, reference }, Method::PUT) => {
            call.put_manifest(repository, reference, body).await
        }
        (Route::Manifest { repository, reference }, Method::DELETE) => match reference {
            Named::Tag(tag) => call.delete_tag(repository, tag).await,
            Named::Digest(digest) => call.delete_manifest(repository, digest).await,
        },
        (Route::Blob { repository, digest }, _) if get => call.get_blob(&repository, &digest).await,
        (Route::Blob { repository, digest }, Method::DELETE) => call.delete_blob(repository, digest).await,
        (Route::Uploads { repository }, Method::POST) => call.start_upload(repository, body).await,
        (Route::Upload { repository, id }, _) if get => call.upload_status(&repository, &id).await,
        (Route::Upload { repository, id }, Method::PATCH) => call.patch_upload(&repository, &id, body).await,
        (Route::Upload { repository, id }, Method::PUT) => call.finish_upload(repository, id, body).await,
        (Route::Upload { repository, id }, Method::DELETE) => call.cancel_upload(&repository, &id).await,
        (route, method) => Err(not_allowed(&route, &method)),
    }
}

fn not_allowed(route: &Route, method: &Method) -> Failure {
    let allowed = Line::allowed(route);
    let message = format!("{method} is not possible here; allowed: {allowed}");
    Failure::new(Code::Unsupported, message).header(header::ALLOW, allowed)
}

impl Call {
    fn header(&self, name: impl axum::http::header::AsHeaderName) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }

    fn is_head(&self) -> bool {
        self.parts.method == Method::HEAD
    }

    /// The facts, whose next change is committed together with what the log says of it.
    fn recording(&self, record: &Record) -> Facts {
        self.registry.0.facts.recording(vec![record.entry()])
    }

    /// Whether the caller may also do this to this repository.
    fn may(&self, repository: &str, action: Action) -> bool {
        self.allows(&self.caller, repository, action)
    }

    /// Whether the caller's principal may, even if this token does not cover it.
    fn principal_may(&self, repository: &str, action: Action) -> bool {
        let wide = Caller { scopes: RegistryScopes::All, ..self.caller.clone() };
        self.allows(&wide, repository, action)
    }

    fn allows(&self, caller: &Caller, repository: &str, action: Action) -> bool {
        let scope = Scope::repository(self.registry.name(), repository);
        scope.is_ok_and(|scope| {
            let authority = &self.registry.0.authority;
            authority.decide(caller, action, &scope, Timestamp::now()).is_granted()
        })
    }
}

/// Runs file work on a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work).await.map_err(Failure::fault)?.map_err(Failure::from)
}

/// Finishes a change, and what must follow it, even when the client goes away in the middle.
async fn uncancelled<T: Send + 'static>(
    change: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(change).await.map_err(Failure::fault)?
}
