//! Rules about who is told of what became newly vulnerable.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use boltseal_api::{
    notifications::{NewRule, RuleStatus},
    webhooks as api,
};
use boltseal_audit::record::Activity;

use crate::{
    State,
    asking::Asking,
    control::{By, created, done, read},
    failure::Failure,
    settings::changed,
    webhooks::{listing, shown},
};

/// Where rules are, in records.
const PLACE: &str = "/registries/main/notifications";

/// `GET /api/v1/notifications`
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<RuleStatus>>, Failure> {
    let all = state.exchange.notices().list().await?;
    let brief = |last| api::Delivery { body: serde_json::Value::Null, ..shown(last) };
    Ok(Json(all.into_iter().map(|(status, last)| RuleStatus { last: last.map(brief), ..status }).collect()))
}

/// `POST /api/v1/notifications`
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: NewRule = read(request).await?;
    let record = changed(&state, &by, Activity::Update, PLACE, &asked.rule.name).await?;
    // What is recorded is the rule, which has no secret in it.
    let told = |rule: &boltseal_api::notifications::Rule| {
        record.detail("after", serde_json::to_value(rule).unwrap_or_default())
    };
    Ok(created(state.exchange.notices().add(asked, told).await?))
}

/// `DELETE /api/v1/notifications/{name}`
pub(crate) async fn remove(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let record = changed(&state, &by, Activity::Delete, PLACE, &name).await?;
    state.exchange.notices().remove(&name, &record).await?;
    Ok(done())
}

/// `POST /api/v1/notifications/{name}/test`
pub(crate) async fn test(From(state): From<State>, Path(name): Path<String>) -> Result<Response, Failure> {
    let sent = state.exchange.notices().test(&name, (state.now)()).await?;
    Ok((StatusCode::ACCEPTED, Json(sent)).into_response())
}

/// `GET /api/v1/notifications/{name}/deliveries?state=&limit=`: newest first.
pub(crate) async fn deliveries(
    From(state): From<State>,
    Path(name): Path<String>,
    asking: Asking,
) -> Result<Json<Vec<api::Delivery>>, Failure> {
    let (wanted, limit) = listing(&asking)?;
    let found = state.exchange.notices().deliveries(&name, wanted, limit).await?;
    Ok(Json(found.into_iter().map(shown).collect()))
}

/// `POST /api/v1/notifications/{name}/deliveries/{id}/redeliver`
pub(crate) async fn redeliver(
    From(state): From<State>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let sent = state.exchange.notices().redeliver(&name, &id, (state.now)()).await?;
    Ok((StatusCode::ACCEPTED, Json(sent)).into_response())
}
