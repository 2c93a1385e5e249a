//! Signing in and out, and the choice between light and dark.

use axum::{
    body::Bytes,
    extract::{Request, State as From},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};

use crate::{
    Principal, State,
    asking::Asking,
    failure::Failure,
    guard,
    pages::{
        frame::{self, Part, Theme, Viewer},
        sign_in::{self, Refusal},
    },
    parts::link,
    session,
};

/// The longest form: three short fields.
const MAX_FORM: usize = 8 << 10;
/// How long a choice of colours is kept: a year.
const THEME_SECONDS: u32 = 365 * 86_400;

/// `GET /sign-in`: the form, or the button of a one-time link.
pub(crate) async fn form(viewer: Viewer, asking: Asking) -> Response {
    if viewer.principal.is_some() && asking.text("code").is_empty() {
        return Redirect::to(link::back(asking.text("back"))).into_response();
    }
    match asking.some("code") {
        Some(code) => shown(&viewer, StatusCode::OK, &sign_in::link(&code)),
        None => shown(&viewer, StatusCode::OK, &sign_in::form(link::back(asking.text("back")), None)),
    }
}

/// `POST /sign-in`: a name and secret, or the code of a one-time link.
pub(crate) async fn enter(
    From(state): From<State>,
    viewer: Viewer,
    request: Request,
) -> Result<Response, Failure> {
    let source = guard::source(&request);
    let (asking, now) = (read_form(request).await?, (state.now)());
    let back = link::back(asking.text("back")).to_owned();
    let wait = state.sign_in.wait(source, now);
    if wait > 0 {
        let body = sign_in::form(&back, Some(&Refusal::Wait(wait)));
        let mut response = shown(&viewer, StatusCode::TOO_MANY_REQUESTS, &body);
        response.headers_mut().insert(header::RETRY_AFTER, wait.into());
        return Ok(response);
    }
    let (found, refusal) = match asking.some("code") {
        Some(code) => (state.sign_in.redeem(&code, now).then(|| state.authority.first()), Refusal::LinkSpent),
        None => (state.authority.secret(asking.text("name"), asking.text("secret")).await, Refusal::Wrong),
    };
    let Some(principal) = found else {
        state.sign_in.failed(source, now);
        tracing::warn!(%source, "a sign-in failed");
        return Ok(shown(&viewer, StatusCode::FORBIDDEN, &sign_in::form(&back, Some(&refusal))));
    };
    state.sign_in.succeeded(source);
    welcome(&state, &principal, &back).await
}

async fn welcome(state: &State, principal: &Principal, back: &str) -> Result<Response, Failure> {
    let cookie = session::open(state, principal).await?;
    tracing::info!(principal = %principal.name, "signed in");
    let mut response = Redirect::to(back).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /sign-out`
pub(crate) async fn leave(From(state): From<State>, headers: HeaderMap) -> Result<Response, Failure> {
    let cookie = session::close(&state, &headers).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
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

async fn read_form(request: Request) -> Result<Asking, Failure> {
    let bytes: Bytes = axum::body::to_bytes(request.into_body(), MAX_FORM)
        .await
        .map_err(|_| Failure::Asked(format!("the form is longer than {MAX_FORM} bytes")))?;
    Ok(Asking::parse(&bytes))
}

fn shown(viewer: &Viewer, status: StatusCode, body: &maud::Markup) -> Response {
    // Without a principal, so that the door looks the same from both sides.
    let viewer = Viewer { principal: None, ..viewer.clone() };
    (status, Html(frame::page(&viewer, Part::Elsewhere, "Sign in", body).into_string())).into_response()
}
