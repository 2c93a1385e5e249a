//! Credentials that lie in images.

use axum::{
    extract::{Path, State as From},
    response::Html,
};

use crate::{
    State,
    asking::Asking,
    control::By,
    credentials::{filter, located, part},
    dashboard::page,
    failure::Failure,
    pages::{
        frame::{Part, Viewer},
        registry::{credential as one_page, credentials as list_page},
    },
};

/// Rows of a page.
const ROWS: usize = 50;

/// `/credentials`
pub(crate) async fn list(
    From(state): From<State>,
    viewer: Viewer,
    by: By,
    asking: Asking,
) -> Result<Html<String>, Failure> {
    let filter = filter(&asking)?;
    let found = part(&state, &by, &filter, asking.text("after"), ROWS).await?;
    let kinds = state.facts.credential_rules().await?;
    let body = list_page::credentials(&viewer, &filter, &kinds, &found, !asking.text("after").is_empty());
    Ok(page(&viewer, Part::Credentials, "Credentials", &body))
}

/// `/credentials/{fingerprint}`
pub(crate) async fn one(
    From(state): From<State>,
    viewer: Viewer,
    by: By,
    Path(fingerprint): Path<String>,
) -> Result<Html<String>, Failure> {
    let found = located(&state, &by, &fingerprint).await?;
    let body = one_page::credential(&viewer, &found);
    Ok(page(&viewer, Part::Credentials, &found.credential.title, &body))
}
