//! What is stored, what of it is garbage or damaged, and the work that goes on with it. The registry does the work;
//! here it is asked for, watched and stopped.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use boltseal_api::storage::{
    Content, Disk, Garbage, GarbageSettings, Job, NewCollection, NewScrub, RepositorySize, Rotten, Storage,
};
use boltseal_audit::record::Activity;
use boltseal_model::Timestamp;
use boltseal_store::{Document, Job as Stored, JobState};
use serde::Serialize;

use crate::{
    State,
    asking::Asking,
    control::{By, done, read},
    failure::Failure,
    settings,
};

/// The kind of the job that collects garbage.
const COLLECT: &str = "collect";
/// The kind of the job that reads everything again.
const SCRUB: &str = "scrub";
/// Kinds whose spec may be shown: those of others may hold sealed credentials.
const PLAIN: &[&str] = &[COLLECT, SCRUB, "retention", "reopen"];
/// Where it is, in records.
const PLACE: &str = "/registries/main/storage";
/// Examples of garbage.
const EXAMPLES: u64 = 20;
/// Damaged contents and jobs listed at most.
const MAX_LISTED: u64 = 200;
/// Repositories listed unless told otherwise.
const TOP: u64 = 10;

/// `GET /api/v1/garbage`: what would go now.
pub(crate) async fn garbage(From(state): From<State>) -> Result<Json<Garbage>, Failure> {
    let settings = current(&state).await?;
    let before = before(&state, settings.grace);
    let counted = state.facts.garbage(before).await?;
    let sample = state.facts.garbage_sample(before, EXAMPLES).await?;
    let last = state.facts.jobs(Some(COLLECT), 1).await?.pop();
    Ok(Json(Garbage {
        settings,
        contents: counted.contents,
        bytes: counted.bytes,
        unlinked: counted.unlinked,
        largest: sample
            .largest
            .into_iter()
            .map(|(digest, bytes)| Content { digest: digest.to_string(), bytes })
            .collect(),
        repositories: sample
            .repositories
            .into_iter()
            .map(|(name, contents, bytes)| RepositorySize { name, contents, bytes })
            .collect(),
        last: last.map(|job| shown(job, (state.now)())),
    }))
}

/// `POST /api/v1/garbage/collections`
pub(crate) async fn collect(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: NewCollection = read(request).await?;
    start(&state, &by, COLLECT, &asked, "garbage").await
}

/// `POST /api/v1/scrubs`
pub(crate) async fn scrub(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: NewScrub = read(request).await?;
    if asked.rate.is_some_and(|rate| rate < GarbageSettings::MIN_RATE) {
        return Err(too_slow());
    }
    start(&state, &by, SCRUB, &asked, "scrub").await
}

/// `GET /api/v1/garbage/settings`
pub(crate) async fn show_settings(From(state): From<State>) -> Result<Json<GarbageSettings>, Failure> {
    Ok(Json(current(&state).await?))
}

