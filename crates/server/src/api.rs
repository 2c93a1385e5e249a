//! The JSON API: the same values as the pages, described by `docs/reference/openapi.json`.

use axum::{
    Json,
    extract::{Path, State as From},
    http::header,
    response::{IntoResponse, Response},
};
use boltseal_model::{Decision, Digest, FeedInfo, Severity};
use boltseal_policy::{ExceptionDoc, RuleDoc, describe, exceptions};
use boltseal_scan::format;
use boltseal_store::{
    ImageFilter, ImageRow, Listing, Page, ReferrerRow, Severities, State as Progress, Totals,
    VulnerabilityDetail, VulnerabilityFilter, VulnerabilityRow,
};
use serde::Serialize;

use crate::{
    State,
    asking::Asking,
    credentials,
    dashboard::{image_sort, snapshot, vulnerability_sort, worst},
    failure::Failure,
    pages::feeds,
    remedies::Remedy,
};

/// Upgrades in the overview.
const REMEDIES: usize = 20;

/// The document that describes all this.
const OPENAPI: &str = include_str!("../../../docs/reference/openapi.json");
/// What a report looks like; the document above refers to it.
const REPORT_SCHEMA: &str = include_str!("../../../docs/reference/report.schema.json");

type Answer<T> = Result<Json<T>, Failure>;

/// `GET /api/v1/version`
pub(crate) async fn version(From(state): From<State>) -> Json<serde_json::Value> {
    Json(serde_json::json!({ "version": state.site.version }))
}

/// `GET /api/v1/openapi.json`
pub(crate) async fn openapi() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}

/// `GET /api/v1/report.schema.json`
pub(crate) async fn report_schema() -> Response {
    ([(header::CONTENT_TYPE, "application/schema+json")], REPORT_SCHEMA).into_response()
}

#[derive(Serialize)]
pub(crate) struct Overview {
    totals: Totals,
    vulnerabilities: Severities,
    upgrades: Vec<Remedy>,
}

/// `GET /api/v1/overview`
pub(crate) async fn overview(From(state): From<State>) -> Answer<Overview> {
    Ok(Json(Overview {
        totals: state.facts.totals().await?,
        vulnerabilities: state.facts.severities().await?,
        upgrades: worst(&state.facts, REMEDIES).await?,
    }))
}

/// `GET /api/v1/images`
pub(crate) async fn images(From(state): From<State>, asking: Asking) -> Answer<Listing<ImageRow>> {
    let verdict = asking.text("verdict");
    let decision = decision(verdict);
    let progress = match verdict {
        "pending" => Some(Progress::Pending),
        "failed" => Some(Progress::Failed),
        "" => None,
        _ if decision.is_some() => None,
        other => {
            let known = "allow, warn, deny, unknown, pending or failed";
            return Err(Failure::Asked(format!("verdict `{other}` is not known: use {known}")));
        }
    };
    let having = match asking.text("having") {
        "" => None,
        word => Some(credentials::having(word, (state.now)()).ok_or_else(|| {
            let known: Vec<&str> = crate::pages::images::HAVING.iter().map(|(word, _)| *word).collect();
            Failure::Asked(format!("having `{word}` is not known: use {}", known.join(", ")))
        })?),
    };
    let filter = ImageFilter {
        repository: asking.some("repository"),
        text: asking.some("q"),
        decision,
        state: progress,
        package: asking.some("package"),
        having,
        sort: image_sort(asking.text("sort")),
        artifacts: asking.ticked("artifacts"),
        children: asking.ticked("children"),
    };
    Ok(Json(state.facts.images(&filter, part(&asking)).await?))
}

/// An image without its report, which can be large and has its own address.
#[derive(Serialize)]
pub(crate) struct Image {
    digest: Digest,
    repositories: Vec<ImageRow>,
    error: Option<String>,
    platforms: Vec<ImageRow>,
    referrers: Vec<ReferrerRow>,
}

/// `GET /api/v1/images/{digest}`
pub(crate) async fn image(From(state): From<State>, Path(digest): Path<String>) -> Answer<Image> {
    let wanted = parse(&digest)?;
    let detail = state.facts.image(&wanted).await?.ok_or_else(|| Failure::missing("image", &digest))?;
    Ok(Json(Image {
        digest: wanted,
        repositories: detail.rows,
        error: detail.error,
        platforms: detail.children,
        referrers: detail.referrers,
    }))
}

