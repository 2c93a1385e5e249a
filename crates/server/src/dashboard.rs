//! Handlers of the pages: read the address, ask the store, hand the values to a page.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{FromRequestParts, Path, State as From},
    http::{HeaderMap, HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Response},
};
use boltseal_identity::Action;
use boltseal_model::{Digest, Severity, SnapshotInfo, Timestamp};
use boltseal_policy::describe;
use boltseal_store::{Facts, ImageFilter, ImageSort, Page, Pushes, VulnerabilityFilter, VulnerabilitySort};
use maud::Markup;

use crate::{
    State,
    asking::Asking,
    assets,
    attention::{self, Attention},
    audit::standing,
    browse, credentials, exceptions,
    failure::Failure,
    pages::{
        self, about, feeds,
        frame::{Part, Viewer},
        image, images, overview, policy, vulnerabilities, vulnerability,
    },
    parts::{bar::Share, list::ROWS, timeline::Day},
    people::may,
    remedies::{Remedy, remedies},
};

/// Days of the timeline.
const DAYS: i64 = 30;
/// Upgrades on the front page.
const REMEDIES: usize = 7;
/// Pushes on the front page.
const RECENT: u64 = 6;

type Answer = Result<Html<String>, Failure>;

impl FromRequestParts<State> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Infallible> {
        Ok(Self::of(state, parts.extensions.get().cloned(), &parts.headers, &parts.uri).await)
    }
}

/// `/`
pub(crate) async fn overview(From(state): From<State>, viewer: Viewer) -> Answer {
    let facts = &state.facts;
    let (totals, severities) = (facts.totals().await?, facts.severities().await?);
    let snapshot = snapshot(&state);
    let active = state.policy.borrow().clone();
    let recent = facts.images(&ImageFilter::default(), Page { offset: 0, limit: RECENT }).await?;
    let mut attention = concerns(&state, &viewer).await?;
    attention.extend(attention::attention(&totals, &severities, snapshot.as_deref(), viewer.now));
    attention.extend(credentials::concerns(&facts.observations(viewer.now).await?));
    let news = overview::News {
        day: facts.newly_vulnerable(viewer.now - Duration::from_hours(24)).await?,
        week: facts.newly_vulnerable(viewer.now - Duration::from_hours(7 * 24)).await?,
    };
    let shown = overview::Overview {
        news,
        site: &state.site,
        attention,
        remedies: worst(facts, REMEDIES).await?,
        days: days(facts, viewer.now).await?,
        recent: recent.rows,
        snapshot: snapshot.as_deref(),
        policy: active.policy.name(),
        totals,
        severities,
    };
    Ok(page(&viewer, Part::Overview, "Overview", &overview::overview(&viewer, &shown)))
}

/// What of access and of the log the viewer should look at.
async fn concerns(state: &State, viewer: &Viewer) -> Result<Vec<Attention>, Failure> {
    let lately = state.recorder.lately().await?;
    let (status, directory) = (standing::of(state), state.access.authority().directory());
    let log = viewer.parts.contains(&Part::Log).then_some((&status, &lately));
    let directory = viewer.parts.contains(&Part::Access).then_some(&*directory);
    Ok(attention::concerns(log, directory, viewer.now))
}

/// The upgrades that help most, with how many images each helps.
pub(crate) async fn worst(facts: &Facts, limit: usize) -> Result<Vec<Remedy>, boltseal_store::Error> {
    let mut found = remedies(&facts.fixes().await?, limit);
    for remedy in &mut found {
        let purls: Vec<&str> = remedy.purls.iter().map(String::as_str).collect();
        remedy.images = facts.images_fixed_by(&purls).await?;
    }
    Ok(found)
}

