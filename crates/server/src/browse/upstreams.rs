//! Other registries, and the forms that change which are asked and copied.

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State as From},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use boltseal_api::upstreams::MirrorChange;
use boltseal_identity::Action;
use serde::Serialize;
use serde_json::json;

use crate::{
    State,
    asking::Asking,
    control::By,
    dashboard::page,
    door,
    failure::Failure,
    pages::{
        frame::{Part, Viewer},
        registry::upstreams as upstreams_page,
    },
    people::may,
    upstreams::{self, mirrors},
};

/// `/upstreams`
pub(crate) async fn show(From(state): From<State>, viewer: Viewer) -> Result<Html<String>, Failure> {
    let Json(all) = upstreams::list(From(state.clone())).await?;
    let Json(named) = mirrors::list(From(state.clone())).await?;
    let mut known = Vec::with_capacity(named.len());
    for mirror in named {
        let Json(status) = mirrors::one(From(state.clone()), Path(mirror.name)).await?;
        known.push(status);
    }
    let may_change = may(&state, &viewer, Action::RegistryWrite);
    let shown = upstreams_page::Shown { upstreams: &all, mirrors: &known, may_change };
    Ok(page(&viewer, Part::Registry, "Upstreams", &upstreams_page::upstreams(&viewer, &shown)))
}

/// `POST /upstreams`
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let wanted = json!({
        "name": asking.text("name"), "prefix": asking.text("prefix"), "host": asking.text("host"),
        "path": asking.text("path"), "username": asking.some("username"), "password": asking.some("password"),
    });
    upstreams::add(From(state), by, told(&wanted)).await?;
    Ok(back())
}

/// `POST /upstreams/{name}/remove`
pub(crate) async fn remove(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    upstreams::remove(From(state), by, Path(name)).await?;
    Ok(back())
}

/// `POST /mirrors`
pub(crate) async fn add_mirror(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let every: Option<u64> = asking.text("every").parse().ok();
    let wanted = json!({
        "name": asking.text("name"), "host": asking.text("host"), "destination": asking.text("destination"),
        "repositories": words(&asking, "repositories"), "tags": words(&asking, "tags"), "every": every,
        "username": asking.some("username"), "password": asking.some("password"),
    });
    mirrors::add(From(state), by, told(&wanted)).await?;
    Ok(back())
}

/// `POST /mirrors/{name}/{what}`
pub(crate) async fn mirror(
    From(state): From<State>,
    by: By,
    Path((name, what)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let rest = |paused| told(&MirrorChange { paused });
    match what.as_str() {
        "run" => drop(mirrors::run(From(state), by, Path(name)).await?),
        "pause" => drop(mirrors::change(From(state), by, Path(name), rest(true)).await?),
        "resume" => drop(mirrors::change(From(state), by, Path(name), rest(false)).await?),
        "remove" => drop(mirrors::remove(From(state), by, Path(name)).await?),
        _ => return Err(Failure::NotFound("form at this address".to_owned())),
    }
    Ok(back())
}

/// Words of a field, between spaces or commas.
fn words(asking: &Asking, name: &str) -> Vec<String> {
    let parts = asking.text(name).split([' ', ',']).filter(|word| !word.is_empty());
    parts.map(str::to_owned).collect()
}

/// What a program would have sent, so that both ways do the same.
fn told(wanted: &impl Serialize) -> Request {
    Request::new(Body::from(serde_json::to_vec(wanted).unwrap_or_default()))
}

fn back() -> Response {
    Redirect::to("/upstreams").into_response()
}
