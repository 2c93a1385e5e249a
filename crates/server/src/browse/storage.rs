//! What is stored and what goes on with it, and the forms that have something done.

use axum::{
    Json,
    body::Body,
    extract::{Path, Request, State as From},
    response::{Html, IntoResponse as _, Redirect, Response},
};
use boltseal_api::storage::{NewCollection, NewScrub};
use boltseal_identity::Action;
use serde::Serialize;

use crate::{
    State,
    asking::Asking,
    control::By,
    dashboard::page,
    door,
    failure::Failure,
    pages::{
        frame::{Part, Viewer},
        registry::{jobs as jobs_page, storage as storage_page},
    },
    people::may,
    storage,
};

/// Jobs on the page of storage.
const RECENT: &[u8] = b"limit=5";
/// Jobs on their own page.
const ALL: &[u8] = b"limit=100";

/// `/storage`
pub(crate) async fn show(From(state): From<State>, viewer: Viewer) -> Result<Html<String>, Failure> {
    let Json(stored) = storage::storage(From(state.clone()), Asking::default()).await?;
    let Json(garbage) = storage::garbage(From(state.clone())).await?;
    let Json(jobs) = storage::jobs(From(state.clone()), Asking::parse(RECENT)).await?;
    let may_change = may(&state, &viewer, Action::RegistryWrite);
    let shown = storage_page::Shown { storage: &stored, garbage: &garbage, jobs: &jobs, may_change };
    Ok(page(&viewer, Part::Registry, "Storage", &storage_page::storage(&viewer, &shown)))
}

/// `/storage/jobs`; with `recent`, those that the page of storage shows.
pub(crate) async fn jobs(
    From(state): From<State>,
    viewer: Viewer,
    asking: Asking,
) -> Result<Html<String>, Failure> {
    let recent = asking.ticked("recent");
    let limit = Asking::parse(if recent { RECENT } else { ALL });
    let Json(jobs) = storage::jobs(From(state.clone()), limit).await?;
    let may_change = may(&state, &viewer, Action::RegistryWrite);
    let body = jobs_page::jobs(&viewer, &jobs, may_change, recent);
    Ok(page(&viewer, Part::Registry, "Jobs", &body))
}

/// `POST /storage/collect`
pub(crate) async fn collect(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let (dry_run, deep) = (asking.ticked("dry-run"), asking.ticked("deep"));
    let wanted = told(&NewCollection { dry_run, grace: None, deep });
    storage::collect(From(state), by, wanted).await?;
    Ok(Redirect::to("/storage").into_response())
}

/// `POST /storage/scrub`
pub(crate) async fn scrub(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let wanted = told(&NewScrub { days: asking.ticked("everything").then_some(0), rate: None });
    storage::scrub(From(state), by, wanted).await?;
    Ok(Redirect::to("/storage").into_response())
}

/// `POST /storage/jobs/{id}/stop`
pub(crate) async fn stop(
    From(state): From<State>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    match storage::stop(From(state), by, Path(id)).await {
        // It ended while somebody reached for the button.
        Ok(_) | Err(Failure::Conflict(_)) => Ok(Redirect::to("/storage").into_response()),
        Err(wrong) => Err(wrong),
    }
}

/// What a program would have sent, so that both ways do the same.
fn told(wanted: &impl Serialize) -> Request {
    Request::new(Body::from(serde_json::to_vec(wanted).unwrap_or_default()))
}
