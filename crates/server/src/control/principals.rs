//! Who there is.

use std::collections::BTreeSet;

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::access::{self as api, Made, NewPrincipal, PrincipalChange};
use boltseal_identity::{
    Directory, Edit, Principal, PrincipalId, PrincipalKind,
    password::PasswordHash,
    registry_scope::RegistryScopes,
    token::{Kind, Method},
};
use boltseal_model::Timestamp;
use uuid::Uuid;
use zeroize::Zeroizing;

use super::{By, created, done, read, shown};
use crate::{State, asking::Asking, failure::Failure, foreign::named};

/// `GET /api/v1/principals?kind=`
pub(crate) async fn list(
    From(state): From<State>,
    asking: Asking,
) -> Result<Json<Vec<api::Principal>>, Failure> {
    let wanted = asking.some("kind");
    let kind: Option<api::Kind> = match &wanted {
        None => None,
        Some(word) => Some(serde_json::from_value(word.as_str().into()).map_err(|_| {
            let kinds = "user, service-principal, group, workload, token";
            Failure::Asked(format!("`{}` is no kind: {kinds}", shown::cut(word)))
        })?),
    };
    let directory = state.access.authority().directory();
    let those =
        directory.principals().filter(|found| kind.is_none_or(|kind| shown::kind(found.kind) == kind));
    let mut those: Vec<_> = those.map(|found| shown::principal(&directory, found)).collect();
    those.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Json(those))
}

/// `GET /api/v1/principals/{name}`
pub(crate) async fn one(
    From(state): From<State>,
    Path(name): Path<String>,
) -> Result<Json<api::Principal>, Failure> {
    let directory = state.access.authority().directory();
    let found = named(&directory, &name).ok_or_else(|| Failure::missing("principal", &name))?;
    Ok(Json(shown::principal(&directory, found)))
}

/// `POST /api/v1/principals`
pub(crate) async fn create(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: NewPrincipal = read(request).await?;
    let now = (state.now)();
    let password = asked.password.map(Zeroizing::new);
    let kind = shown::kind_of(asked.kind);
    if password.is_some() && kind != PrincipalKind::User {
        return Err(Failure::Asked("only a user has a password".to_owned()));
    }
    let name = asked.name.parse().map_err(|wrong| Failure::Asked(format!("{wrong}")))?;
    let mut principal = Principal::new(PrincipalId(Uuid::new_v4()), kind, name);
    principal.display = asked.display;
    principal.scope_map = asked.scope_map;
    principal.members = members(&state.access.authority().directory(), &asked.members)?;
    let mut made = None;
    match (kind, &password) {
        (PrincipalKind::User, Some(password)) => {
            principal.credentials.password = Some(hash(principal.name.to_string(), password.clone()).await?);
        }
        (PrincipalKind::ServicePrincipal | PrincipalKind::Token, _) => {
            let secret = principal.credentials.add_secret(now, expiry(asked.expires, now)?);
            made = Some(secret.map_err(|wrong| Failure::Conflict(wrong.to_string()))?);
        }
        _ => {}
    }
    let (id, invited) = (principal.id, kind == PrincipalKind::User && password.is_none());
    let secret_id = principal.credentials.secrets.first().map(|secret| secret.id().to_string());
    state.access.edit(&by.caller, by.source, Edit::CreatePrincipal(Box::new(principal))).await?;
    let link = if invited { invitation(&state, id, now) } else { None };
    let directory = state.access.authority().directory();
    let principal = directory.principal(id).ok_or_else(|| Failure::missing("principal", &asked.name))?;
    Ok(created(Made {
        principal: shown::principal(&directory, principal),
        secret: made.map(|secret| secret.expose().to_owned()),
        secret_id,
        link,
    }))
}

