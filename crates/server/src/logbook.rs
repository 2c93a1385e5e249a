//! Handlers of the pages of the log. The JSON of it is in `audit`.

use axum::{
    extract::{Path, State as From},
    response::Html,
};
use boltseal_audit::{log::Proof, query::Filter};
use boltseal_model::Timestamp;

use crate::{
    State,
    asking::Asking,
    audit::standing,
    failure::Failure,
    pages::{
        frame::{self, Part, Viewer},
        log::{self, Asked, entry},
    },
    parts::{bar::Share, timeline::Day},
    recorder::{Count, Lately},
};

/// Records on one page.
const ROWS: usize = 60;
/// Columns of the chart of days.
const DAYS: i64 = 30;
/// Columns of the chart of hours.
const HOURS: i64 = 48;
const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

type Answer = Result<Html<String>, Failure>;

/// `/log`
pub(crate) async fn list(From(state): From<State>, viewer: Viewer, asking: Asking) -> Answer {
    let asked = Asked::read(&asking);
    let filter = Filter::parse(asked.pairs.iter().map(|(name, value)| (*name, value.as_str())));
    let (filter, wrong) = match filter {
        Ok(filter) => (Some(filter), None),
        Err(wrong) => (None, Some(wrong.to_string())),
    };
    let page = match filter {
        Some(filter) => Some(state.recorder.page(filter, asked.before, ROWS).await?),
        None => None,
    };
    let chart = if asked.is_plain() { chart(&state.recorder.lately().await?, viewer.now) } else { None };
    let shown = log::Shown { standing: standing::of(&state), asked: &asked, page, wrong, chart };
    Ok(Html(frame::page(&viewer, Part::Log, "Audit log", &log::log(&viewer, &shown)).into_string()))
}

/// `/log/{index}`
pub(crate) async fn entry(From(state): From<State>, viewer: Viewer, Path(index): Path<String>) -> Answer {
    let missing = || Failure::missing("record", &index);
    let number: u64 = index.parse().map_err(|_| missing())?;
    let found = state.recorder.entry(number).await?.ok_or_else(missing)?;
    let proof = if found.sealed { state.recorder.prove(number).await? } else { None };
    let proof = proof.map(|proof| check(&state, proof, &found.entry));
    let shown = entry::Shown { index: number, entry: &found.entry, proof, entered: state.recorder.entered() };
    let title = format!("Record {number}");
    Ok(Html(frame::page(&viewer, Part::Log, &title, &entry::entry(&viewer, &shown)).into_string()))
}

/// Checks a proof as somebody without this server would.
fn check(state: &State, proof: Proof, entry: &[u8]) -> Result<Proof, String> {
    proof.verify(entry, state.recorder.verifier()).map_err(|wrong| wrong.to_string())?;
    Ok(proof)
}

/// By day, or by hour where everything happened within two days.
fn chart(lately: &Lately, now: Timestamp) -> Option<log::Chart> {
    let first = lately.hours.keys().next()?;
    let by_day = now.as_second() - first * HOUR > 2 * DAY;
    let (width, columns) = if by_day { (DAY, DAYS) } else { (HOUR, HOURS) };
    let last = now.as_second().div_euclid(width);
    let start = last - columns + 1;
    let days = (start..=last).map(|place| {
        let from = Timestamp::from_second(place * width).unwrap_or(Timestamp::MIN);
        let counts = lately.hours.range(place * width / HOUR..(place + 1) * width / HOUR);
        let count = counts.fold(Count::default(), |sum, (_, count)| sum.and(*count));
        let name = from.strftime(if by_day { "%-d %B" } else { "%-d %B, %H:00" }).to_string();
        Day { name, shares: shares(count) }
    });
    Some(log::Chart { days: days.collect(), by_day, passed_over: lately.passed_over })
}

fn shares(count: Count) -> Vec<Share> {
    let done = count.all.saturating_sub(count.denied + count.failed);
    vec![
        Share { class: "v-denied", word: "denied", count: count.denied },
        Share { class: "v-broken", word: "failed", count: count.failed },
        Share { class: "v-done", word: "done", count: done },
    ]
}
