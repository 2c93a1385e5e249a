//! What was deleted and can be taken back.

use axum::{
    Json,
    extract::{Request, State as From},
    response::Response,
};
use boltseal_api::life::{Trash, TrashSettings, Trashed, Undelete, Undeleted};
use boltseal_audit::record::Activity;
use boltseal_identity::{Action, Scope};
use boltseal_model::Timestamp;
use boltseal_store as store;

use super::{REGISTRY, at_repository, digest, failed};
use crate::{
    State,
    asking::Asking,
    control::{By, done, read, somewhere},
    failure::Failure,
    guard,
};

/// Images of a page when nobody says, and at most.
const PAGE: u64 = 1000;
/// Days in the trash at most, as in Azure's registries.
const MAX_DAYS: u32 = 90;

/// `GET /api/v1/trash`: of repositories whose metadata the caller may read.
pub(crate) async fn list(From(state): From<State>, by: By, asking: Asking) -> Result<Json<Trash>, Failure> {
    let repository = asking.some("repository");
    let limit = asking.some("limit").map_or(PAGE, |_| asking.number("limit", 1)).min(PAGE);
    let after = asking.some("after").unwrap_or_default();
    let after = after.split_once('@').unwrap_or((&after, ""));
    let found = state.facts.trash(repository.as_deref(), after, limit).await?;
    let next = found.last().filter(|_| found.len() as u64 == limit);
    let next = next.map(|last| format!("{}@{}", last.repository, last.digest));
    let days = state.facts.trash_days().await?;
    let directory = state.access.authority().directory();
    let visible = directory.visible(by.caller.id, Action::MetadataRead, (state.now)());
    let images = found.into_iter().filter(|trashed| {
        Scope::repository(REGISTRY, &trashed.repository).is_ok_and(|scope| visible.contains(&scope))
    });
    Ok(Json(Trash { images: images.map(|trashed| shown(trashed, days)).collect(), next }))
}

fn shown(trashed: store::Trashed, days: u32) -> Trashed {
    let kept = std::time::Duration::from_hours(24) * days;
    Trashed {
        repository: trashed.repository,
        digest: trashed.digest.to_string(),
        media_type: trashed.media_type,
        size: trashed.content_size,
        tags: trashed.tags,
        deleted: trashed.deleted,
        until: trashed.deleted.checked_add(kept).unwrap_or(Timestamp::MAX),
        by: trashed.by,
    }
}

/// `POST /api/v1/trash/undelete`: brings an image back, with those of its tags that are free, or a tag that was removed
/// alone.
pub(crate) async fn undelete(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Json<Undeleted>, Failure> {
    somewhere(&state, &by, Action::ContentWrite).await?;
    let asked: Undelete = read(request).await?;
    let repository = &asked.repository;
    let record = at_repository(&state, &by, Activity::Create, Action::ContentWrite, repository).await?;
    let wanted = match (&asked.digest, &asked.tag) {
        (Some(text), None) => digest(text)?,
        (None, Some(tag)) => {
            let found = state.facts.tag_in_trash(repository, tag).await?;
            found.ok_or_else(|| Failure::missing("deleted image", &format!("{repository}:{tag}")))?
        }
        _ => return Err(Failure::Asked("give a tag or a digest, one of them".to_owned())),
    };
    let record = record.digest(&wanted).status("the deletion was taken back");
    let record = asked.tag.iter().fold(record, |record, tag| record.named(tag.as_str()));
    let (facts, now) = (state.facts.recording(vec![record.entry()]), (state.now)());
    let back = match &asked.tag {
        Some(tag) => facts.undelete_tag(repository, tag, &wanted, now).await,
        None => facts.undelete(repository, &wanted, now).await,
    };
    let back = back.map_err(failed)?;
    let back = back.ok_or_else(|| Failure::missing("deleted image", &format!("{repository}@{wanted}")))?;
    let manifests = back.manifests.iter().map(ToString::to_string).collect();
    Ok(Json(Undeleted { manifests, tags: back.tags, taken: back.taken }))
}

/// `DELETE /api/v1/trash?repository=&digest=`: ends it before its time.
pub(crate) async fn purge(From(state): From<State>, by: By, asking: Asking) -> Result<Response, Failure> {
    somewhere(&state, &by, Action::ContentDelete).await?;
    let repository = asking.text("repository");
    let record = at_repository(&state, &by, Activity::Delete, Action::ContentDelete, repository).await?;
    let wanted = digest(asking.text("digest"))?;
    let record = record.digest(&wanted).status("deleted for good, out of the trash");
    let facts = state.facts.recording(vec![record.entry()]);
    let purged = facts.purge(vec![(repository.to_owned(), wanted.clone())], (state.now)()).await?;
    if purged == 0 {
        return Err(Failure::missing("deleted image", &format!("{repository}@{wanted}")));
    }
    Ok(done())
}

/// `GET /api/v1/trash/settings`
pub(crate) async fn settings(From(state): From<State>) -> Result<Json<TrashSettings>, Failure> {
    Ok(Json(TrashSettings { days: state.facts.trash_days().await? }))
}

/// `PATCH /api/v1/trash/settings`
pub(crate) async fn change_settings(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Json<TrashSettings>, Failure> {
    let asked: TrashSettings = read(request).await?;
    if asked.days > MAX_DAYS {
        return Err(Failure::Asked(format!("deleted images stay for at most {MAX_DAYS} days")));
    }
    let before = state.facts.trash_days().await?;
    let scope = Scope::root();
    let record = guard::may(&state, &by.caller, &by.source, Action::RegistryWrite, &scope).await?;
    let record = boltseal_audit::Record { activity: Activity::Update, ..record }
        .named("trash")
        .status(format!("deleted images stay for {} days; before, {before}", asked.days));
    state.facts.recording(vec![record.entry()]).set_trash_days(asked.days).await?;
    Ok(Json(asked))
}
