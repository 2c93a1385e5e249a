//! What the forms do. Each is one edit, which is decided, stored and recorded in one commit.

use std::collections::BTreeSet;

use axum::{
    extract::{Path, Request, State as From},
    response::{Html, IntoResponse, Redirect, Response},
};
use boltseal_identity::{
    Assignment, AssignmentId, Credentials, Edit, Principal, PrincipalId, PrincipalKind, secret::Secret,
};
use boltseal_model::Timestamp;
use jiff::{SignedDuration, tz::TimeZone};
use uuid::Uuid;

use super::find;
use crate::{
    State,
    asking::Asking,
    control::{By, credentials, principals::invitation},
    door,
    failure::Failure,
    pages::{
        access::{self, made},
        frame::{self, Part, Viewer},
    },
    parts::place,
};

/// The longest life of a secret that the form can ask for: ten years. For ever is 0.
const MAX_DAYS: u64 = 3650;

/// `POST /access`
pub(crate) async fn add(
    From(state): From<State>,
    viewer: Viewer,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let wanted = asking.text("kind");
    let kind = access::KINDS.iter().find(|(word, _)| *word == wanted).map(|(_, kind)| *kind);
    let kind = kind.ok_or_else(|| Failure::Asked("choose what kind of principal it is".to_owned()))?;
    let name = asking.text("name").parse().map_err(|wrong| Failure::Asked(format!("{wrong}")))?;
    let now = (state.now)();
    let mut principal = Principal::new(PrincipalId(Uuid::new_v4()), kind, name);
    asking.text("display").clone_into(&mut principal.display);
    let mut secret = None;
    if kind == PrincipalKind::Token {
        principal.scope_map = asking.some("scope-map");
    }
    if matches!(kind, PrincipalKind::Token | PrincipalKind::ServicePrincipal) {
        secret = Some(fresh(&mut principal.credentials, now, None)?);
    }
    let id = principal.id;
    state.access.edit(&by.caller, by.source, Edit::CreatePrincipal(Box::new(principal))).await?;
    let directory = state.access.authority().directory();
    let made = directory.principal(id).ok_or_else(|| Failure::missing("principal", &id.to_string()))?;
    let (who, address) = (made.name.as_str(), place::address(made));
    let body = match (secret, kind) {
        (Some(secret), _) => made::secret(&state.site, who, &address, secret.expose()),
        (None, PrincipalKind::User) => match invitation(&state, id, now) {
            Some(link) => made::invitation(who, &address, &link),
            None => return Ok(Redirect::to(&address).into_response()),
        },
        (None, _) => return Ok(Redirect::to(&address).into_response()),
    };
    Ok(shown(&viewer, "Shown once", &body))
}

/// `POST /access/{name}/secret`
pub(crate) async fn new_secret(
    From(state): From<State>,
    viewer: Viewer,
    Path(name): Path<String>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let days = asking.number("days", 0).min(MAX_DAYS);
    let directory = state.access.authority().directory();
    let one = find(&directory, &name)?;
    let now = (state.now)();
    let expires = if days == 0 { None } else { later(now, days) };
    let secret = credentials::change(&state, &by, one.id, |kind, known| {
        if matches!(kind, PrincipalKind::Group | PrincipalKind::Workload) {
            return Err(Failure::Conflict(format!("a {} has no secrets", kind.word())));
        }
        fresh(known, now, expires)
    })
    .await?;
    Ok(shown(
        &viewer,
        "Shown once",
        &made::secret(&state.site, one.name.as_str(), &place::address(one), secret.expose()),
    ))
}

fn fresh(
    credentials: &mut Credentials,
    now: Timestamp,
    expires: Option<Timestamp>,
) -> Result<Secret, Failure> {
    credentials.rotate_secret(now, expires).map_err(|wrong| Failure::Conflict(wrong.to_string()))
}

fn later(now: Timestamp, days: u64) -> Option<Timestamp> {
    let hours = i64::try_from(days).ok()?.checked_mul(24)?;
    now.checked_add(SignedDuration::from_hours(hours)).ok()
}

/// `POST /access/{name}/secret/remove`
pub(crate) async fn remove_secret(
    From(state): From<State>,
    Path(name): Path<String>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let directory = state.access.authority().directory();
    let one = find(&directory, &name)?;
    let id = asking.text("id");
    credentials::change(&state, &by, one.id, |_, known| {
        let there = id.parse().is_ok_and(|id| known.remove_secret(id));
        if there { Ok(()) } else { Err(Failure::missing("secret", id)) }
    })
    .await?;
    Ok(Redirect::to(&place::address(one)).into_response())
}

