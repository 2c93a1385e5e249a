//! Images that should be built again.

use axum::{extract::State as From, response::Html};

use crate::{
    State, aging,
    asking::Asking,
    dashboard::page,
    failure::Failure,
    pages::{
        frame::{Part, Viewer},
        registry::aging as aging_page,
    },
};

/// `/aging`
pub(crate) async fn list(
    From(state): From<State>,
    viewer: Viewer,
    asking: Asking,
) -> Result<Html<String>, Failure> {
    let days = |name: &str| asking.text(name).parse::<u64>().ok();
    let mut wanted = aging::Wanted { in_use: days("in_use"), ..aging::Wanted::default() };
    wanted.older_than = days("older").unwrap_or(wanted.older_than);
    let mut part = aging::part(&state, wanted, asking.text("after")).await?;
    part.images.sort_by(|a, b| a.built.cmp(&b.built).then_with(|| a.digest.cmp(&b.digest)));
    Ok(page(&viewer, Part::Registry, "Aging", &aging_page::aging(&viewer, wanted, &part)))
}
