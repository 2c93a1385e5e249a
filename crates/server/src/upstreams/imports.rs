//! Imports: an image of another registry, copied here once.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use boltseal_api::upstreams::{ImportJob, NewImport, Transfer, kinds};
use boltseal_audit::record::Activity;
use boltseal_identity::{Action, Scope};
use boltseal_model::{Platform, Reference};
use boltseal_store::{Document, Job};
use uuid::Uuid;

use super::{MAX_PATTERNS, asked, check_authority, check_texts, sealed, transfer};
use crate::{
    State,
    control::{By, done, read},
    failure::Failure,
    guard, settings,
};

/// Where imports are, in records.
const PLACE: &str = "/registries/main/imports";
/// Imports in a list.
const LISTED: u64 = 100;

/// `GET /api/v1/imports`: the newest first.
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<Transfer>>, Failure> {
    let jobs = state.facts.jobs(Some(kinds::IMPORT_JOB), LISTED).await?;
    Ok(Json(jobs.into_iter().map(shown).collect()))
}

/// `GET /api/v1/imports/{id}`
pub(crate) async fn one(From(state): From<State>, Path(id): Path<String>) -> Result<Json<Transfer>, Failure> {
    Ok(Json(shown(find(&state, &id).await?)))
}

/// `POST /api/v1/imports`
pub(crate) async fn start(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let mut import: NewImport = read(request).await?;
    let source = check(&import)?;
    let repository = import.destination.split(':').next().unwrap_or_default();
    // Whoever imports into a repository pushes into it.
    let scope = Scope::repository("main", repository).map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    guard::may(&state, &by.caller, &by.source, Action::ContentWrite, &scope).await?;
    let record = settings::changed(&state, &by, Activity::Other, PLACE, repository).await?;
    let record = record.detail("source", import.source.as_str()).status("an import was asked for");
    let password = import.password.take();
    let sealed = sealed(&state, source.registry(), import.username.as_deref(), password.as_ref())?;
    let secret = match sealed {
        Some(sealed) => {
            let id = Uuid::new_v4().to_string();
            let (kind, body) = (kinds::IMPORT_SECRET.to_owned(), Some(sealed));
            state.facts.change_settings(vec![Document { kind, id: id.clone(), body }]).await?;
            Some(id)
        }
        None => None,
    };
    let spec = serde_json::to_string(&ImportJob { import, secret })
        .map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let facts = state.facts.recording(vec![record.entry()]);
    let id = facts.request_job(kinds::IMPORT_JOB, &spec, &by.caller.name).await?;
    Ok((StatusCode::ACCEPTED, Json(shown(find(&state, &id).await?))).into_response())
}

/// `DELETE /api/v1/imports/{id}`: tells it to stop. What is here stays.
pub(crate) async fn stop(
    From(state): From<State>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let job = find(&state, &id).await?;
    let record = settings::changed(&state, &by, Activity::Other, PLACE, &id).await?;
    let facts = state.facts.recording(vec![record.status("an import was told to stop").entry()]);
    if !facts.stop_job(&id).await? {
        return Err(Failure::Conflict("that import is over".to_owned()));
    }
    // One that nobody has begun has nobody else to forget its password.
    let spec: Option<ImportJob> = serde_json::from_str(&job.spec).ok();
    if let Some(id) = spec.and_then(|spec| spec.secret) {
        let gone = Document { kind: kinds::IMPORT_SECRET.to_owned(), id, body: None };
        state.facts.change_settings(vec![gone]).await?;
    }
    Ok(done())
}

async fn find(state: &State, id: &str) -> Result<Job, Failure> {
    let found = state.facts.job(id).await?.filter(|job| job.kind == kinds::IMPORT_JOB);
    found.ok_or_else(|| Failure::missing("import", id))
}

fn shown(job: Job) -> Transfer {
    let spec: Option<ImportJob> = serde_json::from_str(&job.spec).ok();
    let (source, destination) =
        spec.map(|spec| (spec.import.source, spec.import.destination)).unwrap_or_default();
    transfer(job, source, destination)
}

fn check(import: &NewImport) -> Result<Reference, Failure> {
    let source: Reference =
        import.source.parse().map_err(|wrong| Failure::Asked(format!("`source`: {wrong}")))?;
    let (repository, tag) = match import.destination.split_once(':') {
        Some((repository, tag)) => (repository, Some(tag)),
        None => (import.destination.as_str(), None),
    };
    if !Reference::is_repository(repository) || tag.is_some_and(|tag| !Reference::is_tag(tag)) {
        asked("`destination` is a repository here, and a tag if any, such as base/debian:12")?;
    }
    check_platforms(&import.platforms)?;
    check_texts(import.username.iter())?;
    check_authority(import.ca.as_deref())?;
    Ok(source)
}

/// Platforms as people write them: `linux/arm64`.
pub(super) fn check_platforms(platforms: &[String]) -> Result<(), Failure> {
    if platforms.len() > MAX_PATTERNS {
        return asked("at most fifty platforms");
    }
    for platform in platforms {
        let read: Result<Platform, _> = platform.parse();
        read.map_err(|wrong| Failure::Asked(format!("platform `{platform}`: {wrong}")))?;
    }
    Ok(())
}
