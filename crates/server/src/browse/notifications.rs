//! Rules about who is told, and the forms that change them.

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State as From},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use boltseal_identity::Action;
use serde_json::json;

use crate::{
    State,
    control::By,
    dashboard::page,
    door,
    failure::Failure,
    notifications,
    pages::{
        findings::notifications as notifications_page,
        frame::{Part, Viewer},
    },
    people::may,
    webhooks::shown,
};

/// Messages of a rule on the page.
const MESSAGES: u64 = 3;

/// `/notifications`
pub(crate) async fn show(From(state): From<State>, viewer: Viewer) -> Result<Html<String>, Failure> {
    let Json(all) = notifications::list(From(state.clone())).await?;
    let mut rules = Vec::with_capacity(all.len());
    for status in all {
        let last = state.exchange.notices().deliveries(&status.rule.name, None, MESSAGES).await?;
        rules.push((status, last.into_iter().map(shown).collect()));
    }
    let may_change = may(&state, &viewer, Action::RegistryWrite);
    let body = notifications_page::Shown { rules: &rules, may_change };
    Ok(page(
        &viewer,
        Part::Vulnerabilities,
        "Notifications",
        &notifications_page::notifications(&viewer, &body),
    ))
}

/// `POST /notifications`
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let wanted = json!({
        "name": asking.text("name"),
        "severity": asking.some("severity"),
        "repositories": asking.some("repositories").unwrap_or_else(|| "*".to_owned()),
        "fixable": asking.ticked("fixable"),
        "exploited": asking.ticked("exploited"),
        "to": { "kind": asking.word("kind", ["slack", "teams"]) },
        "secret": asking.some("secret"),
    });
    // What a program would have sent, so that both ways do the same.
    let told = Request::new(Body::from(wanted.to_string()));
    notifications::add(From(state), by, told).await?;
    Ok(back())
}

/// `POST /notifications/{name}/{what}`
pub(crate) async fn act(
    From(state): From<State>,
    by: By,
    Path((name, what)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    match what.as_str() {
        "test" => drop(notifications::test(From(state), Path(name)).await?),
        "remove" => drop(notifications::remove(From(state), by, Path(name)).await?),
        "redeliver" => {
            let id = door::read_form(request).await?.text("id").to_owned();
            drop(notifications::redeliver(From(state), Path((name, id))).await?);
        }
        _ => return Err(Failure::NotFound("form at this address".to_owned())),
    }
    Ok(back())
}

fn back() -> Response {
    Redirect::to("/notifications").into_response()
}
