//! How the log stands, and reading it again from its beginning.

use axum::{
    Json,
    extract::{Request, State as From},
    http::StatusCode,
};
use boltseal_api::audit::{Archive, Archived, Status};
use boltseal_audit::record::{Activity, Severity};

use super::witness::changed;
use crate::{
    State,
    control::{By, read},
    failure::Failure,
};

/// `GET /api/v1/audit/status`
pub(crate) async fn status(From(state): From<State>) -> Json<Status> {
    Json(of(&state))
}

/// `POST /api/v1/audit/verify`: begins, and answers how the log stands; the outcome is there when it has ended.
pub(crate) async fn verify(From(state): From<State>) -> (StatusCode, Json<Status>) {
    state.recorder.verify_soon();
    (StatusCode::ACCEPTED, Json(of(&state)))
}

/// `POST /api/v1/audit/archive`: moves old entries out of the log's folder.
pub(crate) async fn archive(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Json<Archived>, Failure> {
    let Archive { before } = read(request).await?;
    let record = changed(&state, &by, Activity::Update, "/audit").await?.severity(Severity::High);
    let first = state.recorder.archive(before, record).await?;
    Ok(Json(Archived { first }))
}

/// How the log stands.
pub(crate) fn of(state: &State) -> Status {
    let now = state.recorder.state().borrow().clone();
    let checkpoint = now.checkpoint.checkpoint();
    let key = state.recorder.verifier();
    Status {
        origin: checkpoint.origin.clone(),
        key: key.to_string(),
        size: checkpoint.size,
        root: checkpoint.root.to_string(),
        signed: now.signed,
        waiting: state.recorder.entered().saturating_sub(checkpoint.size),
        archived: state.recorder.archived(),
        verified: now.verified,
        closed: now.closed,
        failing: now.failing,
        witnesses: state.exchange.witnesses().standing(),
    }
}
