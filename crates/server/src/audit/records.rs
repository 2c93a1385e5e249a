//! Single entries, pages of them, proofs.

use axum::{
    Json,
    extract::{Path, State as From},
    http::header,
    response::{IntoResponse, Response},
};
use boltseal_api::audit::{Recorded, Records};
use boltseal_audit::query::Filter;

use crate::{State, asking::Asking, failure::Failure, recorder::Raw};

/// Most records of a page.
const MAX_PAGE: u64 = 1_000;
/// Records of a page, unless asked otherwise.
const PAGE: u64 = 50;
/// Pairs of the query that are not part of the filter.
const PLACE: [&str; 2] = ["before", "limit"];

/// `GET /api/v1/audit/records?who=&action=&…&before=&limit=`: newest first.
pub(crate) async fn records(From(state): From<State>, asking: Asking) -> Result<Json<Records>, Failure> {
    let filter = Filter::parse(asking.pairs().filter(|(name, _)| !PLACE.contains(name)));
    let filter = filter.map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let before = asking.some("before").map(|before| before.parse()).transpose();
    let before = before.map_err(|_| Failure::Asked("`before` is the `next` of a page".to_owned()))?;
    let limit = asking.some("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE).clamp(1, MAX_PAGE);
    let page = state.recorder.page(filter, before, usize::try_from(limit).unwrap_or(1)).await?;
    let records = page.found.iter().map(|found| recorded(found.index, found.sealed, &found.entry)).collect();
    Ok(Json(Records { records, next: page.next, scanned: page.scanned }))
}

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
