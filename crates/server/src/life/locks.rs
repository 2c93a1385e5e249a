//! Locks on repositories, tags and manifests.

use axum::{
    Json,
    extract::{Path, Request, State as From},
};
use boltseal_api::life::{Lock, LockChange};
use boltseal_audit::record::Activity;
use boltseal_identity::Action;
use boltseal_model::Reference;
use boltseal_store as store;

use super::{at_repository, digest};
use crate::{
    State,
    control::{By, read},
    failure::Failure,
};

/// Characters of a reason.
const MAX_NOTE: usize = 200;

/// `GET /api/v1/repositories/{repository}/locks`
pub(crate) async fn list(
    From(state): From<State>,
    by: By,
    Path(repository): Path<String>,
) -> Result<Json<Vec<Lock>>, Failure> {
    at_repository(&state, &by, Activity::Read, Action::MetadataRead, &repository).await?;
    Ok(Json(state.facts.locks(&repository).await?.into_iter().map(shown).collect()))
}

/// `PATCH /api/v1/repositories/{repository}/locks`
pub(crate) async fn change(
    From(state): From<State>,
    by: By,
    Path(repository): Path<String>,
    request: Request,
) -> Result<Json<Lock>, Failure> {
    let record = at_repository(&state, &by, Activity::Update, Action::MetadataWrite, &repository).await?;
    let asked: LockChange = read(request).await?;
    let target = target(&asked)?;
    let change =
        store::LockChange { read: asked.read, write: asked.write, delete: asked.delete, list: asked.list };
    if change == store::LockChange::default() {
        return Err(Failure::Asked("say what is to change: read, write, delete or list".to_owned()));
    }
    let name = target.shown(&repository);
    let note: String = asked.note.chars().take(MAX_NOTE).collect();
    let record = match &target {
        store::Locked::Repository => record,
        store::Locked::Tag(tag) => record.named(tag.clone()),
        store::Locked::Manifest(digest) => record.digest(digest),
    };
    let record = record.status(format!("{name}: {}", words(change))).detail("note", note.clone());
    let facts = state.facts.recording(vec![record.entry()]);
    let changed =
        facts.change_lock(&repository, target, change, &by.caller.name, &note, (state.now)()).await?;
    changed.map(|lock| Json(shown(lock))).ok_or_else(|| Failure::missing("image", &name))
}

fn target(asked: &LockChange) -> Result<store::Locked, Failure> {
    match (&asked.tag, &asked.digest) {
        (None, None) => Ok(store::Locked::Repository),
        (Some(tag), None) if Reference::is_tag(tag) => Ok(store::Locked::Tag(tag.clone())),
        (Some(_), None) => Err(Failure::Asked("`tag` is not a tag".to_owned())),
        (None, Some(text)) => Ok(store::Locked::Manifest(digest(text)?)),
        (Some(_), Some(_)) => Err(Failure::Asked("give a tag or a digest, not both".to_owned())),
    }
}

fn words(change: store::LockChange) -> String {
    let all =
        [("read", change.read), ("write", change.write), ("delete", change.delete), ("list", change.list)];
    let said =
        all.iter().filter_map(|(word, value)| value.map(|value| format!("{word}Enabled is {value} now")));
    said.collect::<Vec<_>>().join(", ")
}

fn shown(lock: store::Lock) -> Lock {
    let (tag, digest) = match lock.target {
        store::Locked::Repository => (None, None),
        store::Locked::Tag(tag) => (Some(tag), None),
        store::Locked::Manifest(digest) => (None, Some(digest.to_string())),
    };
    let store::Attributes { read, write, delete, list } = lock.attributes;
    Lock { tag, digest, read, write, delete, list, by: lock.by, at: lock.at, note: lock.note }
}
