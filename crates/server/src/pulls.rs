//! How often and when an image was pulled.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, State as From},
};
use boltseal_model::Digest;
use boltseal_store::Pulls;

use crate::{State, asking::Asking, failure::Failure};

/// Days shown when nobody says how many.
const DAYS: u64 = 30;
/// Days that are kept.
const MAX_DAYS: u64 = 400;

/// `GET /api/v1/images/{digest}/pulls?days=`: by repository, tag and day.
pub(crate) async fn of_image(
    From(state): From<State>,
    Path(digest): Path<String>,
    asking: Asking,
) -> Result<Json<Vec<Pulls>>, Failure> {
    let digest: Digest =
        digest.parse().map_err(|_| Failure::Asked(format!("{digest} is not a digest: sha256:…")))?;
    let days = asking.some("days").and_then(|text| text.parse().ok()).unwrap_or(DAYS).clamp(1, MAX_DAYS);
    let since = (state.now)() - Duration::from_hours(24 * (days - 1));
    Ok(Json(state.facts.pulls(&digest, since).await?))
}
