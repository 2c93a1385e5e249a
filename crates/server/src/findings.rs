//! What became newly vulnerable, and what is so no more, as far as whoever asks may see it.

use std::collections::BTreeMap;

use axum::{Json, extract::State as From};
use boltseal_api::findings as api;
use boltseal_model::{Digest, Severity, Timestamp};
use boltseal_store::{Cause, Change, ChangeFilter, ImagePlace, RunAt, RunWith, Standing};

use crate::{State, asking::Asking, control::By, failure::Failure, search::Seen};

/// Changes in an answer when nobody says how many, and at most.
pub(crate) const SHOWN: usize = 100;
const MAX_SHOWN: usize = 500;
/// Changes looked at for one answer, for those that may be seen.
const LOOKED_AT: usize = 5_000;
/// Changes read at a time.
const BATCH: u64 = 200;
/// Containers told of the images of one part.
const MOST_RUNNING: u64 = 5_000;
/// Characters of a pattern.
const MAX_PATTERN: usize = 255;

/// `GET /api/v1/findings/new?since=&severity=&cause=&repository=&limit=&after=`
pub(crate) async fn new(
    From(state): From<State>,
    by: By,
    asking: Asking,
) -> Result<Json<api::Changes>, Failure> {
    let causes = causes(asking.text("cause"))?;
    answer(&state, &by, &asking, causes).await
}

/// `GET /api/v1/findings/gone?since=&severity=&repository=&limit=&after=`
pub(crate) async fn gone(
    From(state): From<State>,
    by: By,
    asking: Asking,
) -> Result<Json<api::Changes>, Failure> {
    answer(&state, &by, &asking, vec![Cause::Gone]).await
}

/// Causes between commas; those that make an image newly vulnerable if there is none.
fn causes(text: &str) -> Result<Vec<Cause>, Failure> {
    if text.is_empty() {
        return Ok(Cause::NEWS.to_vec());
    }
    let told = |cause: &Cause| !matches!(cause, Cause::Push | Cause::Gone);
    let known = |word: &str| Cause::of_word(word.trim()).filter(told);
    text.split(',').map(known).collect::<Option<_>>().ok_or_else(|| {
        let all: Vec<&str> =
            Cause::ALL.iter().filter(|cause| told(cause)).map(|cause| cause.word()).collect();
        Failure::Asked(format!("`cause` is one or more of {}, with commas between", all.join(", ")))
    })
}

async fn answer(
    state: &State,
    by: &By,
    asking: &Asking,
    causes: Vec<Cause>,
) -> Result<Json<api::Changes>, Failure> {
    let wrong = |what: &str| Failure::Asked(what.to_owned());
    let since = match asking.some("since") {
        Some(text) => text.parse().map_err(|_| wrong("`since` is a time: 2026-03-01T12:00:00Z"))?,
        None => Timestamp::UNIX_EPOCH,
    };
    let severity = match asking.some("severity") {
        Some(word) => Some(word.parse::<Severity>().map_err(|_| wrong("`severity` is no severity"))?),
        None => None,
    };
    let below = match asking.some("after") {
        Some(text) => Some(text.parse().map_err(|_| wrong("`after` is a number: the `next` of a part"))?),
        None => None,
    };
    let repository = asking.some("repository");
    if repository.as_ref().is_some_and(|pattern| pattern.len() > MAX_PATTERN) {
        return Err(wrong("`repository` has at most 255 characters"));
    }
    let limit = asking.some("limit").and_then(|text| text.parse().ok()).unwrap_or(SHOWN).clamp(1, MAX_SHOWN);
    let filter = ChangeFilter { since, causes, severity, repository, below };
    Ok(Json(list(state, by, filter, limit).await?))
}

/// A part of the list.
pub(crate) async fn list(
    state: &State,
    by: &By,
    mut filter: ChangeFilter,
    limit: usize,
) -> Result<api::Changes, Failure> {
    let seen = Seen::of(state, by);
    let mut answer = api::Changes { at: (state.now)(), rows: Vec::new(), next: None };
    let mut looked_at = 0;
    loop {
        let batch = state.facts.finding_changes(&filter, BATCH).await?;
        let ended = (batch.len() as u64) < BATCH;
        let mut images: Vec<Digest> = batch.iter().map(|change| change.image.clone()).collect();
        images.sort_unstable();
        images.dedup();
        let places = state.facts.places(&images).await?;
        let running = running(state, &seen, &images).await?;
        looked_at += batch.len();
        for change in batch {
            filter.below = Some(change.number);
            let there = places.get(&change.image).map(Vec::as_slice).unwrap_or_default();
            let here = here(there, &seen, filter.repository.as_deref());
            if here.is_empty() {
                continue;
            }
            let there = running.get(&change.image).cloned();
            answer.rows.push(shown(change, here, there));
            if answer.rows.len() >= limit {
                answer.next = filter.below;
                return Ok(answer);
            }
        }
        if ended {
            return Ok(answer);
        }
        if looked_at >= LOOKED_AT {
            answer.next = filter.below;
            return Ok(answer);
        }
    }
}

/// Those places that the caller may see and asked for.
fn here(places: &[ImagePlace], seen: &Seen, pattern: Option<&str>) -> Vec<api::Place> {
    let fits = |name: &str| pattern.is_none_or(|pattern| boltseal_flow::pattern::fits(pattern, name));
    let wanted = places.iter().filter(|place| seen.sees(&place.repository) && fits(&place.repository));
    wanted
        .map(|place| api::Place {
            repository: place.repository.clone(),
            tags: place.tags.clone(),
            pulled: place.pulled.as_ref().map(|pulled| pulled.at),
            pulled_by: place.pulled.as_ref().and_then(|pulled| pulled.by.clone()).filter(|_| seen.all),
        })
        .collect()
}

/// Where images run, as nodes said last, for whoever may see all images.
async fn running(
    state: &State,
    seen: &Seen,
    images: &[Digest],
) -> Result<BTreeMap<Digest, Vec<api::Running>>, Failure> {
    let mut found: BTreeMap<Digest, Vec<api::Running>> = BTreeMap::new();
    if !seen.all || state.facts.nodes().await?.is_empty() {
        return Ok(found);
    }
    found.extend(images.iter().map(|image| (image.clone(), Vec::new())));
    for RunAt { host, run, .. } in state.facts.running(RunWith::Images(images), MOST_RUNNING).await? {
        let place = api::Running { place: format!("{host}: {}", run.container), since: Some(run.since) };
        found.entry(run.digest).or_default().push(place);
    }
    Ok(found)
}

fn shown(change: Change, places: Vec<api::Place>, running: Option<Vec<api::Running>>) -> api::Change {
    api::Change {
        number: change.number,
        noticed: change.at,
        cause: change.cause.word().to_owned(),
        since: change.since,
        digest: change.image.to_string(),
        vulnerability: change.vulnerability,
        title: change.title,
        now: standing(change.now),
        before: change.before.map(standing),
        package: change.package,
        purl: change.purl,
        installed: change.installed,
        path: change.path,
        places,
        running,
    }
}

fn standing(standing: Standing) -> api::Standing {
    api::Standing {
        severity: standing.severity.word().to_owned(),
        fixed: standing.fixed,
        exploited: standing.kev,
        epss: standing.epss,
    }
}