/// `PUT /api/v1/garbage/settings`
pub(crate) async fn put_settings(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Json<GarbageSettings>, Failure> {
    let asked: GarbageSettings = read(request).await?;
    if asked.scrub_rate < GarbageSettings::MIN_RATE {
        return Err(too_slow());
    }
    let record = settings::changed(&state, &by, Activity::Update, PLACE, "garbage").await?;
    let record = record.detail("after", serde_json::to_value(&asked).unwrap_or_default());
    let body = written(&asked)?;
    let (kind, id) = (GarbageSettings::KIND.to_owned(), GarbageSettings::ID.to_owned());
    let document = Document { kind, id, body: Some(body) };
    state.facts.recording(vec![record.entry()]).change_settings(vec![document]).await?;
    Ok(Json(asked))
}

/// `GET /api/v1/jobs?kind=&limit=`: newest first.
pub(crate) async fn jobs(From(state): From<State>, asking: Asking) -> Result<Json<Vec<Job>>, Failure> {
    let limit = asking.text("limit").parse().unwrap_or(MAX_LISTED).min(MAX_LISTED);
    let jobs = state.facts.jobs(asking.some("kind").as_deref(), limit).await?;
    let now = (state.now)();
    Ok(Json(jobs.into_iter().map(|job| shown(job, now)).collect()))
}

/// `GET /api/v1/jobs/{id}`
pub(crate) async fn job(From(state): From<State>, Path(id): Path<String>) -> Result<Json<Job>, Failure> {
    let job = state.facts.job(&id).await?.ok_or_else(|| Failure::missing("job", &id))?;
    Ok(Json(shown(job, (state.now)())))
}

/// `DELETE /api/v1/jobs/{id}`: it ends where it can go on later.
pub(crate) async fn stop(
    From(state): From<State>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let job = state.facts.job(&id).await?.ok_or_else(|| Failure::missing("job", &id))?;
    if job.state.is_over() {
        return Err(Failure::Conflict(format!("job {id} is over: {}", job.state.word())));
    }
    let record = settings::changed(&state, &by, Activity::Update, PLACE, &job.kind).await?;
    let record = record.status("a job was told to stop").detail("job", id.clone());
    state.facts.recording(vec![record.entry()]).stop_job(&id).await?;
    Ok(done())
}

/// `GET /api/v1/storage?top=`
pub(crate) async fn storage(From(state): From<State>, asking: Asking) -> Result<Json<Storage>, Failure> {
    let facts = &state.facts;
    let top = asking.text("top").parse().unwrap_or(TOP).min(MAX_LISTED);
    let counted = facts.storage().await?;
    let settings = current(&state).await?;
    let mut rotten = Vec::new();
    for one in facts.rotten(MAX_LISTED).await? {
        let repositories = facts.repositories_with(&one.digest).await?;
        rotten.push(Rotten {
            digest: one.digest.to_string(),
            bytes: one.size,
            found: one.scrubbed,
            why: one.rotten.unwrap_or_default(),
            repositories,
        });
    }
    let disk = facts.setting(Disk::SETTING).await?;
    let disk: Option<Disk> = disk.and_then(|text| serde_json::from_str(&text).ok());
    let largest = facts.largest_repositories(top).await?;
    Ok(Json(Storage {
        contents: counted.contents,
        bytes: counted.bytes,
        referenced: counted.referenced,
        dedupe_ratio: ratio(counted.referenced, counted.bytes),
        repositories: counted.repositories,
        largest: largest
            .into_iter()
            .map(|one| RepositorySize { name: one.name, contents: one.contents, bytes: one.bytes })
            .collect(),
        garbage_bytes: facts.garbage(before(&state, settings.grace)).await?.bytes,
        rotten,
        rotten_count: counted.rotten,
        disk_free: disk.as_ref().map(|disk| disk.free),
        disk_size: disk.as_ref().map(|disk| disk.size),
    }))
}

/// How many times the one the other is, to a hundredth; 1 where there is nothing.
fn ratio(referenced: u64, stored: u64) -> f64 {
    let hundredths = u128::from(referenced) * 100 / u128::from(stored.max(1));
    let hundredths = if stored == 0 { 100 } else { hundredths };
    f64::from(u32::try_from(hundredths).unwrap_or(u32::MAX)) / 100.0
}

async fn current(state: &State) -> Result<GarbageSettings, Failure> {
    let all: Vec<GarbageSettings> = settings::all(&state.facts, GarbageSettings::KIND).await?;
    Ok(all.into_iter().next().unwrap_or_default())
}

fn before(state: &State, grace: u64) -> Timestamp {
    let past = i64::try_from(grace).unwrap_or(i64::MAX).saturating_mul(1_000);
    let then = (state.now)().as_millisecond().saturating_sub(past).max(0);
    Timestamp::from_millisecond(then).unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn start(
    state: &State,
    by: &By,
    kind: &str,
    asked: &(impl Serialize + Sync),
    name: &str,
) -> Result<Response, Failure> {
    let record = settings::changed(state, by, Activity::Other, PLACE, name).await?;
    let record =
        record.status("it was asked for").detail("asked", serde_json::to_value(asked).unwrap_or_default());
    let facts = state.facts.recording(vec![record.entry()]);
    let id = facts.request_job(kind, &written(asked)?, &by.caller.name).await?;
    let job = state.facts.job(&id).await?.ok_or_else(|| Failure::missing("job", &id))?;
    Ok((StatusCode::ACCEPTED, Json(shown(job, (state.now)()))).into_response())
}

fn written(asked: &impl Serialize) -> Result<String, Failure> {
    serde_json::to_string(asked).map_err(|wrong| Failure::Asked(wrong.to_string()))
}

fn too_slow() -> Failure {
    let least = GarbageSettings::MIN_RATE;
    Failure::Asked(format!("reading again needs a rate of at least {least} bytes a second"))
}

fn shown(job: Stored, now: Timestamp) -> Job {
    let spec = PLAIN.contains(&job.kind.as_str()).then(|| serde_json::from_str(&job.spec).ok()).flatten();
    Job {
        eta_seconds: eta(&job, now),
        id: job.id,
        kind: job.kind,
        spec: spec.unwrap_or_default(),
        by: job.by,
        state: job.state.word().to_owned(),
        requested: job.requested,
        started: job.started,
        ended: job.ended,
        done: job.done,
        total: job.total,
        message: job.message,
    }
}

/// As long for each unit as so far.
fn eta(job: &Stored, now: Timestamp) -> Option<u64> {
    let started = job.started.filter(|_| job.state == JobState::Running && job.done > 0)?;
    let spent = u128::try_from(now.as_second().checked_sub(started.as_second())?).ok()?;
    let left = u128::from(job.total.saturating_sub(job.done));
    u64::try_from(spent * left / u128::from(job.done)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios() {
        for (referenced, stored, expected) in [(0, 0, 1.0), (200, 100, 2.0), (50, 100, 0.5), (333, 100, 3.33)]
        {
            assert!((ratio(referenced, stored) - expected).abs() < 1e-9, "{referenced}/{stored}");
        }
    }
}
