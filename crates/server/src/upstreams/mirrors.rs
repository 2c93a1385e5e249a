//! Mirrors: repositories of another registry, copied here again and again.

use std::time::Duration;

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use boltseal_api::upstreams::{
    Kept, Mirror, MirrorChange, MirrorJob, MirrorStatus, NewMirror, Transfer, kinds,
};
use boltseal_audit::record::Activity;
use boltseal_model::Reference;
use boltseal_store::Job;

use super::{asked, check_authority, check_host, check_texts, imports::check_platforms, sealed, transfer};
use crate::{
    State,
    control::{By, created, done, read},
    failure::Failure,
    settings,
};

/// Where mirrors are, in records.
const PLACE: &str = "/registries/main/mirrors";
/// Runs that are looked at for those of one mirror.
const LOOKED_AT: u64 = 200;
/// Seconds between two beginnings at least, so that nobody's registry is asked without end.
const MIN_EVERY: u64 = 60;
/// And at most: a year.
const MAX_EVERY: u64 = 366 * 24 * 60 * 60;

/// `GET /api/v1/mirrors`
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<Mirror>>, Failure> {
    Ok(Json(all(&state).await?.into_iter().map(|kept| kept.setting).collect()))
}

/// `GET /api/v1/mirrors/{name}`
pub(crate) async fn one(
    From(state): From<State>,
    Path(name): Path<String>,
) -> Result<Json<MirrorStatus>, Failure> {
    let mirror = find(&state, &name).await?.setting;
    let jobs = state.facts.jobs(Some(kinds::MIRROR_JOB), LOOKED_AT).await?;
    let runs = jobs.into_iter().filter(|job| of(job) == name).map(|job| shown(&mirror, job)).collect();
    let last = state.facts.mirror_started(&name).await?;
    let next = mirror.every.filter(|_| !mirror.paused).map(|every| match last {
        Some(last) => last + Duration::from_secs(every),
        None => (state.now)(),
    });
    Ok(Json(MirrorStatus { mirror, next, runs }))
}

/// `POST /api/v1/mirrors`: adds one, or changes the one with its name.
pub(crate) async fn add(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let NewMirror { mirror, password } = read(request).await?;
    check(&mirror)?;
    let kept = all(&state).await?;
    let before = kept.iter().find(|kept| kept.setting.name == mirror.name);
    let sealed = sealed(&state, &mirror.host, mirror.username.as_deref(), password.as_ref())?;
    let sealed = sealed.or_else(|| {
        before
            .filter(|before| {
                (&before.setting.host, &before.setting.username) == (&mirror.host, &mirror.username)
            })?
            .sealed
            .clone()
    });
    let kept = Kept { setting: mirror, sealed };
    put(&state, &by, &kept).await?;
    Ok(created(kept.setting))
}

/// `PATCH /api/v1/mirrors/{name}`
pub(crate) async fn change(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let MirrorChange { paused } = read(request).await?;
    let mut kept = find(&state, &name).await?;
    kept.setting.paused = paused;
    put(&state, &by, &kept).await?;
    if paused {
        stop(&state, &name).await?;
    }
    Ok(done())
}

/// `DELETE /api/v1/mirrors/{name}`: what came by it stays.
pub(crate) async fn remove(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let record = settings::changed(&state, &by, Activity::Delete, PLACE, &name).await?;
    settings::remove(&state.facts, kinds::MIRROR, "mirror", &name, &record).await?;
    stop(&state, &name).await?;
    Ok(done())
}

/// `POST /api/v1/mirrors/{name}/runs`: begins now, whatever the schedule says.
pub(crate) async fn run(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let mirror = find(&state, &name).await?.setting;
    let record = settings::changed(&state, &by, Activity::Other, PLACE, &name).await?;
    let spec = serde_json::to_string(&MirrorJob { mirror: name.clone() })
        .map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let facts = state.facts.recording(vec![record.status("a run was asked for").entry()]);
    let id = facts.request_job(kinds::MIRROR_JOB, &spec, &by.caller.name).await?;
    let job = state.facts.job(&id).await?.ok_or_else(|| Failure::missing("run", &id))?;
    Ok((StatusCode::ACCEPTED, Json(shown(&mirror, job))).into_response())
}

async fn all(state: &State) -> Result<Vec<Kept<Mirror>>, Failure> {
    settings::all(&state.facts, kinds::MIRROR).await
}

async fn find(state: &State, name: &str) -> Result<Kept<Mirror>, Failure> {
    let found = all(state).await?.into_iter().find(|kept| kept.setting.name == name);
    found.ok_or_else(|| Failure::missing("mirror", name))
}

async fn put(state: &State, by: &By, kept: &Kept<Mirror>) -> Result<(), Failure> {
    let name = &kept.setting.name;
    let record = settings::changed(state, by, Activity::Update, PLACE, name).await?;
    let record = record.detail("after", serde_json::to_value(&kept.setting).unwrap_or_default());
    settings::put(&state.facts, kinds::MIRROR, name, kept, &record).await
}

/// Tells the run that is under way to stop.
async fn stop(state: &State, name: &str) -> Result<(), Failure> {
    for job in state.facts.jobs(Some(kinds::MIRROR_JOB), LOOKED_AT).await? {
        if of(&job) == name && !job.state.is_over() {
            state.facts.stop_job(&job.id).await?;
        }
    }
    Ok(())
}

/// The mirror of a run.
fn of(job: &Job) -> String {
    serde_json::from_str::<MirrorJob>(&job.spec).map(|spec| spec.mirror).unwrap_or_default()
}

fn shown(mirror: &Mirror, job: Job) -> Transfer {
    let source = match mirror.repositories.as_slice() {
        [one] => format!("{}/{one}", mirror.host),
        all => format!("{}: {} repositories", mirror.host, all.len()),
    };
    transfer(job, source, mirror.destination.clone())
}

fn check(mirror: &Mirror) -> Result<(), Failure> {
    check_host(&mirror.host)?;
    if mirror.repositories.is_empty()
        || !mirror.repositories.iter().all(|name| Reference::is_repository(name))
    {
        return asked("`repositories` are names there, at least one, such as library/debian");
    }
    let fits = |name: &String| Reference::is_repository(&format!("{}/{name}", mirror.destination));
    if !mirror.repositories.iter().all(fits) {
        return asked("`destination` is what stands before those names here, such as `mirror`");
    }
    let texts = mirror.repositories.iter().chain(&mirror.tags).chain(&mirror.skip);
    check_texts(texts.chain(&mirror.username))?;
    check_platforms(&mirror.platforms)?;
    if mirror.every.is_some_and(|every| !(MIN_EVERY..=MAX_EVERY).contains(&every)) {
        return asked("`every` is at least a minute and at most a year, in seconds");
    }
    check_authority(mirror.ca.as_deref())
}
