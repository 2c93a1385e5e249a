//! What every request passes: who is it, may it, and what every answer carries.

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    body::Body,
    extract::{Request, State as From},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_wire::server::Peer;
use maud::html;

use crate::{
    Principal, State,
    failure::{Failure, Told},
    pages::{
        error,
        frame::{self, Part, Theme, Viewer},
    },
    parts::link,
    session,
};

/// Who may ask for a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Everybody: signing in, assets, health.
    Open,
    /// Whoever may do this action; a browser without a session is sent to the door.
    Page(&'static str),
    /// Whoever may do this action; a program without credentials is told how to send them.
    Api(&'static str),
}

/// Finds out who is asking, and lets them pass or not.
pub(crate) async fn admit(
    From((state, access)): From<(State, Access)>,
    mut request: Request,
    next: Next,
) -> Response {
    let source = source(&request);
    match identify(&state, request.headers(), source).await {
        Err(failure) => return failure.into_response(),
        Ok(Some(principal)) => {
            request.extensions_mut().insert(principal);
        }
        Ok(None) => match access {
            Access::Open => {}
            Access::Api(_) => return Failure::NotSignedIn.into_response(),
            Access::Page(_) if from_elsewhere(request.headers()) => return once_more(),
            Access::Page(_) => {
                let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
                let door = if here == "/" {
                    "/sign-in".to_owned()
                } else {
                    link::query("/sign-in", &[("back", here)])
                };
                return Redirect::to(&door).into_response();
            }
        },
    }
    next.run(request).await
}

async fn identify(state: &State, headers: &HeaderMap, source: IpAddr) -> Result<Option<Principal>, Failure> {
    let Some(credentials) = headers.get(header::AUTHORIZATION) else {
        return Ok(session::find(state, headers).await?);
    };
    let now = (state.now)();
    let wait = state.sign_in.wait(source, now);
    if wait > 0 {
        return Err(Failure::Wait(wait));
    }
    let found = match credentials.to_str().ok().and_then(|value| value.split_once(' ')) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            state.authority.token(token.trim()).await
        }
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => match basic(encoded) {
            Some((name, secret)) => state.authority.secret(&name, &secret).await,
            None => None,
        },
        _ => None,
    };
    if found.is_none() {
        state.sign_in.failed(source, now);
        return Err(Failure::NotSignedIn);
    }
    state.sign_in.succeeded(source);
    Ok(found)
}

/// Name and secret of RFC 7617.
fn basic(encoded: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(name, secret)| (name.to_owned(), secret.to_owned()))
}

/// The address of whoever asks; all that cannot be told apart share one.
pub(crate) fn source(request: &Request) -> IpAddr {
    request.extensions().get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.address.ip())
}

/// A link on another site: the browser kept the strict cookie back. A page of our own that asks again brings it.
fn from_elsewhere(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site")
}

fn once_more() -> Response {
    let page = html! {
        (maud::DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; meta http-equiv="refresh" content="0"; title { "Boltseal" } }
            body { p { a href="" { "Continue to Boltseal" } } }
        }
    };
    Html(page.into_string()).into_response()
}

/// Refuses changes that another site's page asks for (the rule of Go's `http.CrossOriginProtection`): browsers say
/// where a request comes from in `Sec-Fetch-Site` or `Origin`; who says neither is not a browser and has no cookie
/// that somebody else could abuse.
pub(crate) async fn same_origin(request: Request, next: Next) -> Response {
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if safe || own(request.headers(), request.uri().host()) {
        return next.run(request).await;
    }
    Failure::OtherSite.into_response()
}

fn own(headers: &HeaderMap, uri_host: Option<&str>) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(header::ORIGIN) else { return true };
    let host = text(header::HOST).or(uri_host);
    origin.split_once("://").map(|(_, host)| host) == host
}

/// Wraps failures into a page or a problem document, and puts the headers on that every answer carries.
pub(crate) async fn present(From(state): From<State>, request: Request, next: Next) -> Response {
    let viewer = viewer(&state, &request);
    let program = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    if response.extensions().get::<Told>().is_none() && bare_refusal(&response) {
        let problem = response.status().canonical_reason().unwrap_or("This did not work").to_owned();
        response.extensions_mut().insert(Told { problem, next: "Check the address and the method." });
    }
    if let Some(told) = response.extensions_mut().remove::<Told>() {
        response = if program { problem(response, &told) } else { page(response, &viewer, &told) };
    }
    headers(&mut response, state.site.tls);
    response
}

/// What axum itself answers, such as 405, has no page of ours.
fn bare_refusal(response: &Response) -> bool {
    let ours =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind != "text/plain; charset=utf-8");
    (response.status().is_client_error() || response.status().is_server_error()) && !ours
}

/// RFC 9457.
fn problem(response: Response, told: &Told) -> Response {
    let status = response.status();
    let body = serde_json::json!({ "title": told.problem, "status": status.as_u16(), "detail": told.next });
    let mut response = with_body(response, Body::from(body.to_string()), "application/problem+json");
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"boltseal\", charset=\"UTF-8\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}

fn page(response: Response, viewer: &Viewer, told: &Told) -> Response {
    let body = error::error(response.status().as_u16(), &told.problem, told.next);
    let page = frame::page(viewer, Part::Elsewhere, &told.problem, &body);
    with_body(response, Body::from(page.into_string()), "text/html; charset=utf-8")
}

fn with_body(response: Response, body: Body, media_type: &'static str) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(media_type));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, body)
}

/// Who is looking, as far as known here; nobody before [`admit`] has run.
pub(crate) fn viewer(state: &State, request: &Request) -> Viewer {
    Viewer {
        principal: request.extensions().get::<Principal>().cloned(),
        theme: session::read_cookie(request.headers(), "theme").and_then(Theme::of_word),
        here: request.uri().path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string),
        now: (state.now)(),
    }
}

/// The page may load its own files and nothing else, run no script but ours, and be framed by nobody.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn headers(response: &mut Response, tls: bool) {
    let headers = response.headers_mut();
    let mut put = |name: &'static str, value: &'static str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    put("content-security-policy", POLICY);
    put("x-content-type-options", "nosniff");
    put("referrer-policy", "no-referrer");
    put("cross-origin-opener-policy", "same-origin");
    put("cross-origin-resource-policy", "same-origin");
    put("permissions-policy", "camera=(), microphone=(), geolocation=()");
    if tls {
        put("strict-transport-security", "max-age=31536000");
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_own_forms_from_others() {
        for (pairs, expected) in [
            (&[][..], true),
            (&[("sec-fetch-site", "same-origin")], true),
            (&[("sec-fetch-site", "none")], true),
            (&[("sec-fetch-site", "same-site")], false),
            (&[("sec-fetch-site", "cross-site")], false),
            (&[("origin", "https://a.example:8443"), ("host", "a.example:8443")], true),
            (&[("origin", "https://b.example"), ("host", "a.example")], false),
            (&[("origin", "null"), ("host", "a.example")], false),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
            }
            assert_eq!(own(&headers, None), expected, "{pairs:?}");
        }
    }
}