async fn days(facts: &Facts, now: Timestamp) -> Result<Vec<Day>, boltseal_store::Error> {
    let today = now.as_second().div_euclid(86_400);
    let first = today - DAYS + 1;
    let since = Timestamp::from_second(first * 86_400).unwrap_or(Timestamp::MIN);
    let pushes = facts.pushes(since).await?;
    Ok((first..=today)
        .map(|day| {
            let date = Timestamp::from_second(day * 86_400).unwrap_or(Timestamp::MIN);
            let name = date.strftime("%-d %B").to_string();
            Day { name, shares: pushes.iter().filter(|push| push.day == day).map(share).collect() }
        })
        .collect())
}

fn share(push: &Pushes) -> Share {
    use boltseal_model::Decision::{Allow, Deny, Unknown, Warn};
    use boltseal_store::State::{Failed, Judged, Pending};
    let (class, word) = match (push.state, push.decision) {
        (Some(Judged), Some(Allow)) => ("v-allow", "allow"),
        (Some(Judged), Some(Warn)) => ("v-warn", "warn"),
        (Some(Judged), Some(Deny)) => ("v-deny", "deny"),
        (Some(Judged), Some(Unknown) | None) => ("v-unknown", "unknown"),
        (Some(Failed), _) => ("v-failed", "failed"),
        (Some(Pending) | None, _) => ("v-pending", "pending"),
    };
    Share { class, word, count: push.images }
}

/// `/images`
pub(crate) async fn images(From(state): From<State>, viewer: Viewer, asking: Asking) -> Answer {
    let asked = images::Asked {
        q: asking.text("q").to_owned(),
        repository: asking.text("repository").to_owned(),
        package: asking.text("package").to_owned(),
        having: asking.word("having", [""].into_iter().chain(images::HAVING.map(|(word, _)| word))),
        verdict: asking.word("verdict", [""].into_iter().chain(images::VERDICTS)),
        sort: asking.word("sort", images::SORTS.map(|(key, _)| key)),
        page: asking.number("page", 1),
    };
    let filter = ImageFilter {
        repository: asking.some("repository"),
        text: asking.some("q"),
        decision: asked.decision(),
        state: asked.state(),
        package: asking.some("package"),
        having: credentials::having(&asked.having, viewer.now),
        sort: image_sort(&asked.sort),
        ..ImageFilter::default()
    };
    let listing = state.facts.images(&filter, turned(asked.page)).await?;
    let body = images::images(&viewer, &state.site, &asked, &listing.rows, listing.total);
    Ok(page(&viewer, Part::Images, "Images", &body))
}

/// The order that a word names.
pub(crate) fn image_sort(word: &str) -> ImageSort {
    match word {
        "name" => ImageSort::Name,
        "severity" => ImageSort::Severity,
        "verdict" => ImageSort::Verdict,
        "size" => ImageSort::Size,
        _ => ImageSort::Pushed,
    }
}

/// `/images/{digest}`
pub(crate) async fn image(
    From(state): From<State>,
    viewer: Viewer,
    Path(digest): Path<String>,
    asking: Asking,
) -> Answer {
    let missing = || Failure::missing("image", &digest);
    let wanted: Digest = digest.parse().map_err(|_| missing())?;
    let detail = state.facts.image(&wanted).await?.ok_or_else(missing)?;
    let row = detail.rows.first().ok_or_else(missing)?;
    let asked =
        image::Asked { view: image::View::of_word(asking.text("view")), q: asking.text("q").to_owned() };
    let known = browse::image::known(&state, &viewer, &detail, asked.view).await?;
    let body = image::image(&viewer, &state.site, &detail, row, &known, &asked);
    Ok(page(&viewer, Part::Images, &images::name(row), &body))
}

