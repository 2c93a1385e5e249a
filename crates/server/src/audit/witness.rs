//! We as a witness of other logs, and other servers as witnesses of ours: the protocol, and who takes part.

use axum::{
    Json,
    extract::{Request, State as From},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use boltseal_api::audit::{NewWitness, NewWitnessedLog, WitnessSetting, WitnessedLogs};
use boltseal_audit::{
    Record,
    log::{MAX_REQUEST, Refusal, SIZE_MEDIA_TYPE, Verifier},
    record::{Activity, Severity, Subject},
};
use boltseal_identity::{Action, Scope};

use crate::{
    State,
    asking::Asking,
    control::{By, bytes, created, done, read},
    exchange::Refused,
    failure::Failure,
    guard,
};

/// `POST /audit/witness/add-checkpoint` (C2SP tlog-witness). Statuses and bodies are the protocol's.
pub(crate) async fn add_checkpoint(From(state): From<State>, request: Request) -> Result<Response, Failure> {
    let body = bytes(request, MAX_REQUEST).await?;
    // Not the type that axum gives to what has no page yet.
    let plain = |status, text: String| (status, [(header::CONTENT_TYPE, "text/plain")], text).into_response();
    Ok(match state.exchange.witness().add(&body, (state.now)()).await {
        Ok(line) => plain(StatusCode::OK, line),
        Err(Refused::Request(wrong)) => plain(StatusCode::BAD_REQUEST, format!("{wrong}\n")),
        Err(Refused::Refusal(refusal @ Refusal::Conflict { .. })) => {
            (StatusCode::CONFLICT, [(header::CONTENT_TYPE, SIZE_MEDIA_TYPE)], refusal.body()).into_response()
        }
        Err(Refused::Refusal(refusal)) => {
            plain(StatusCode::from_u16(refusal.status()).unwrap_or(StatusCode::BAD_REQUEST), refusal.body())
        }
        Err(Refused::Fault(error)) => return Err(error.into()),
    })
}

/// `GET /audit/witness/latest?origin=ORIGIN`: the checkpoint that was cosigned last, or 204. So a server finds out at its
/// start that its log was put back. Our addition to the protocol.
pub(crate) async fn latest(From(state): From<State>, asking: Asking) -> Result<Response, Failure> {
    match state.exchange.witness().latest(asking.text("origin")).await? {
        Some(latest) => Ok(([(header::CONTENT_TYPE, "text/plain")], latest.to_string()).into_response()),
        None => Ok(done()),
    }
}

/// `GET /api/v1/audit/witnessed-logs`
pub(crate) async fn logs(From(state): From<State>) -> Result<Json<WitnessedLogs>, Failure> {
    let witness = state.exchange.witness();
    Ok(Json(WitnessedLogs { key: witness.key().to_string(), logs: witness.watched().await? }))
}

/// `POST /api/v1/audit/witnessed-logs`
pub(crate) async fn watch(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let NewWitnessedLog { key } = read(request).await?;
    let log: Verifier = key.parse().map_err(|wrong| Failure::Asked(format!("`key`: {wrong}")))?;
    let record = changed(&state, &by, Activity::Create, "/audit/witnessed-logs").await?;
    let record = record.named(log.name()).detail("key", log.to_string());
    state.exchange.witness().watch(&log, &record).await?;
    Ok(created(NewWitnessedLog { key: log.to_string() }))
}

/// `DELETE /api/v1/audit/witnessed-logs?origin=ORIGIN`
pub(crate) async fn forget(From(state): From<State>, by: By, asking: Asking) -> Result<Response, Failure> {
    let origin = asking.text("origin");
    let record = changed(&state, &by, Activity::Delete, "/audit/witnessed-logs").await?.named(origin);
    state.exchange.witness().forget(origin, &record).await?;
    Ok(done())
}

/// `GET /api/v1/audit/witnesses`
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<WitnessSetting>>, Failure> {
    Ok(Json(state.exchange.witnesses().list().await?))
}

/// `POST /api/v1/audit/witnesses`
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: NewWitness = read(request).await?;
    let record = changed(&state, &by, Activity::Create, "/audit/witnesses").await?;
    let record = record.detail("url", asked.url.as_str()).detail("key", asked.key.as_str());
    Ok(created(state.exchange.witnesses().add(asked, &record).await?))
}

/// `DELETE /api/v1/audit/witnesses?name=NAME`
pub(crate) async fn remove(From(state): From<State>, by: By, asking: Asking) -> Result<Response, Failure> {
    let name = asking.text("name");
    let record = changed(&state, &by, Activity::Delete, "/audit/witnesses").await?.named(name);
    state.exchange.witnesses().remove(name, &record).await?;
    Ok(done())
}

/// What is recorded of a change of settings of the log.
pub(crate) async fn changed(
    state: &State,
    by: &By,
    activity: Activity,
    scope: &str,
) -> Result<Record, Failure> {
    let allowed = guard::may(state, &by.caller, &by.source, Action::SettingWrite, &Scope::root()).await?;
    Ok(Record { activity, ..allowed }.subject(Subject::new(scope)).severity(Severity::Medium))
}
