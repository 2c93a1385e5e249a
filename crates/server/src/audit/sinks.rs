//! Other systems that are sent every record.

use axum::{
    Json,
    extract::{Request, State as From},
    response::Response,
};
use boltseal_api::audit::{NewSink, Sink};
use boltseal_audit::record::Activity;

use super::witness::changed;
use crate::{
    State,
    asking::Asking,
    control::{By, created, done, read},
    failure::Failure,
};

/// `GET /api/v1/audit/sinks`
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<Sink>>, Failure> {
    Ok(Json(state.exchange.sinks().list().await?))
}

/// `POST /api/v1/audit/sinks`
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: NewSink = read(request).await?;
    let record = changed(&state, &by, Activity::Create, "/audit/sinks").await?.named(asked.name.as_str());
    let record = record.detail("url", asked.url.as_str()).detail("format", asked.format.as_str());
    Ok(created(state.exchange.sinks().add(asked, &record).await?))
}

/// `DELETE /api/v1/audit/sinks?name=NAME`
pub(crate) async fn remove(From(state): From<State>, by: By, asking: Asking) -> Result<Response, Failure> {
    let name = asking.text("name");
    let record = changed(&state, &by, Activity::Delete, "/audit/sinks").await?.named(name);
    state.exchange.sinks().remove(name, &record).await?;
    Ok(done())
}
