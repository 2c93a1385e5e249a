//! Roles: the built-in ones, and those that Azure's tools export.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::access::{self as api, ImportedRoles};
use boltseal_identity::{Action, Edit, MAX_DEFINITION, Role, RoleId};
use uuid::Uuid;

use super::{By, bytes, created, done, shown, somewhere};
use crate::{State, failure::Failure};

/// `GET /api/v1/roles`
pub(crate) async fn list(From(state): From<State>) -> Json<Vec<api::Role>> {
    let directory = state.access.authority().directory();
    let mut roles: Vec<_> = directory.roles().map(shown::role).collect();
    roles.sort_by(|a, b| (!a.built_in, &a.name).cmp(&(!b.built_in, &b.name)));
    Json(roles)
}

/// `POST /api/v1/roles`: what `az role definition list` prints or `az role definition create` takes. A role whose number
/// is known is changed.
pub(crate) async fn import(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    somewhere(&state, &by, Action::RoleWrite).await?;
    let body = bytes(request, MAX_DEFINITION).await?;
    let text =
        std::str::from_utf8(&body).map_err(|_| Failure::Asked("the definition is not UTF-8".to_owned()))?;
    let imported = Role::import(text, || RoleId(Uuid::new_v4()));
    let imported = imported.map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    let mut roles = Vec::new();
    for role in imported.roles {
        let added = shown::role(&role);
        let known = state.access.authority().directory().role(role.id).is_some();
        let edit = if known { Edit::UpdateRole(role) } else { Edit::CreateRole(role) };
        state.access.edit(&by.caller, by.source.clone(), edit).await?;
        roles.push(added);
    }
    Ok(created(ImportedRoles { roles, notes: imported.notes }))
}

/// `DELETE /api/v1/roles/{id}`
pub(crate) async fn delete(
    From(state): From<State>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let role: RoleId = id.parse().map_err(|_| Failure::missing("role", &id))?;
    state.access.edit(&by.caller, by.source, Edit::DeleteRole { role }).await?;
    Ok(done())
}
