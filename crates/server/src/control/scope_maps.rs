//! What repository tokens may do.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::access as api;
use boltseal_identity::{Action, AssignmentId, Edit, Scope, ScopeMap};
use uuid::Uuid;

use super::{By, created, done, read, shown, somewhere};
use crate::{State, failure::Failure, guard};

/// The registry that scope maps are of.
const REGISTRY: &str = "main";

/// `GET /api/v1/scope-maps`: those of registries where the caller may read them.
pub(crate) async fn list(From(state): From<State>, by: By) -> Result<Json<Vec<api::ScopeMap>>, Failure> {
    somewhere(&state, &by, Action::ScopeMapRead).await?;
    let directory = state.access.authority().directory();
    let visible = directory.visible(by.caller.id, Action::ScopeMapRead, (state.now)());
    let readable =
        |map: &&ScopeMap| Scope::registry(&map.registry).is_ok_and(|registry| visible.contains(&registry));
    Ok(Json(directory.scope_maps().filter(readable).map(shown::scope_map).collect()))
}

/// `POST /api/v1/scope-maps`: makes one, or changes it for every token that has it.
pub(crate) async fn put(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    somewhere(&state, &by, Action::ScopeMapWrite).await?;
    let api::ScopeMap { name, actions } = read(request).await?;
    let map = ScopeMap {
        id: AssignmentId(Uuid::new_v4()),
        name: name.clone(),
        description: String::new(),
        registry: REGISTRY.to_owned(),
        actions,
    };
    state.access.edit(&by.caller, by.source, Edit::PutScopeMap(map)).await?;
    let directory = state.access.authority().directory();
    let map = directory.scope_map(&name).ok_or_else(|| Failure::missing("scope map", &name))?;
    Ok(created(shown::scope_map(map)))
}

/// `DELETE /api/v1/scope-maps/{name}`
pub(crate) async fn delete(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    somewhere(&state, &by, Action::ScopeMapDelete).await?;
    if state.access.authority().directory().scope_map(&name).is_none() {
        guard::may(&state, &by.caller, &by.source, Action::ScopeMapDelete, &Scope::root()).await?;
        return Err(Failure::missing("scope map", &name));
    }
    state.access.edit(&by.caller, by.source, Edit::DeleteScopeMap { name }).await?;
    Ok(done())
}
