//! Who may do what, under `/api/v1`: one file a resource, in the words of `boltseal_api::access`.
//!
//! | file | what |
//! |---|---|
//! | `login` | credentials, or a token of another issuer, for one of ours; logging out |
//! | `me`, `factor` | who am I, may I; one's own password and second factor |
//! | `principals`, `credentials` | who there is, and how they prove it |
//! | `roles`, `assignments`, `scope_maps` | what may be given, and who was given it where |
//! | `federations` | whose tokens are trusted |
//! | `break_glass` | shares, and what a quorum of them opens |
//! | `sign_in` | the issuer that people may sign in through |
//!
//! Every change is an `Edit` that [`Access`](crate::Access) decides, stores and records in one commit. What a route
//! needs stands in the table of routes; where it is needed below the root, the handler asks for it there.

pub(crate) mod assignments;
pub(crate) mod break_glass;
pub(crate) mod credentials;
pub(crate) mod factor;
pub(crate) mod federations;
pub(crate) mod login;
pub(crate) mod me;
pub(crate) mod principals;
pub(crate) mod roles;
pub(crate) mod scope_maps;
pub(crate) mod shown;
pub(crate) mod sign_in;

use std::convert::Infallible;

use axum::{
    Json,
    extract::{FromRequestParts, Request},
    http::{StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Source, Subject, Why},
};
use boltseal_flow::access;
use boltseal_identity::{Action, Caller, Scope};
use serde::{Serialize, de::DeserializeOwned};

use crate::{State, failure::Failure, guard};

/// Bytes of a body: the longest is a group with its members by name.
const MAX_BODY: usize = 64 << 10;

/// Who sent a request, and from where.
pub(crate) struct By {
    /// Who.
    pub caller: Caller,
    /// From where.
    pub source: Source,
}

impl<S: Sync> FromRequestParts<S> for By {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        // Both are there behind the guard; without it, nobody is nobody.
        Ok(Self {
            caller: parts.extensions.get().cloned().unwrap_or_else(Caller::anonymous),
            source: parts.extensions.get().cloned().unwrap_or_else(Source::local),
        })
    }
}

/// The body of a request as JSON.
pub(crate) async fn read<T: DeserializeOwned>(request: Request) -> Result<T, Failure> {
    let bytes = bytes(request, MAX_BODY).await?;
    serde_json::from_slice(&bytes)
        .map_err(|wrong| Failure::Asked(format!("the body is not what is wanted: {wrong}")))
}

pub(crate) async fn bytes(request: Request, limit: usize) -> Result<axum::body::Bytes, Failure> {
    axum::body::to_bytes(request.into_body(), limit).await.map_err(|_| Failure::TooLarge(limit))
}

/// 201 with what was made.
pub(crate) fn created(made: impl Serialize) -> Response {
    (StatusCode::CREATED, Json(made)).into_response()
}

/// 204.
pub(crate) fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

/// For routes that need an action below the root: whoever has it nowhere is told no before anything else.
pub(crate) async fn somewhere(state: &State, by: &By, action: Action) -> Result<(), Failure> {
    let directory = state.access.authority().directory();
    if directory.visible(by.caller.id, action, (state.now)()).is_nothing() {
        guard::may(state, &by.caller, &by.source, action, &Scope::root()).await?;
    }
    Ok(())
}

/// Notes that somebody looked at as much of who may do what as they may see.
async fn looked(state: &State, by: &By, action: Action) -> Result<(), Failure> {
    let record = Record::new((state.now)(), Activity::Read, action.name())
        .actor(access::actor(&by.caller))
        .source(by.source.clone())
        .subject(Subject::new("/"))
        .outcome(Outcome::Success)
        .why(Why::rule("as much as the caller may see"));
    Ok(state.recorder.note(&record).await?)
}
