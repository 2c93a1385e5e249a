//! Whose tokens are trusted, and for whom they stand.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::access as api;
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Subject, Why},
};
use boltseal_flow::access;
use boltseal_identity::{Action, Edit, federation::Federation, jwks::Jwks};
use boltseal_model::Digest;
use uuid::Uuid;

use super::{By, created, done, read, shown};
use crate::{
    State,
    failure::Failure,
    foreign::{self, named},
};

/// `GET /api/v1/federations`
pub(crate) async fn list(From(state): From<State>) -> Json<Vec<api::Federation>> {
    let directory = state.access.authority().directory();
    Json(directory.federations().iter().map(|known| shown::federation(&directory, known)).collect())
}

/// `POST /api/v1/federations`
pub(crate) async fn create(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: api::Federation = read(request).await?;
    let directory = state.access.authority().directory();
    let principal =
        named(&directory, &asked.principal).ok_or_else(|| Failure::missing("principal", &asked.principal))?;
    let claims: Result<Vec<_>, String> = asked.claims.iter().map(|text| shown::condition_of(text)).collect();
    let federation = Federation {
        id: Uuid::new_v4(),
        issuer: asked.issuer,
        audience: asked.audience,
        subject: asked.subject.parse().map_err(|wrong| Failure::Asked(format!("subject: {wrong}")))?,
        claims: claims.map_err(Failure::Asked)?,
        principal: principal.id.0,
    };
    let id = federation.id;
    let keys = asked.jwks.map(|jwks| jwks.to_string());
    let parsed = keys.as_ref().map(|text| Jwks::parse(text.as_bytes())).transpose();
    let parsed = parsed.map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    // The keys first: a federation that came with keys must not be there for a moment without them.
    if let (Some(text), Some(keys)) = (&keys, parsed) {
        let digest = Digest::of(text.as_bytes()).to_string();
        set_keys(&state, &by, id, text, digest).await?;
        state.access.foreign().fix(id, Some(keys));
    }
    let made = state.access.edit(&by.caller, by.source.clone(), Edit::PutFederation(federation)).await;
    if let Err(refused) = made {
        if keys.is_some() {
            state.access.foreign().fix(id, None);
            set_keys(&state, &by, id, "", "none".to_owned()).await?;
        }
        return Err(refused.into());
    }
    let directory = state.access.authority().directory();
    let known = directory.federations().iter().find(|known| known.id == id);
    let known = known.ok_or_else(|| Failure::missing("federation", &id.to_string()))?;
    Ok(created(shown::federation(&directory, known)))
}

/// `DELETE /api/v1/federations/{id}`
pub(crate) async fn delete(
    From(state): From<State>,
    by: By,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let federation: Uuid = id.parse().map_err(|_| Failure::missing("federation", &id))?;
    state.access.edit(&by.caller, by.source.clone(), Edit::DeleteFederation { federation }).await?;
    if state.access.foreign().fixed(federation) {
        set_keys(&state, &by, federation, "", "none".to_owned()).await?;
        state.access.foreign().fix(federation, None);
    }
    Ok(done())
}

/// Keeps the keys of a federation, in one commit with the record of it.
async fn set_keys(
    state: &State,
    by: &By,
    federation: Uuid,
    text: &str,
    digest: String,
) -> Result<(), Failure> {
    let record = Record::new((state.now)(), Activity::Update, Action::FederationWrite.name())
        .actor(access::actor(&by.caller))
        .source(by.source.clone())
        .subject(Subject::new(format!("/federations/{federation}")))
        .outcome(Outcome::Success)
        .why(Why::rule("part of the change of the federation"))
        .detail("keys", digest);
    let facts = state.facts.recording(vec![record.entry()]);
    Ok(facts.set(&foreign::setting(federation), text).await?)
}
