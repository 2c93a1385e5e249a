//! Refusals as Entra writes them: an OAuth 2 error (RFC 6749 section 5.2) with a number that its libraries print.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::failure::Failure;

/// Why there is no token. None says whether a client exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    status: StatusCode,
    error: &'static str,
    code: u32,
    description: String,
    wait: Option<i64>,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, code: u32, description: impl Into<String>) -> Self {
        Self { status, error, code, description: description.into(), wait: None }
    }

    /// Not a tenant of ours.
    pub(super) fn tenant() -> Self {
        let words = "There is no such tenant here. GET /common/discovery/instance names the one there is; `adfs` works too.";
        Self::new(StatusCode::NOT_FOUND, "invalid_tenant", 90_002, words)
    }

    /// A request that makes no sense.
    pub(super) fn request(what: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", 90_014, what)
    }

    /// A parameter is missing.
    pub(super) fn lacks(parameter: &str) -> Self {
        let words = format!("The request body must contain the parameter `{parameter}`.");
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", 900_144, words)
    }

    /// A way of getting tokens that is not offered.
    pub(super) fn grant() -> Self {
        let words = "Only the grant type `client_credentials` is offered here.";
        Self::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", 70_003, words)
    }

    /// The client is not known, or this does not prove that it is the client: nobody is told which.
    pub(super) fn client() -> Self {
        let words =
            "Invalid client: its id, secret or assertion is wrong. The audit log of the server says more.";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", 7_000_215, words)
    }

    /// An assertion that is wrong in itself.
    pub(super) fn assertion(why: &str) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            700_027,
            format!("Invalid client assertion: {why}"),
        )
    }

    /// Somebody who proved who they are, and is no program.
    pub(super) fn kind() -> Self {
        let words = "Only service principals and workloads get tokens this way.";
        Self::new(StatusCode::BAD_REQUEST, "unauthorized_client", 700_016, words)
    }

    /// A token for somebody whom we cannot speak for.
    pub(super) fn resource() -> Self {
        let words = "The resource is not of this server: ask for its own address, or for \
                     https://containerregistry.azure.net.";
        Self::new(StatusCode::BAD_REQUEST, "invalid_resource", 500_011, words)
    }

    /// Not now.
    pub(super) fn later(seconds: i64) -> Self {
        let words = format!("Too many failed attempts: wait {seconds} seconds.");
        let refusal = Self::new(StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable", 50_196, words);
        Self { wait: Some(seconds), ..refusal }
    }

    /// Not at all, at the moment.
    pub(super) fn fault() -> Self {
        let words = "The server could not answer; its log says why.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", 90_033, words)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Wait(seconds) => Self::later(seconds),
            Failure::Refused(_) => Self::client(),
            other => {
                tracing::error!(error = ?other, "a token could not be given");
                Self::fault()
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({
            "error": self.error,
            "error_description": format!("AADSTS{}: {}", self.code, self.description),
            "error_codes": [self.code],
        });
        let mut response = (self.status, Json(body)).into_response();
        if let Some(seconds) = self.wait {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        response
    }
}
