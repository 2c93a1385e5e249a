//! What became newly vulnerable.

use std::time::Duration;

use axum::{extract::State as From, response::Html};
use boltseal_store::ChangeFilter;

use crate::{
    State,
    asking::Asking,
    control::By,
    dashboard::page,
    failure::Failure,
    findings,
    pages::{
        findings::news::{self, Asked, DAYS},
        frame::{Part, Viewer},
    },
};

/// Days when nobody says how many.
const WEEK: u64 = 7;

/// `/findings/new`
pub(crate) async fn show(
    From(state): From<State>,
    viewer: Viewer,
    by: By,
    asking: Asking,
) -> Result<Html<String>, Failure> {
    let below = asking.text("after").parse().ok();
    let asked = Asked {
        days: asking.text("days").parse().ok().filter(|days| DAYS.contains(days)).unwrap_or(WEEK),
        severity: asking.text("severity").parse().ok(),
        repository: asking.text("repository").to_owned(),
        further: below.is_some(),
    };
    let filter = ChangeFilter {
        since: viewer.now - Duration::from_hours(24 * asked.days),
        severity: asked.severity,
        repository: asking.some("repository"),
        below,
        ..ChangeFilter::default()
    };
    let found = findings::list(&state, &by, filter, findings::SHOWN).await?;
    Ok(page(&viewer, Part::Vulnerabilities, "Newly vulnerable", &news::news(&viewer, &asked, &found)))
}
