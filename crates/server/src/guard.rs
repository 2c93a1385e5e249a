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
use boltseal_api::problem::Problem;
use boltseal_audit::{
    Record,
    record::{Activity, Door, Outcome, Source, Subject},
};
use boltseal_flow::access::{self, Deed, Needs};
use boltseal_identity::{Action, Caller, Edit, Scope, authority::Refused, token};
use boltseal_store::Error as StoreError;
use boltseal_wire::server::Peer;
use maud::html;
use zeroize::Zeroizing;

use crate::{
    State,
    failure::{Failure, Told},
    pages::{
        error,
        frame::{self, Part, Viewer},
    },
    parts::link,
    session,
};

/// What stands before a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gate {
    /// How whoever may not pass is told.
    pub kind: Kind,
    /// What they need.
    pub needs: Needs,
}

/// For whom a route is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A person: a browser without a session is sent to the door.
    Page,
    /// A program: without credentials it is told how to send them.
    Program,
}

/// Actions whose every use is recorded, also where nothing changes: who looks at who may do what, and at the log.
const RECORDED: [Action; 5] = [
    Action::PrincipalRead,
    Action::AssignmentRead,
    Action::FederationRead,
    Action::SettingRead,
    Action::AuditRead,
];

/// Finds out who is asking, and lets them pass or not. Handlers find the [`Caller`] and the [`Source`] in the request.
pub(crate) async fn admit(
    From((state, gate)): From<(State, Gate)>,
    mut request: Request,
    next: Next,
) -> Response {
    let source = origin(&request);
    let session = session::find(&state, request.headers());
    let credentials = request.headers().get(header::AUTHORIZATION).cloned();
    let caller = match identify(&state, credentials, session, &source).await {
        Ok(caller) => caller,
        Err(failure) => return failure.into_response(),
    };
    let needs_somebody = !matches!(gate.needs, Needs::Nothing(_));
    if needs_somebody && caller.is_anonymous() {
        return match gate.kind {
            Kind::Program => Failure::NotSignedIn.into_response(),
            Kind::Page if from_elsewhere(request.headers()) => once_more(),
            Kind::Page => {
                let here = request.uri().path_and_query().map_or("/", |path| path.as_str());
                let door = if here == "/" {
                    "/sign-in".to_owned()
                } else {
                    link::query("/sign-in", &[("back", here)])
                };
                Redirect::to(&door).into_response()
            }
        };
    }
    // A token for some repositories is for the registry alone.
    if needs_somebody && !caller.covers_control() {
        return Failure::Narrow.into_response();
    }
    if let Needs::Action(action) = gate.needs
        && let Err(failure) = may(&state, &caller, &source, action, &Scope::root()).await
    {
        return of(caller, failure.into_response());
    }
    request.extensions_mut().insert(caller.clone());
    request.extensions_mut().insert(source);
    of(caller, next.run(request).await)
}

/// Says whose response it is, so that a page around a failure is theirs as well.
fn of(caller: Caller, mut response: Response) -> Response {
    response.extensions_mut().insert(caller);
    response
}

/// Whether the caller may do something somewhere. A no is recorded, and some reads are whatever the answer.
pub(crate) async fn may(
    state: &State,
    caller: &Caller,
    source: &Source,
    action: Action,
    scope: &Scope,
) -> Result<Record, Failure> {
    let record = decided(state, caller, source, action, scope).await?;
    if RECORDED.contains(&action) {
        // Whoever verifies a log reads hundreds of tiles: the first of them is the record.
        let noted = match action {
            Action::AuditRead => state.recorder.note_look(&record).await,
            _ => state.recorder.note(&record).await,
        };
        match noted {
            // Whoever has to find out what happened to the log must be able to look.
            Err(StoreError::LogClosed(_)) => tracing::warn!(
                who = %caller.name, action = action.name(), "looked at without a record, as the log is closed"
            ),
            noted => noted?,
        }
    }
    Ok(record)
}

/// Whether the caller may do something somewhere; only a no is recorded.
async fn decided(
    state: &State,
    caller: &Caller,
    source: &Source,
    action: Action,
    scope: &Scope,
) -> Result<Record, Failure> {
    let activity = if action.name().ends_with("/read") { Activity::Read } else { Activity::Update };
    let deed = Deed { caller, source: source.clone(), activity, action, scope: scope.clone() };
    match access::decide(state.access.authority(), deed, (state.now)()) {
        Ok(record) => Ok(record),
        Err(missing) => {
            state.recorder.note(&missing.record).await?;
            Err(Failure::Missing(missing))
        }
    }
}