/// `POST /access/{name}/sign-out`
pub(crate) async fn sign_out(
    From(state): From<State>,
    Path(name): Path<String>,
    by: By,
) -> Result<Response, Failure> {
    let directory = state.access.authority().directory();
    let one = find(&directory, &name)?;
    done(&state, &by, Edit::EndSessions { principal: one.id }, one).await
}

/// `POST /access/{name}/disable`: or enable again.
pub(crate) async fn disable(
    From(state): From<State>,
    Path(name): Path<String>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let disabled = door::read_form(request).await?.ticked("disabled");
    let directory = state.access.authority().directory();
    let one = find(&directory, &name)?;
    let (principal, disabled) = (one.id, Some(disabled));
    let edit = Edit::UpdatePrincipal { principal, display: None, disabled, scope_map: None };
    done(&state, &by, edit, one).await
}

/// `POST /access/{name}/delete`
pub(crate) async fn delete(
    From(state): From<State>,
    Path(name): Path<String>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    if !door::read_form(request).await?.ticked("sure") {
        return Err(Failure::Asked("tick the box if it is to be deleted".to_owned()));
    }
    let directory = state.access.authority().directory();
    let principal = find(&directory, &name)?.id;
    state.access.edit(&by.caller, by.source, Edit::DeletePrincipal { principal }).await?;
    Ok(Redirect::to("/access").into_response())
}

/// `POST /access/{name}/members`: one comes in, or one goes.
pub(crate) async fn members(
    From(state): From<State>,
    Path(name): Path<String>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let directory = state.access.authority().directory();
    let group = find(&directory, &name)?;
    let named = |field: &str| -> Result<BTreeSet<PrincipalId>, Failure> {
        asking.some(field).map(|name| find(&directory, &name).map(|one| one.id)).into_iter().collect()
    };
    let edit = Edit::ChangeMembers { group: group.id, add: named("add")?, remove: named("remove")? };
    done(&state, &by, edit, group).await
}

/// `POST /access/{name}/assign`
pub(crate) async fn assign(
    From(state): From<State>,
    Path(name): Path<String>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let directory = state.access.authority().directory();
    let one = find(&directory, &name)?;
    let role = asking.text("role");
    let role = directory.role_named(role).ok_or_else(|| Failure::missing("role", role))?.id;
    let condition = asking.some("condition").map(|condition| condition.parse()).transpose();
    let assignment = Assignment {
        id: AssignmentId(Uuid::new_v4()),
        principal: one.id,
        role,
        scope: asking.text("scope").parse().map_err(|wrong| Failure::Asked(format!("{wrong}")))?,
        condition: condition.map_err(|wrong| Failure::Asked(format!("{wrong}")))?,
        created: Timestamp::UNIX_EPOCH,
        by: by.caller.id,
        expires: day(&asking, "ends")?,
        reason: asking.text("reason").to_owned(),
    };
    done(&state, &by, Edit::Assign(assignment), one).await
}

/// The beginning of a day, UTC.
fn day(asking: &Asking, field: &str) -> Result<Option<Timestamp>, Failure> {
    let Some(text) = asking.some(field) else { return Ok(None) };
    let date: Option<boltseal_model::Date> = text.parse().ok();
    let moment = date.and_then(|date| date.to_zoned(TimeZone::UTC).ok()).map(|start| start.timestamp());
    moment.map(Some).ok_or_else(|| Failure::Asked("write the day as 2026-03-01".to_owned()))
}

/// `POST /access/{name}/unassign`
pub(crate) async fn unassign(
    From(state): From<State>,
    Path(name): Path<String>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let directory = state.access.authority().directory();
    let one = find(&directory, &name)?;
    let id = asking.text("assignment");
    let assignment = id.parse().map_err(|_| Failure::missing("assignment", id))?;
    done(&state, &by, Edit::Unassign { assignment }, one).await
}

/// Makes the edit, and shows the principal as it is then.
async fn done(state: &State, by: &By, edit: Edit, one: &Principal) -> Result<Response, Failure> {
    state.access.edit(&by.caller, by.source.clone(), edit).await?;
    Ok(Redirect::to(&place::address(one)).into_response())
}

fn shown(viewer: &Viewer, title: &str, body: &maud::Markup) -> Response {
    Html(frame::page(viewer, Part::Access, title, body).into_string()).into_response()
}
