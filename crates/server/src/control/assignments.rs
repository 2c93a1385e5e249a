//! Who has which role where.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::access::{self as api, NewAssignment};
use boltseal_identity::{Action, Assignment, AssignmentId, Edit, Need, Scope, ScopePattern};
use boltseal_model::Timestamp;
use uuid::Uuid;

use super::{By, created, done, looked, principals::expiry, read, shown, somewhere};
use crate::{State, asking::Asking, failure::Failure, foreign::named, guard};

/// `GET /api/v1/role-assignments?principal=&scope=`: those that the caller may see. With a scope, those that count there.
pub(crate) async fn list(
    From(state): From<State>,
    by: By,
    asking: Asking,
) -> Result<Json<Vec<api::Assignment>>, Failure> {
    somewhere(&state, &by, Action::AssignmentRead).await?;
    let (directory, now) = (state.access.authority().directory(), (state.now)());
    let principal = match asking.some("principal") {
        Some(name) => Some(named(&directory, &name).ok_or_else(|| Failure::missing("principal", &name))?.id),
        None => None,
    };
    let scope: Option<ScopePattern> = match asking.some("scope") {
        Some(text) => Some(text.parse().map_err(|wrong| Failure::Asked(format!("{wrong}")))?),
        None => None,
    };
    let wanted = |given: &&Assignment| {
        principal.is_none_or(|principal| given.principal == principal)
            && scope.as_ref().is_none_or(|scope| given.scope.includes(scope))
    };
    let readable = |given: &&Assignment| {
        let need = Need { action: Action::AssignmentRead, scope: given.scope.clone(), role: None };
        directory.permits(by.caller.id, &need, now).is_granted()
    };
    let those = directory.assignments().filter(wanted).filter(readable);
    let those = those.map(|given| shown::assignment(&directory, given)).collect();
    looked(&state, &by, Action::AssignmentRead).await?;
    Ok(Json(those))
}

/// `POST /api/v1/role-assignments`
pub(crate) async fn create(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    somewhere(&state, &by, Action::AssignmentWrite).await?;
    let asked: NewAssignment = read(request).await?;
    let (directory, now) = (state.access.authority().directory(), (state.now)());
    let principal =
        named(&directory, &asked.principal).ok_or_else(|| Failure::missing("principal", &asked.principal))?;
    let by_id = asked.role.parse().ok().and_then(|id| directory.role(id));
    let role = by_id.or_else(|| directory.role_named(&asked.role));
    let role = role.ok_or_else(|| Failure::missing("role", &asked.role))?;
    let condition = asked.condition.as_deref().map(str::parse).transpose();
    let assignment = Assignment {
        id: AssignmentId(Uuid::new_v4()),
        principal: principal.id,
        role: role.id,
        scope: asked.scope.parse().map_err(|wrong| Failure::Asked(format!("{wrong}")))?,
        condition: condition.map_err(|wrong| Failure::Asked(format!("{wrong}")))?,
        created: Timestamp::UNIX_EPOCH,
        by: by.caller.id,
        expires: expiry(asked.expires, now)?,
        reason: String::new(),
    };
    let id = assignment.id;
    state.access.edit(&by.caller, by.source, Edit::Assign(assignment)).await?;
    let directory = state.access.authority().directory();
    let given = directory.assignment(id).ok_or_else(|| Failure::missing("assignment", &id.to_string()))?;
    Ok(created(shown::assignment(&directory, given)))
}

/// `DELETE /api/v1/role-assignments/{id}`
pub(crate) async fn delete(
    From(state): From<State>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    somewhere(&state, &by, Action::AssignmentDelete).await?;
    let gone = || Failure::missing("assignment", &id);
    let assignment: AssignmentId = id.parse().map_err(|_| gone())?;
    // Whoever may not delete everywhere does not learn which assignments there are.
    if state.access.authority().directory().assignment(assignment).is_none() {
        guard::may(&state, &by.caller, &by.source, Action::AssignmentDelete, &Scope::root()).await?;
        return Err(gone());
    }
    state.access.edit(&by.caller, by.source, Edit::Unassign { assignment }).await?;
    Ok(done())
}
