//! The files of the log, at the paths that C2SP tlog-tiles gives them below `/audit/`.

use axum::{
    extract::{Path, State as From},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use boltseal_audit::log::Tile;

use crate::{State, failure::Failure};

/// A checkpoint is signed anew every moment.
const ANEW: HeaderValue = HeaderValue::from_static("no-cache");
/// A tile within the checkpoint never changes. Only for whoever asked: others are asked who they are.
const FOR_EVER: HeaderValue = HeaderValue::from_static("private, max-age=31536000, immutable");

/// `GET /audit/checkpoint`: the newest, with cosignatures.
pub(crate) async fn checkpoint(From(state): From<State>) -> Response {
    let text = state.recorder.state().borrow().checkpoint.to_string();
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, ANEW)], text).into_response()
}

/// `GET /audit/tile/{level}/{index}` and `GET /audit/tile/entries/{index}`, also with `.p/{width}`.
pub(crate) async fn tile(From(state): From<State>, Path(place): Path<String>) -> Result<Response, Failure> {
    let missing = || Failure::missing("tile", &place);
    let tile: Tile = format!("tile/{place}").parse().map_err(|_| missing())?;
    let bytes = state.recorder.tile(tile).await?.ok_or_else(missing)?;
    let kind = HeaderValue::from_static("application/octet-stream");
    Ok(([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, FOR_EVER)], bytes).into_response())
}