/// `/vulnerabilities`
pub(crate) async fn vulnerabilities(From(state): From<State>, viewer: Viewer, asking: Asking) -> Answer {
    let asked = vulnerabilities::Asked {
        q: asking.text("q").to_owned(),
        severity: asking.text("severity").parse::<Severity>().ok(),
        fixable: asking.ticked("fixable"),
        kev: asking.ticked("kev"),
        sort: asking.word("sort", vulnerabilities::SORTS.map(|(key, _)| key)),
        page: asking.number("page", 1),
    };
    let filter = VulnerabilityFilter {
        text: asking.some("q"),
        severity: asked.severity,
        fixable: asked.fixable,
        kev: asked.kev,
        sort: vulnerability_sort(&asked.sort),
    };
    let listing = state.facts.vulnerabilities(&filter, turned(asked.page)).await?;
    let body = vulnerabilities::vulnerabilities(&viewer, &asked, &listing.rows, listing.total);
    Ok(page(&viewer, Part::Vulnerabilities, "Vulnerabilities", &body))
}

/// The order that a word names.
pub(crate) fn vulnerability_sort(word: &str) -> VulnerabilitySort {
    match word {
        "images" => VulnerabilitySort::Images,
        "epss" => VulnerabilitySort::Epss,
        "id" => VulnerabilitySort::Id,
        _ => VulnerabilitySort::Risk,
    }
}

/// `/vulnerabilities/{id}`
pub(crate) async fn vulnerability(
    From(state): From<State>,
    viewer: Viewer,
    Path(id): Path<String>,
) -> Answer {
    let found = state.facts.vulnerability(&id).await?;
    let detail = found.ok_or_else(|| Failure::missing("vulnerability in what is stored called", &id))?;
    let body = vulnerability::vulnerability(&viewer, &detail);
    Ok(page(&viewer, Part::Vulnerabilities, &detail.row.id, &body))
}

/// `/feeds`
pub(crate) async fn feeds(From(state): From<State>, viewer: Viewer) -> Html<String> {
    page(&viewer, Part::Feeds, "Feeds", &feeds::feeds(&viewer, snapshot(&state).as_deref()))
}

/// `/policy`
pub(crate) async fn policy(From(state): From<State>, viewer: Viewer) -> Result<Html<String>, Failure> {
    let active = state.policy.borrow().clone();
    let shown = policy::Shown {
        name: active.policy.name(),
        digest: active.policy.text_digest().to_string(),
        rules: &describe(&active.policy),
        exceptions: &exceptions::all(&state).await?,
        may_approve: may(&state, &viewer, Action::ExceptionApprove),
        text: &active.text,
    };
    Ok(page(&viewer, Part::Policy, "Policy", &policy::policy(&viewer, &shown)))
}

/// `/about`
pub(crate) async fn about(From(state): From<State>, viewer: Viewer) -> Html<String> {
    let active = state.policy.borrow().clone();
    let body = about::about(&viewer, &state.site, snapshot(&state).as_deref(), active.policy.name());
    page(&viewer, Part::Elsewhere, "About", &body)
}

/// `/assets/{name}`: kept by browsers for a year when asked for by its version, since then it never changes.
pub(crate) async fn asset(Path(name): Path<String>, asking: Asking) -> Result<Response, Failure> {
    let asset = assets::by_name(&name).ok_or_else(|| Failure::missing("file", &name))?;
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(asset.media_type()));
    let keep = if asking.text("v").is_empty() { "no-cache" } else { "public, max-age=31536000, immutable" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(keep));
    Ok((headers, asset.content()).into_response())
}

/// `/favicon.ico`: what browsers ask for on pages that are not ours.
pub(crate) async fn favicon() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(header::LOCATION, assets::SEAL.address())]).into_response()
}

/// The feeds in use.
pub(crate) fn snapshot(state: &State) -> Option<Arc<SnapshotInfo>> {
    state.snapshot.borrow().clone()
}

/// The part of a list that a page shows; pages count from 1.
pub(crate) fn turned(page: u64) -> Page {
    Page { offset: (page - 1).saturating_mul(ROWS), limit: ROWS }
}

/// A whole page.
pub(crate) fn page(viewer: &Viewer, part: Part, title: &str, body: &Markup) -> Html<String> {
    Html(pages::frame::page(viewer, part, title, body).into_string())
}
