//! How the log stands, and reading it again from its beginning.

use axum::{Json, extract::State as From, http::StatusCode};
use boltseal_api::audit::Status;

use crate::State;

/// `GET /api/v1/audit/status`
pub(crate) async fn status(From(state): From<State>) -> Json<Status> {
    Json(of(&state))
}

/// `POST /api/v1/audit/verify`: begins, and answers how the log stands; the outcome is there when it has ended.
pub(crate) async fn verify(From(state): From<State>) -> (StatusCode, Json<Status>) {
    state.recorder.verify_soon();
    (StatusCode::ACCEPTED, Json(of(&state)))
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