/// A one-time link by which a new user comes in and chooses a password.
pub(crate) fn invitation(state: &State, id: PrincipalId, now: Timestamp) -> Option<String> {
    let authority = state.access.authority();
    let caller = authority.caller(id, Method::Link)?;
    // As long as a link may live: the user is somewhere else.
    let life = Kind::Link.longest_life();
    let issued = authority.issue(&caller, Kind::Link, RegistryScopes::All, life, now).ok()?;
    Some(format!("/sign-in?code={}", issued.token.expose()))
}

/// `PATCH /api/v1/principals/{name}`: everything is looked at before anything is changed.
pub(crate) async fn change(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
    request: Request,
) -> Result<Json<api::Principal>, Failure> {
    let asked: PrincipalChange = read(request).await?;
    let directory = state.access.authority().directory();
    let found = named(&directory, &name).ok_or_else(|| Failure::missing("principal", &name))?;
    let (id, kind) = (found.id, found.kind);
    let (add, remove) =
        (members(&directory, &asked.add_members)?, members(&directory, &asked.remove_members)?);
    if kind != PrincipalKind::Group && !(add.is_empty() && remove.is_empty()) {
        return Err(Failure::Conflict("only a group has members".to_owned()));
    }
    let password = match asked.password.map(Zeroizing::new) {
        Some(_) if kind != PrincipalKind::User => {
            return Err(Failure::Conflict("only a user has a password".to_owned()));
        }
        Some(password) => Some(hash(found.name.to_string(), password).await?),
        None => None,
    };
    if asked.display.is_some() || asked.disabled.is_some() {
        let (display, disabled) = (asked.display, asked.disabled);
        let edit = Edit::UpdatePrincipal { principal: id, display, disabled, scope_map: None };
        state.access.edit(&by.caller, by.source.clone(), edit).await?;
    }
    if let Some(password) = password {
        let edit = |directory: &Directory| {
            let known = directory.principal(id).ok_or_else(|| Failure::missing("principal", &name))?;
            let mut credentials = Box::new(known.credentials.clone());
            credentials.password = Some(password);
            Ok::<_, Failure>((Edit::SetCredentials { principal: id, credentials, end_sessions: true }, ()))
        };
        state.access.edit_with(&by.caller, by.source.clone(), edit).await?;
    }
    if !(add.is_empty() && remove.is_empty()) {
        state
            .access
            .edit(&by.caller, by.source.clone(), Edit::ChangeMembers { group: id, add, remove })
            .await?;
    }
    if asked.sign_out_everywhere {
        state.access.edit(&by.caller, by.source, Edit::EndSessions { principal: id }).await?;
    }
    let directory = state.access.authority().directory();
    let found = directory.principal(id).ok_or_else(|| Failure::missing("principal", &name))?;
    Ok(Json(shown::principal(&directory, found)))
}

/// `DELETE /api/v1/principals/{name}`
pub(crate) async fn delete(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let directory = state.access.authority().directory();
    let principal = named(&directory, &name).ok_or_else(|| Failure::missing("principal", &name))?.id;
    state.access.edit(&by.caller, by.source, Edit::DeletePrincipal { principal }).await?;
    Ok(done())
}

/// The principals with these names.
fn members(directory: &Directory, names: &[String]) -> Result<BTreeSet<PrincipalId>, Failure> {
    let find = |name: &String| {
        named(directory, name).map(|found| found.id).ok_or_else(|| Failure::missing("principal", name))
    };
    names.iter().map(find).collect()
}

/// Hashes a password where it may take its time.
pub(super) async fn hash(name: String, password: Zeroizing<String>) -> Result<PasswordHash, Failure> {
    let hashing = tokio::task::spawn_blocking(move || PasswordHash::new(&name, &password));
    let hashed = hashing.await.map_err(|_| Failure::Busy)?;
    hashed.map_err(|wrong| Failure::Asked(wrong.to_string()))
}

/// An end that is still to come.
pub(super) fn expiry(expires: Option<Timestamp>, now: Timestamp) -> Result<Option<Timestamp>, Failure> {
    match expires {
        Some(end) if end <= now => Err(Failure::Asked(format!("{end} has passed: nothing can end then"))),
        expires => Ok(expires),
    }
}
