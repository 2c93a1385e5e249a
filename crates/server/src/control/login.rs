//! Logging in: credentials, or a token of another issuer, for one of our own; and out again.

use axum::{
    Json,
    extract::{Request, State as From},
    response::Response,
};
use boltseal_api::access::{FederatedLogin, Login, Session};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Severity, Source, Subject, Why},
};
use boltseal_flow::access;
use boltseal_identity::{Caller, registry_scope::RegistryScopes, token::Kind};
use zeroize::Zeroizing;

use super::{By, done, read};
use crate::{State, failure::Failure, foreign::ForeignError, guard};

/// The action that signing in stands under in the log.
pub(crate) const SIGN_IN: &str = "Boltseal/signIn/action";
/// Characters of a stranger's name or sentence in the log.
const MAX_SHOWN: usize = 300;

/// `POST /api/v1/login`
pub(crate) async fn login(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Json<Session>, Failure> {
    let Login { name, secret, code } = read(request).await?;
    let (name, secret) = (Zeroizing::new(name), Zeroizing::new(secret));
    let caller = guard::prove(&state, by.source.clone(), name, secret, code.map(Zeroizing::new)).await?;
    session(&state, &caller, by.source, Kind::Access.life()).await
}

/// `POST /api/v1/login/federated`
pub(crate) async fn federated(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Json<Session>, Failure> {
    let FederatedLogin { token } = read(request).await?;
    let token = Zeroizing::new(token);
    let proved = state.access.foreign().federated(state.access.authority(), &token, (state.now)()).await;
    match proved {
        Ok(caller) => session(&state, &caller, by.source, Kind::Access.life()).await,
        Err(error) => {
            refused(&state, by.source, "federated sign-in", &error.to_string()).await;
            Err(told(&error))
        }
    }
}

/// `POST /api/v1/logout`
pub(crate) async fn logout(From(state): From<State>, by: By) -> Result<Response, Failure> {
    state.access.end(&by.caller, by.source, "signed out").await?;
    Ok(done())
}

/// What of an error may be said to whoever sent the token: what is wrong with the token itself, and nothing of what
/// stands in our table.
pub(crate) fn told(error: &ForeignError) -> Failure {
    Failure::Foreign(match error {
        ForeignError::Token(why) => why.to_string(),
        ForeignError::Issuer(_) => "the keys of the token's issuer cannot be had at the moment".to_owned(),
        _ => "this token stands for nobody here".to_owned(),
    })
}

/// A token for whoever has proved who they are; recorded before it is given.
pub(super) async fn session(
    state: &State,
    caller: &Caller,
    source: Source,
    life: i64,
) -> Result<Json<Session>, Failure> {
    let (authority, now) = (state.access.authority(), (state.now)());
    let issued = authority
        .issue(caller, Kind::Access, RegistryScopes::All, life, now)
        .map_err(|error| Failure::Refused(error.into()))?;
    let record = signed_in(state, caller, source).detail("token", issued.claims.id.to_string());
    state.recorder.note(&record).await?;
    Ok(Json(Session {
        access_token: issued.token.expose().to_owned(),
        expires_in: u64::try_from(life).unwrap_or_default(),
        principal: caller.name.to_string(),
        registry: Some(state.site.registry.clone()),
    }))
}

/// What the log says of somebody who came in.
pub(crate) fn signed_in(state: &State, caller: &Caller, source: Source) -> Record {
    Record::new((state.now)(), Activity::SignIn, SIGN_IN)
        .actor(access::actor(caller))
        .source(source)
        .subject(Subject::new("/").name(caller.name.as_ref()))
        .outcome(Outcome::Success)
        .why(Why::rule(caller.method.word()))
}

/// Notes that somebody was not let in, and why. They are not let in whether it can be written or not.
pub(crate) async fn refused(state: &State, source: Source, name: &str, why: &str) {
    let shown = |text: &str| text.chars().take(MAX_SHOWN).collect::<String>();
    let record = Record::new((state.now)(), Activity::SignIn, SIGN_IN)
        .actor(access::actor(&Caller::anonymous()))
        .source(source)
        .subject(Subject::new("/").name(shown(name)))
        .outcome(Outcome::Failure)
        .severity(Severity::Low)
        .status(shown(why));
    if let Err(error) = state.recorder.note(&record).await {
        tracing::error!(%error, "a failed sign-in could not be recorded");
    }
}
