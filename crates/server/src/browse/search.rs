//! Finding things by name.

use axum::{extract::State as From, response::Html};
use boltseal_api::search::Found;

use crate::{
    State,
    asking::Asking,
    control::By,
    dashboard::page,
    failure::Failure,
    pages::{
        frame::{Part, Viewer},
        registry::search as search_page,
    },
    search,
};

/// `/search`
pub(crate) async fn show(
    From(state): From<State>,
    viewer: Viewer,
    by: By,
    asking: Asking,
) -> Result<Html<String>, Failure> {
    let asked = search_page::Asked {
        q: asking.text("q").to_owned(),
        kind: asking.word("kind", [""].into_iter().chain(search::KINDS)),
    };
    let found = if search::LENGTHS.contains(&asked.q.chars().count()) {
        search::find(&state, &by, &asked.q, &asked.kind, search::SHOWN).await?
    } else {
        Found::default()
    };
    Ok(page(&viewer, Part::Registry, "Search", &search_page::search(&viewer, &asked, &found)))
}
