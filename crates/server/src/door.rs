//! Signing in and out, and the choice between light and dark.

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    Extension,
    body::Bytes,
    extract::{Request, State as From},
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Source, Subject, Why},
};
use boltseal_flow::access;
use boltseal_identity::{
    Caller,
    authority::Refused,
    registry_scope::RegistryScopes,
    token::{self, Method},
};
use boltseal_model::Timestamp;
use zeroize::Zeroizing;

use crate::{
    Access, State,
    access::FIRST,
    asking::Asking,
    control,
    control::me,
    failure::Failure,
    guard,
    pages::{
        frame::{self, Part, Theme, Viewer},
        sign_in::{self, Refusal},
    },
    parts::link,
    session,
};

/// The longest form: a few short fields.
const MAX_FORM: usize = 8 << 10;
/// How long a choice of colours is kept: a year.
const THEME_SECONDS: u32 = 365 * 86_400;

/// What stands in the log and in the delays for attempts with a link, which has no name.
const LINK: &str = "sign-in link";

/// A path such as `/sign-in?code=…` that signs the first principal in, once, within a quarter of an hour. The binary
/// prints it after its own address.
pub fn sign_in_link(access: &Access, now: Timestamp) -> Option<String> {
    let authority = access.authority();
    let id = authority.directory().principal_named(FIRST)?.id;
    let first = authority.caller(id, Method::Link)?;
    let life = token::Kind::Link.life();
    let issued = authority.issue(&first, token::Kind::Link, RegistryScopes::All, life, now).ok()?;
    Some(format!("/sign-in?code={}", issued.token.expose()))
}

/// `GET /sign-in`: the form, or the button of a one-time link.
pub(crate) async fn form(From(state): From<State>, viewer: Viewer, asking: Asking) -> Response {
    if viewer.caller.is_some() && asking.text("code").is_empty() {
        return Redirect::to(link::back(asking.text("back"))).into_response();
    }
    if let Some(code) = asking.some("code") {
        return shown(&viewer, StatusCode::OK, &sign_in::link(&code));
    }
    let button = control::sign_in::button(&state).await;
    let form = sign_in::form(link::back(asking.text("back")), None, button.as_deref());
    shown(&viewer, StatusCode::OK, &form)
}

/// `POST /sign-in`: a name and secret, or the code of a one-time link.
pub(crate) async fn enter(
    From(state): From<State>,
    viewer: Viewer,
    request: Request,
) -> Result<Response, Failure> {
    let source = guard::origin(&request);
    let asking = read_form(request).await?;
    let back = link::back(asking.text("back")).to_owned();
    let outcome = if let Some(code) = asking.some("code") {
        redeem(&state, source.clone(), &code).await
    } else {
        let [name, secret] = ["name", "secret"].map(|field| Zeroizing::new(asking.text(field).to_owned()));
        let code = asking.some("one-time").map(Zeroizing::new);
        guard::prove(&state, source.clone(), name, secret, code).await
    };
    let refusal = match outcome {
        Ok(caller) => {
            // Whoever is new chooses a password before anything else.
            let back = if me::comes_first(&state, &caller) { "/account" } else { &back };
            return welcome(&state, &caller, source, back).await;
        }
        Err(Failure::Wait(seconds)) => Refusal::Wait(seconds),
        Err(Failure::Refused(Refused::Token(_) | Refused::Ended)) => Refusal::LinkSpent,
        Err(Failure::Refused(Refused::CodeNeeded)) => Refusal::CodeNeeded,
        Err(Failure::Refused(Refused::CodeWrong)) => Refusal::CodeWrong,
        Err(Failure::Refused(_)) => Refusal::Wrong,
        Err(other) => return Err(other),
    };
    let status = match &refusal {
        Refusal::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::FORBIDDEN,
    };
    let button = control::sign_in::button(&state).await;
    let mut response = shown(&viewer, status, &sign_in::form(&back, Some(&refusal), button.as_deref()));
    if let Refusal::Wait(seconds) = refusal {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// Spends a one-time link: it is void before anybody is let in by it.
async fn redeem(state: &State, source: Source, code: &str) -> Result<Caller, Failure> {
    let (authority, now) = (state.access.authority(), (state.now)());
    let from = source.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let seconds = authority.wait(LINK, from, now);
    if seconds > 0 {
        return Err(Failure::Wait(seconds));
    }
    match authority.token(code, token::Kind::Link, now) {
        Ok(caller) => {
            state.access.end(&caller, source, "a one-time link was used").await?;
            Ok(caller)
        }
        Err(refused) => {
            authority.failed(LINK, from, now);
            guard::note_failure(state, source, LINK, &refused).await;
            Err(refused.into())
        }
    }
}

/// Lets somebody in who has proved who they are: recorded before the cookie is set.
pub(crate) async fn welcome(
    state: &State,
    caller: &Caller,
    source: Source,
    back: &str,
) -> Result<Response, Failure> {
    let cookie = session::open(state, caller).map_err(|error| Failure::Refused(error.into()))?;
    let record = Record::new((state.now)(), Activity::SignIn, "Boltseal/signIn/action")
        .actor(access::actor(caller))
        .source(source)
        .subject(Subject::new("/").name(caller.name.as_ref()))
        .outcome(Outcome::Success)
        .why(Why::rule(caller.method.word()));
    state.recorder.note(&record).await?;
    let mut response = Redirect::to(back).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /sign-out`
pub(crate) async fn leave(
    From(state): From<State>,
    Extension(caller): Extension<Caller>,
    Extension(source): Extension<Source>,
) -> Result<Response, Failure> {
    state.access.end(&caller, source, "signed out").await?;
    let mut response = Redirect::to("/sign-in").into_response();
    response.headers_mut().append(header::SET_COOKIE, session::close(&state, &caller));
    Ok(response)
}

/// `POST /theme`: nothing depends on it, so anybody may.
pub(crate) async fn theme(From(state): From<State>, request: Request) -> Result<Response, Failure> {
    let asking = read_form(request).await?;
    let theme = Theme::of_word(asking.text("theme"))
        .ok_or_else(|| Failure::Asked("theme is `light` or `dark`".to_owned()))?;
    let mut response = Redirect::to(link::back(asking.text("back"))).into_response();
    let secure = if state.site.tls { "; Secure" } else { "" };
    let cookie = format!("theme={}; Path=/; SameSite=Lax; Max-Age={THEME_SECONDS}{secure}", theme.word());
    if let Ok(cookie) = HeaderValue::try_from(cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// The pairs of a form.
pub(crate) async fn read_form(request: Request) -> Result<Asking, Failure> {
    let bytes: Bytes = axum::body::to_bytes(request.into_body(), MAX_FORM)
        .await
        .map_err(|_| Failure::Asked(format!("the form is longer than {MAX_FORM} bytes")))?;
    Ok(Asking::parse(&bytes))
}

/// The door, with something in it.
pub(crate) fn shown(viewer: &Viewer, status: StatusCode, body: &maud::Markup) -> Response {
    // Without a principal, so that the door looks the same from both sides.
    let viewer = Viewer { caller: None, ..viewer.clone() };
    (status, Html(frame::page(&viewer, Part::Elsewhere, "Sign in", body).into_string())).into_response()
}
