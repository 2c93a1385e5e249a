//! Other systems that are told of what happens to images.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use boltseal_api::webhooks::{self as api, NewWebhook, Webhook};
use boltseal_audit::record::Activity;
use boltseal_store::{Delivery, DeliveryState};

use crate::{
    State,
    asking::Asking,
    control::{By, created, done, read},
    failure::Failure,
    settings::changed,
};

/// Where webhooks are, in records.
const PLACE: &str = "/registries/main/webhooks";
/// Deliveries in an answer when nobody says how many, and at most.
const SHOWN: u64 = 50;
const MAX_SHOWN: u64 = 500;

/// `GET /api/v1/webhooks`
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<Webhook>>, Failure> {
    Ok(Json(state.exchange.webhooks().list().await?))
}

/// `POST /api/v1/webhooks`
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: NewWebhook = read(request).await?;
    let record = changed(&state, &by, Activity::Update, PLACE, &asked.webhook.name).await?;
    let after = serde_json::to_value(&asked.webhook).unwrap_or_default();
    Ok(created(state.exchange.webhooks().add(asked, &record.detail("after", after)).await?))
}

/// `DELETE /api/v1/webhooks/{name}`
pub(crate) async fn remove(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let record = changed(&state, &by, Activity::Delete, PLACE, &name).await?;
    state.exchange.webhooks().remove(&name, &record).await?;
    Ok(done())
}

/// `POST /api/v1/webhooks/{name}/ping`
pub(crate) async fn ping(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let by = by.caller.name.to_string();
    let sent = state.exchange.webhooks().ping(&name, &by, (state.now)()).await?;
    Ok((StatusCode::ACCEPTED, Json(sent)).into_response())
}

/// `GET /api/v1/webhooks/{name}/deliveries?state=&limit=`: newest first.
pub(crate) async fn deliveries(
    From(state): From<State>,
    Path(name): Path<String>,
    asking: Asking,
) -> Result<Json<Vec<api::Delivery>>, Failure> {
    let (wanted, limit) = listing(&asking)?;
    let found = state.exchange.webhooks().deliveries(&name, wanted, limit).await?;
    Ok(Json(found.into_iter().map(shown).collect()))
}

/// `POST /api/v1/webhooks/{name}/deliveries/{id}/redeliver`
pub(crate) async fn redeliver(
    From(state): From<State>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let sent = state.exchange.webhooks().redeliver(&name, &id, (state.now)()).await?;
    Ok((StatusCode::ACCEPTED, Json(sent)).into_response())
}

/// Which deliveries are asked for, and how many.
pub(crate) fn listing(asking: &Asking) -> Result<(Option<DeliveryState>, u64), Failure> {
    let wanted = match asking.text("state") {
        "" => None,
        "waiting" => Some(DeliveryState::Waiting),
        "delivered" => Some(DeliveryState::Delivered),
        "dead" => Some(DeliveryState::Dead),
        _ => return Err(Failure::Asked("`state` is waiting, delivered or dead".to_owned())),
    };
    let limit = asking.some("limit").and_then(|text| text.parse().ok()).unwrap_or(SHOWN).clamp(1, MAX_SHOWN);
    Ok((wanted, limit))
}

/// As it is answered.
pub(crate) fn shown(delivery: Delivery) -> api::Delivery {
    api::Delivery {
        body: serde_json::from_str(&delivery.body).unwrap_or_default(),
        id: delivery.id,
        event: delivery.event,
        state: delivery.state.word().to_owned(),
        created: delivery.created,
        due: delivery.due,
        attempts: delivery.attempts,
        status: delivery.status,
        error: delivery.error,
        ended: delivery.ended,
    }
}
