//! Who am I, what may I, and my own password.

use std::net::{IpAddr, Ipv4Addr};

use axum::{
    Json,
    extract::{Request, State as From},
    response::Response,
};
use boltseal_api::access::{self as api, CanI, NewPassword, WhoAmI};
use boltseal_identity::{
    Action, Caller, Considered, Decision, Directory, Edit, Explanation, Outcome, PrincipalKind, Scope,
    Subject,
    authority::{Refused, Via},
    token::{Kind, Method},
};
use zeroize::Zeroizing;

use super::{By, done, principals, read, shown};
use crate::{State, asking::Asking, failure::Failure, foreign::named, guard};

/// `GET /api/v1/whoami`
pub(crate) async fn whoami(From(state): From<State>, by: By) -> Json<WhoAmI> {
    let directory = state.access.authority().directory();
    let groups: Vec<_> = directory.groups_of(by.caller.id).collect();
    let holds = |principal| principal == by.caller.id || groups.iter().any(|group| group.id == principal);
    let assignments = directory.assignments().filter(|given| holds(given.principal));
    let via = match by.caller.via {
        Via::Nothing => "nothing",
        Via::Basic => "basic",
        Via::Token(Kind::Session) => "session",
        Via::Token(_) => "token",
    };
    Json(WhoAmI {
        name: by.caller.name.to_string(),
        id: by.caller.id.0,
        kind: by.caller.kind.word().to_owned(),
        via: via.to_owned(),
        expires: by.caller.expires,
        groups: groups.iter().map(|group| group.name.to_string()).collect(),
        assignments: assignments.map(|given| shown::assignment(&directory, given)).collect(),
    })
}

/// `GET /api/v1/can-i?action=&scope=&principal=`: about others it takes the right to see who there is.
pub(crate) async fn can_i(From(state): From<State>, by: By, asking: Asking) -> Result<Json<CanI>, Failure> {
    let action: Action = asking.text("action").parse().map_err(|wrong| Failure::Asked(format!("{wrong}")))?;
    let scope = asking.some("scope").unwrap_or_else(|| "/".to_owned());
    let scope: Scope = scope.parse().map_err(|wrong| Failure::Asked(format!("{wrong}")))?;
    let directory = state.access.authority().directory();
    let own = asking.text("principal");
    let who = if own.is_empty() || named(&directory, own).is_some_and(|found| found.id == by.caller.id) {
        by.caller.id
    } else {
        guard::may(&state, &by.caller, &by.source, Action::PrincipalRead, &Scope::root()).await?;
        named(&directory, own).ok_or_else(|| Failure::missing("principal", own))?.id
    };
    let explained = directory.explain(who, action, &scope, (state.now)());
    let Explanation { decision, considered, would_grant, subject, .. } = explained;
    let (granted_by, through) = match &decision {
        Decision::Granted { assignment, through, .. } => {
            let granting = considered.iter().find(|one| one.assignment == *assignment);
            (granting.map(|one| of_considered(&directory, one)), through.as_ref().map(ToString::to_string))
        }
        Decision::Missing { .. } => (None, None),
    };
    let not = considered.iter().filter(|one| one.outcome != Outcome::Grants || subject == Subject::Disabled);
    Ok(Json(CanI {
        allowed: decision.is_granted(),
        action: action.name().to_owned(),
        scope: scope.as_str().to_owned(),
        principal: shown::name(&directory, who),
        granted_by,
        through,
        considered: not
            .map(|one| api::Considered {
                assignment: of_considered(&directory, one),
                why_not: why_not(one.outcome).to_owned(),
            })
            .collect(),
        roles_that_would: would_grant.iter().map(|role| role.name.to_owned()).collect(),
    }))
}

/// An assignment that was looked at; an entry of a scope map is told as if it were one.
fn of_considered(directory: &Directory, one: &Considered) -> api::Assignment {
    if let Some(given) = directory.assignment(one.assignment) {
        return shown::assignment(directory, given);
    }
    api::Assignment {
        id: one.assignment.0,
        principal: one.through.as_ref().map(ToString::to_string).unwrap_or_default(),
        role: one.role.to_string(),
        scope: one.scope.as_str().to_owned(),
        condition: one.condition.clone(),
        created: boltseal_model::Timestamp::UNIX_EPOCH,
        expires: one.expires,
    }
}

const fn why_not(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Grants => "the principal is disabled",
        Outcome::Condition => "condition: it does not hold here",
        Outcome::Expired => "expired: it has ended",
        Outcome::Disabled => "disabled: the principal, or the group that has it",
        Outcome::OtherAction => "action: the role does not have it",
        Outcome::OtherScope => "scope: it is about another place",
    }
}

/// `POST /api/v1/me/password`: whoever came by a one-time link and has nothing else yet need not give an old one.
pub(crate) async fn password(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let NewPassword { old, new } = read(request).await?;
    change_password(&state, &by, Zeroizing::new(old), Zeroizing::new(new)).await?;
    Ok(done())
}

/// Changes the caller's own password, and ends all its sessions.
pub(crate) async fn change_password(
    state: &State,
    by: &By,
    old: Zeroizing<String>,
    new: Zeroizing<String>,
) -> Result<(), Failure> {
    let caller = &by.caller;
    if caller.kind != PrincipalKind::User || caller.id.is_well_known() {
        return Err(Failure::Conflict(format!("{} has no password", caller.name)));
    }
    if !comes_first(state, caller) {
        is_own(state, by, old).await?;
    }
    let hash = principals::hash(caller.name.to_string(), new).await?;
    let principal = caller.id;
    let edit = |directory: &Directory| {
        let known =
            directory.principal(principal).ok_or_else(|| Failure::missing("principal", &caller.name))?;
        let mut credentials = Box::new(known.credentials.clone());
        credentials.password = Some(hash);
        Ok::<_, Failure>((Edit::SetCredentials { principal, credentials, end_sessions: true }, ()))
    };
    state.access.edit_with(caller, by.source.clone(), edit).await?;
    Ok(())
}

/// Whether somebody came by a one-time link and has nothing to prove itself with yet.
pub(crate) fn comes_first(state: &State, caller: &Caller) -> bool {
    let directory = state.access.authority().directory();
    let known = directory.principal(caller.id).map(|known| &known.credentials);
    let none = known.is_some_and(|known| known.password.is_none() && known.secrets.is_empty());
    none && caller.kind == PrincipalKind::User && caller.method == Method::Link
}

/// Whether the caller knows its password or a secret; a wrong one is recorded and costs time, as at the door.
async fn is_own(state: &State, by: &By, secret: Zeroizing<String>) -> Result<(), Failure> {
    let (authority, now) = (state.access.authority().clone(), (state.now)());
    let from = by.source.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let name = by.caller.name.to_string();
    let asked = name.clone();
    let check =
        tokio::task::spawn_blocking(move || authority.secret(&asked, &secret, None, from, now).map(drop));
    match check.await.unwrap_or(Err(Refused::Busy)) {
        // Whose second factor is asked for has given the right password.
        Ok(()) | Err(Refused::CodeNeeded) => Ok(()),
        Err(refused) => {
            guard::note_failure(state, by.source.clone(), &name, &refused).await;
            Err(refused.into())
        }
    }
}
