//! The endpoints of Entra ID that its client libraries need, so that they work with this server unmodified and offline.
//!
//! | path | what |
//! |---|---|
//! | `/{tenant}/v2.0/.well-known/openid-configuration`, `/adfs/.well-known/…` | where everything is |
//! | `/{tenant}/discovery/v2.0/keys` | keys of tokens that others verify |
//! | `/common/discovery/instance` | that this server is its own cloud |
//! | `/{tenant}/oauth2/v2.0/token`, `/{tenant}/oauth2/token` | client credentials for an access token |
//! | `/api/v1/workloads/{name}/token` | the same for a container that runs as a workload: its node's agent asks |
//! | `/api/v1/workloads/{name}/pull-token` | to pull the images of such containers with |
//!
//! The tenant is a number made at the first start, or `adfs`: with that word MSAL asks nobody else whether we are to be
//! trusted. What is given is a token of ours, opaque to the client, as Entra's are.

pub(crate) mod pull;
mod refusal;
mod request;
pub(crate) mod token;
pub(crate) mod workload;

use axum::{
    Json,
    extract::{Path, State as From},
    http::{HeaderMap, Uri, header},
    response::{IntoResponse, Response},
};
use boltseal_wire::server::Peer;
use serde_json::json;

use crate::State;

use refusal::Refusal;

/// The tenant for which MSAL asks no other server.
const ADFS: &str = "adfs";

/// A tenant that is served here, and how clients reach it.
struct Tenant {
    /// As clients write it.
    name: String,
    /// Scheme, host and port, as in the request.
    base: String,
    /// Host and port.
    host: String,
}

impl Tenant {
    fn of(state: &State, name: &str, uri: &Uri, headers: &HeaderMap, tls: bool) -> Result<Self, Refusal> {
        let name = name.to_ascii_lowercase();
        if name != ADFS && name != state.access.foreign().tenant.to_string() {
            return Err(Refusal::tenant());
        }
        let host = uri.authority().map(axum::http::uri::Authority::as_str);
        let host = host.or_else(|| headers.get(header::HOST)?.to_str().ok()).unwrap_or("localhost");
        // It comes back in answers: nothing but what hosts are made of.
        if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b)) {
            return Err(Refusal::request("the header Host is no host"));
        }
        let scheme = if tls { "https" } else { "http" };
        Ok(Self { name, base: format!("{scheme}://{host}"), host: host.to_owned() })
    }

    fn issuer(&self) -> String {
        let version = if self.name == ADFS { "" } else { "/v2.0" };
        format!("{}/{}{version}", self.base, self.name)
    }

    /// Where tokens are to be had, in both versions of the path.
    fn token_endpoints(&self) -> [String; 2] {
        ["oauth2/v2.0/token", "oauth2/token"].map(|path| format!("{}/{}/{path}", self.base, self.name))
    }
}

/// Over what a request came.
fn is_tls(peer: Option<&axum::Extension<Peer>>) -> bool {
    peer.is_some_and(|peer| peer.tls)
}

/// `GET /{tenant}/v2.0/.well-known/openid-configuration`, and without the version (`OpenID` Connect Discovery section 3).
pub(crate) async fn metadata(
    From(state): From<State>,
    Path(tenant): Path<String>,
    peer: Option<axum::Extension<Peer>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let tenant = Tenant::of(&state, &tenant, &uri, &headers, is_tls(peer.as_ref()));
    let tenant = tenant.map_err(IntoResponse::into_response)?;
    let [second, first] = tenant.token_endpoints();
    let root = format!("{}/{}", tenant.base, tenant.name);
    Ok(Json(json!({
        "issuer": tenant.issuer(),
        "authorization_endpoint": format!("{root}/oauth2/v2.0/authorize"),
        "token_endpoint": if tenant.name == ADFS { first } else { second },
        "jwks_uri": format!("{root}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "grant_types_supported": ["client_credentials"],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid"],
    }))
    .into_response())
}

/// `GET /{tenant}/discovery/v2.0/keys` (RFC 7517).
pub(crate) async fn keys(
    From(state): From<State>,
    Path(tenant): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    Tenant::of(&state, &tenant, &uri, &headers, true).map_err(IntoResponse::into_response)?;
    Ok(Json(state.access.authority().keys().jwks()).into_response())
}

/// `GET /common/discovery/instance`: MSAL's question whether a host is a cloud of its own.
pub(crate) async fn instance(
    From(state): From<State>,
    peer: Option<axum::Extension<Peer>>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let tenant = state.access.foreign().tenant.to_string();
    let tenant = Tenant::of(&state, &tenant, &uri, &headers, is_tls(peer.as_ref()));
    let tenant = tenant.map_err(IntoResponse::into_response)?;
    let (base, host) = (&tenant.base, &tenant.host);
    Ok(Json(json!({
        "tenant_discovery_endpoint": format!("{base}/{}/v2.0/.well-known/openid-configuration", tenant.name),
        "api-version": "1.1",
        "metadata": [{ "preferred_network": host, "preferred_cache": host, "aliases": [host] }],
    }))
    .into_response())
}
