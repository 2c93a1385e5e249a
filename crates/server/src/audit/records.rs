//! Single entries, pages of them, proofs.

use axum::{
    Json,
    extract::{Path, State as From},
    http::header,
    response::{IntoResponse, Response},
};
use boltseal_api::audit::Recorded;

use crate::{State, failure::Failure, recorder::Raw};

/// `GET /api/v1/audit/records/{index}`
pub(crate) async fn record(
    From(state): From<State>,
    Path(index): Path<String>,
) -> Result<Json<Recorded>, Failure> {
    let number = number(&index)?;
    let Raw { entry, sealed } =
        state.recorder.entry(number).await?.ok_or_else(|| Failure::missing("record", &index))?;
    Ok(Json(recorded(number, sealed, &entry)))
}

/// `GET /api/v1/audit/records/{index}/proof`: a `tlog-proof` (C2SP) that verifies offline, with the entry in it.
pub(crate) async fn proof(From(state): From<State>, Path(index): Path<String>) -> Result<Response, Failure> {
    let number = number(&index)?;
    let proof = state.recorder.prove(number).await?.ok_or_else(|| Failure::missing("record", &index))?;
    let file = format!("attachment; filename=\"{number}.tlog-proof\"");
    let headers =
        [(header::CONTENT_TYPE, "text/plain; charset=utf-8"), (header::CONTENT_DISPOSITION, file.as_str())];
    Ok((headers, proof.to_string()).into_response())
}

/// An entry with its place. One that is no JSON, which somebody else must have written, is shown as text.
pub(crate) fn recorded(index: u64, sealed: bool, entry: &[u8]) -> Recorded {
    let record =
        serde_json::from_slice(entry).unwrap_or_else(|_| String::from_utf8_lossy(entry).into_owned().into());
    Recorded { index, sealed, record }
}

fn number(index: &str) -> Result<u64, Failure> {
    index.parse().map_err(|_| Failure::missing("record", index))
}
