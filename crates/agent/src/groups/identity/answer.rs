//! Questions and answers in the words of Azure's instance metadata service.

use axum::{
    Json,
    http::{HeaderMap, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use boltseal_api::workloads::Token;
use serde_json::json;
use url::form_urlencoded;

use super::MAX_TEXT;

/// What was asked for.
#[derive(Debug, PartialEq, Eq, Hash)]
pub struct Question {
    /// What the token is to be good for.
    pub resource: String,
    /// Which identity, where one is named: by `client_id`, `object_id` or a resource id.
    pub wanted: Option<String>,
}

/// Why there is no token. Client libraries try again after 429 and 503, and after nothing else.
#[derive(Debug, thiserror::Error)]
#[error("{description}")]
pub struct Refusal {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Question {
    pub(super) fn read(headers: &HeaderMap, uri: &Uri) -> Result<Self, Refusal> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if !header("metadata").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
            return Err(Refusal::request("Required metadata header not specified"));
        }
        // Whoever was made to ask by somebody outside, as a proxy is, is not who it is for.
        if headers.contains_key("x-forwarded-for") {
            return Err(Refusal::request("X-Forwarded-For: this is not asked through others"));
        }
        let (mut resource, mut wanted, mut version) = (None, None, false);
        for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()) {
            let place = match &*name {
                "resource" => &mut resource,
                "client_id" | "object_id" | "mi_res_id" | "msi_res_id" => &mut wanted,
                "api-version" => {
                    version = !value.is_empty();
                    continue;
                }
                _ => continue,
            };
            let fits = !value.is_empty() && value.len() <= MAX_TEXT && !value.chars().any(char::is_control);
            if !fits || place.replace(value.into_owned()).is_some() {
                return Err(Refusal::request(&format!("`{name}` is there twice, empty, or too long")));
            }
        }
        if !version {
            return Err(Refusal::request("The required parameter `api-version` is missing: 2018-02-01"));
        }
        let resource =
            resource.ok_or_else(|| Refusal::request("The required parameter `resource` is missing"))?;
        Ok(Self { resource, wanted })
    }
}

/// Numbers are texts, as Azure has them.
pub(super) fn token(token: &Token) -> Response {
    let body = json!({
        "access_token": token.access_token,
        "client_id": token.client_id,
        "expires_in": token.expires_in.to_string(),
        "ext_expires_in": token.expires_in.to_string(),
        "expires_on": token.expires_on.to_string(),
        "not_before": (token.expires_on - token.expires_in).to_string(),
        "resource": token.resource,
        "token_type": "Bearer",
    });
    ([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, description: impl Into<String>) -> Self {
        Self { status, error, description: description.into() }
    }

    fn request(description: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    /// The group has no identity, or not the one that is asked for.
    pub(super) fn none() -> Self {
        Self::request("Identity not found: the group's file has no `identity`")
    }

    pub(super) fn which() -> Self {
        Self::request(
            "Identity not found: several are assigned to the group, or not this one; name one by client_id or mi_res_id",
        )
    }

    /// Nobody whom the kernel knows as a container of a group.
    pub(super) fn nobody() -> Self {
        Self::new(StatusCode::FORBIDDEN, "access_denied", "this connection is of no container of a group")
    }

    pub(super) fn unknown_image() -> Self {
        Self::new(StatusCode::FORBIDDEN, "access_denied", "the image of the container has no digest")
    }

    /// There is no server to ask.
    pub(super) fn alone() -> Self {
        Self::request("this node has no server that gives tokens: start its agent with --server")
    }

    pub(super) fn busy() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "temporarily_unavailable",
            "too many questions of this group",
        )
    }

    pub(super) fn stopping() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "the agent of this node is stopping",
        )
    }

    pub(super) fn log() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "temporarily_unavailable",
            "the token could not be written down in the log of this node",
        )
    }

    /// What the server said, or that it said nothing.
    pub(super) fn of(error: &crate::Error) -> Self {
        let status = match error {
            crate::Error::Api(error) => error.status(),
            _ => None,
        };
        let (status, word) = match status {
            Some(400 | 404) => (StatusCode::BAD_REQUEST, "invalid_request"),
            Some(401 | 403) => (StatusCode::FORBIDDEN, "access_denied"),
            Some(429) => (StatusCode::TOO_MANY_REQUESTS, "temporarily_unavailable"),
            _ => (StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable"),
        };
        Self::new(status, word, error.to_string())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.error, "error_description": self.description });
        let mut response = (self.status, [(header::CACHE_CONTROL, "no-store")], Json(body)).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, 30.into());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions() {
        const RESOURCE: &str = "resource=https%3A%2F%2Fa.example";
        let read = |headers: &[(&'static str, &'static str)], query: &str| {
            let headers = headers.iter().map(|(name, value)| {
                (header::HeaderName::from_static(name), header::HeaderValue::from_static(value))
            });
            let uri = format!("/metadata/identity/oauth2/token?{query}").parse().unwrap();
            Question::read(&headers.collect(), &uri).map_err(|refusal| refusal.description)
        };
        let metadata = [("metadata", "True")];
        let good = format!("api-version=2018-02-01&{RESOURCE}&client_id=orders");
        let question = read(&metadata, &good).unwrap();
        assert_eq!(
            (question.resource.as_str(), question.wanted.as_deref()),
            ("https://a.example", Some("orders"))
        );
        let version = "api-version=2018-02-01";
        for (headers, query, why) in [
            (&[][..], good.as_str(), "Required metadata header not specified"),
            (&[("metadata", "false")], &good, "Required metadata header not specified"),
            (&[metadata[0], ("x-forwarded-for", "10.0.0.1")], &good, "not asked through others"),
            (&metadata, version, "`resource` is missing"),
            (&metadata, RESOURCE, "`api-version` is missing"),
            (&metadata, &format!("{good}&{RESOURCE}"), "`resource` is there twice"),
            (&metadata, &format!("{good}&object_id=x"), "`object_id` is there twice"),
            (&metadata, &format!("{version}&resource={}", "x".repeat(501)), "too long"),
            (&metadata, &format!("{version}&resource=a%0Ab"), "`resource` is there twice, empty"),
        ] {
            let refused = read(headers, query).unwrap_err();
            assert!(refused.contains(why), "{query}: {refused}");
        }
    }
}