/// `GET /api/v1/images/{digest}/report?format=…`
pub(crate) async fn report(
    From(state): From<State>,
    Path(digest): Path<String>,
    asking: Asking,
) -> Result<Response, Failure> {
    let name = asking.some("format").unwrap_or_else(|| "json".to_owned());
    let format = format::by_name(&name).ok_or_else(|| {
        let known: Vec<&str> = format::ALL.iter().map(|format| format.name).collect();
        Failure::Asked(format!("format `{name}` is not known: use {}", known.join(", ")))
    })?;
    let missing = || Failure::missing("report of image", &digest);
    let report = state.facts.report(&parse(&digest)?).await?.ok_or_else(missing)?;
    let text =
        tokio::task::spawn_blocking(move || format.text(&report)).await.map_err(std::io::Error::other)??;
    let mut response = ([(header::CONTENT_TYPE, format.media_type)], text).into_response();
    let file = format!("inline; filename=\"{}.{name}.{}\"", digest.replace(':', "-"), format.extension);
    if let Ok(file) = file.try_into() {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, file);
    }
    Ok(response)
}

/// `GET /api/v1/vulnerabilities`
pub(crate) async fn vulnerabilities(
    From(state): From<State>,
    asking: Asking,
) -> Answer<Listing<VulnerabilityRow>> {
    let severity = asking.some("severity").map(|word| word.parse::<Severity>()).transpose();
    let filter = VulnerabilityFilter {
        text: asking.some("q"),
        severity: severity.map_err(|error| Failure::Asked(error.to_string()))?,
        fixable: asking.ticked("fixable"),
        kev: asking.ticked("kev"),
        sort: vulnerability_sort(asking.text("sort")),
    };
    Ok(Json(state.facts.vulnerabilities(&filter, part(&asking)).await?))
}

/// `GET /api/v1/vulnerabilities/{id}`
pub(crate) async fn vulnerability(
    From(state): From<State>,
    Path(id): Path<String>,
) -> Answer<VulnerabilityDetail> {
    let found = state.facts.vulnerability(&id).await?;
    found.map(Json).ok_or_else(|| Failure::missing("vulnerability in what is stored called", &id))
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "the word of the API")]
pub(crate) struct Feeds {
    snapshot: Option<String>,
    built: Option<boltseal_model::Timestamp>,
    feeds: Vec<Feed>,
}

#[derive(Serialize)]
struct Feed {
    #[serde(flatten)]
    info: FeedInfo,
    stale: bool,
}

/// `GET /api/v1/feeds`
pub(crate) async fn feeds(From(state): From<State>) -> Json<Feeds> {
    let now = (state.now)();
    let Some(snapshot) = snapshot(&state) else {
        return Json(Feeds { snapshot: None, built: None, feeds: Vec::new() });
    };
    let feeds = snapshot.feeds.iter().map(|info| Feed { stale: feeds::stale(info, now), info: info.clone() });
    Json(Feeds { snapshot: Some(snapshot.id.clone()), built: Some(snapshot.built), feeds: feeds.collect() })
}

#[derive(Serialize)]
pub(crate) struct Policy {
    name: String,
    digest: Digest,
    text_digest: Digest,
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revision: Option<u64>,
    rules: Vec<RuleDoc>,
    exceptions: Vec<ExceptionDoc>,
    text: String,
}

/// `GET /api/v1/policy`
pub(crate) async fn policy(From(state): From<State>) -> Json<Policy> {
    let active = state.policy.borrow().clone();
    Json(Policy {
        name: active.policy.name().to_owned(),
        digest: active.policy.digest().clone(),
        text_digest: active.policy.text_digest().clone(),
        version: active.version,
        revision: active.policy.revision(),
        rules: describe(&active.policy),
        exceptions: exceptions(&active.policy),
        text: active.text.clone(),
    })
}

/// `GET /healthz`: the process answers.
pub(crate) async fn healthy() -> Json<serde_json::Value> {
    Json(serde_json::json!({ "status": "ok" }))
}

/// `GET /readyz`: the store answers as well, and what is done can be recorded.
pub(crate) async fn ready(From(state): From<State>) -> Answer<serde_json::Value> {
    if let Some(why) = &state.recorder.state().borrow().closed {
        return Err(boltseal_store::Error::LogClosed(why.clone()).into());
    }
    state.facts.totals().await?;
    Ok(Json(serde_json::json!({ "status": "ok" })))
}

fn parse(digest: &str) -> Result<Digest, Failure> {
    digest.parse().map_err(|error: boltseal_model::DigestError| Failure::Asked(error.to_string()))
}

fn decision(word: &str) -> Option<Decision> {
    [Decision::Allow, Decision::Warn, Decision::Unknown, Decision::Deny]
        .into_iter()
        .find(|d| d.word() == word)
}

fn part(asking: &Asking) -> Page {
    let limit = asking.some("limit").and_then(|limit| limit.parse().ok()).unwrap_or(50);
    Page { offset: asking.number("offset", 0), limit: limit.min(Page::MAX) }
}
