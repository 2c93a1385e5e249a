//! Repositories, and one of them.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State as From},
    response::Html,
};
use boltseal_store::{ImageFilter, Kind};

use super::{days, since};
use crate::{
    State,
    asking::Asking,
    dashboard::{image_sort, page, turned},
    failure::Failure,
    pages::{
        frame::{Part, Viewer},
        images,
        registry::{repositories, repository},
    },
};

type Answer = Result<Html<String>, Failure>;

/// `/repositories`
pub(crate) async fn list(From(state): From<State>, viewer: Viewer, asking: Asking) -> Answer {
    let asked = repositories::Asked {
        q: asking.text("q").to_owned(),
        sort: asking.word("sort", repositories::SORTS.map(|(key, ..)| key)),
        page: asking.number("page", 1),
    };
    let listing = state.facts.repository_rows(&asked.q, asked.sort(), turned(asked.page)).await?;
    let body = repositories::repositories(&viewer, &state.site, &asked, &listing.rows, listing.total);
    Ok(page(&viewer, Part::Registry, "Repositories", &body))
}

/// `/repositories/{name}`
pub(crate) async fn one(
    From(state): From<State>,
    viewer: Viewer,
    Path(name): Path<String>,
    asking: Asking,
) -> Answer {
    let row = state.facts.repository_row(&name).await?;
    let row = row.ok_or_else(|| Failure::missing("repository", &name))?;
    let asked = repository::Asked {
        q: asking.text("q").to_owned(),
        sort: asking.word("sort", images::SORTS.map(|(key, _)| key)),
        page: asking.number("page", 1),
    };
    let filter = ImageFilter {
        repository: Some(name.clone()),
        text: asking.some("q"),
        sort: image_sort(&asked.sort),
        ..ImageFilter::default()
    };
    let listing = state.facts.images(&filter, turned(asked.page)).await?;
    let mut children = BTreeMap::new();
    for index in listing.rows.iter().filter(|row| row.kind == Kind::Index) {
        children.insert(index.digest.clone(), state.facts.index_children(&name, &index.digest).await?);
    }
    let digests: Vec<_> = listing.rows.iter().map(|row| row.digest.clone()).collect();
    let pulls = state.facts.repository_pulls(&name, since(viewer.now)).await?;
    let shown = repository::Shown {
        row: &row,
        images: &listing.rows,
        total: listing.total,
        children,
        pulls: state.facts.pull_sums(&name, &digests).await?,
        locks: &state.facts.locks(&name).await?,
        days: days(&pulls.iter(), viewer.now),
    };
    let body = repository::repository(&viewer, &state.site, &asked, &shown);
    Ok(page(&viewer, Part::Registry, &name, &body))
}