/// What the header says counts before what the cookie says.
async fn identify(
    state: &State,
    credentials: Option<HeaderValue>,
    session: Option<Caller>,
    source: &Source,
) -> Result<Caller, Failure> {
    let Some(credentials) = credentials else { return Ok(session.unwrap_or_else(Caller::anonymous)) };
    let (scheme, value) =
        credentials.to_str().ok().and_then(|value| value.split_once(' ')).ok_or(Failure::NotSignedIn)?;
    if scheme.eq_ignore_ascii_case("bearer") {
        let found = state.access.authority().token(value.trim(), token::Kind::Access, (state.now)());
        return found.map_err(Failure::from);
    }
    let basic = Some(value).filter(|_| scheme.eq_ignore_ascii_case("basic")).and_then(basic);
    let (name, secret) = basic.ok_or(Failure::NotSignedIn)?;
    prove(state, source.clone(), name, secret, None).await
}

/// The principal with this name and secret; a failure is recorded, and a spent recovery code is taken away for good.
pub(crate) async fn prove(
    state: &State,
    source: Source,
    name: Zeroizing<String>,
    secret: Zeroizing<String>,
    code: Option<Zeroizing<String>>,
) -> Result<Caller, Failure> {
    let (authority, now) = (state.access.authority().clone(), (state.now)());
    let from = source.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let (slow, asked) = (authority.is_slow(&name), name.clone());
    let check = move || authority.secret(&asked, &secret, code.as_ref().map(|code| code.as_str()), from, now);
    let outcome =
        if slow { tokio::task::spawn_blocking(check).await.unwrap_or(Err(Refused::Busy)) } else { check() };
    match outcome {
        Ok(proved) => {
            if let Some(left) = proved.spent {
                let (principal, credentials) = (proved.caller.id, Box::new(left));
                let edit = Edit::SetCredentials { principal, credentials, end_sessions: false };
                state.access.edit(&proved.caller, source, edit).await?;
            }
            Ok(proved.caller)
        }
        Err(refused) => {
            note_failure(state, source, &name, &refused).await;
            Err(refused.into())
        }
    }
}

/// A failed attempt, under the name that was tried. Nobody is let in whether it can be written or not.
pub(crate) async fn note_failure(state: &State, source: Source, name: &str, refused: &Refused) {
    if matches!(refused, Refused::Wait { .. } | Refused::Busy | Refused::CodeNeeded) {
        return;
    }
    let record = Record::new((state.now)(), Activity::SignIn, "Boltseal/signIn/action")
        .actor(access::actor(&Caller::anonymous()))
        .source(source)
        .subject(Subject::new("/").name(name.chars().take(64).collect::<String>()))
        .outcome(Outcome::Failure)
        .status(refused.to_string());
    if let Err(error) = state.recorder.note(&record).await {
        tracing::error!(%error, "a failed sign-in could not be recorded");
    }
}

/// Name and secret of RFC 7617.
fn basic(encoded: &str) -> Option<(Zeroizing<String>, Zeroizing<String>)> {
    let bytes = Zeroizing::new(STANDARD.decode(encoded.trim()).ok()?);
    let (name, secret) = std::str::from_utf8(&bytes).ok()?.split_once(':')?;
    Some((Zeroizing::new(name.to_owned()), Zeroizing::new(secret.to_owned())))
}

/// Characters of a `User-Agent` that are recorded.
const MAX_AGENT: usize = 256;

/// Where a request came from, for the log.
pub(crate) fn origin(request: &Request) -> Source {
    let source = match request.extensions().get::<Peer>() {
        Some(Peer { address, tls: true }) => Source::https(address.ip(), address.port()),
        Some(Peer { address, tls: false }) => Source::plain(address.ip(), address.port()),
        None => Source::new(Door::Local),
    };
    match request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()) {
        Some(agent) => source.agent(agent.chars().take(MAX_AGENT).collect::<String>()),
        None => source,
    }
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
    let (asked, uri) = (request.headers().clone(), request.uri().clone());
    let path = request.uri().path();
    let program = ["/api/", "/audit/", "/admission/"].iter().any(|start| path.starts_with(start));
    let mut response = next.run(request).await;
    if response.extensions().get::<Told>().is_none() && bare_refusal(&response) {
        let problem = response.status().canonical_reason().unwrap_or("This did not work").to_owned();
        response.extensions_mut().insert(Told {
            problem,
            next: "Check the address and the method.",
            missing: None,
        });
    }
    if let Some(told) = response.extensions_mut().remove::<Told>() {
        response = if program {
            problem(response, &told)
        } else {
            let caller = response.extensions_mut().remove::<Caller>();
            page(response, &Viewer::of(&state, caller, &asked, &uri).await, &told)
        };
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
    let body = Problem {
        title: told.problem.clone(),
        status: status.as_u16(),
        detail: told.next.to_owned(),
        action: told.missing.as_ref().map(|(action, _)| action.clone()),
        scope: told.missing.as_ref().map(|(_, scope)| scope.clone()),
    };
    let body = serde_json::to_vec(&body).unwrap_or_default();
    let mut response = with_body(response, Body::from(body), "application/problem+json");
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
