//! One's own second factor: an authenticator, and codes for the day it is lost (RFC 6238).

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::access::{NewTotp, RecoveryCodes, TotpCode};
use boltseal_identity::{
    Action, Directory, Edit, PrincipalId, PrincipalKind, Scope, secret::Secret, token::Method, totp::Totp,
};
use zeroize::Zeroizing;

use super::{By, created, done, read};
use crate::{State, failure::Failure, foreign::named, guard};

/// What the authenticator shows above the code.
pub(crate) const ISSUER: &str = "Boltseal";

/// `POST /api/v1/me/totp`: a seed, which counts once a code of it was seen.
pub(crate) async fn begin(From(state): From<State>, by: By) -> Result<Json<NewTotp>, Failure> {
    let uri = start(&state, &by)?.uri(ISSUER, &by.caller.name).expose().to_owned();
    Ok(Json(NewTotp { uri }))
}

/// Makes a seed, which is remembered until a code of it was seen.
pub(crate) fn start(state: &State, by: &By) -> Result<Totp, Failure> {
    if by.caller.kind != PrincipalKind::User || by.caller.id.is_well_known() {
        return Err(Failure::Conflict("only people have a second factor".to_owned()));
    }
    // Whoever has one must have shown it: a session that was stolen must not replace it.
    let directory = state.access.authority().directory();
    let has = directory.principal(by.caller.id).is_some_and(|known| known.credentials.totp.is_some());
    if has && !showed_it(by.caller.method) {
        return Err(not_shown());
    }
    let totp = Totp::generate().map_err(|wrong| Failure::Conflict(wrong.to_string()))?;
    state.access.foreign().enrolling.begin(by.caller.id, totp.clone(), (state.now)());
    Ok(totp)
}

/// `POST /api/v1/me/totp/confirm`
pub(crate) async fn confirm(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let TotpCode { code } = read(request).await?;
    let codes = finish(&state, &by, &Zeroizing::new(code)).await?;
    Ok(created(RecoveryCodes { codes: codes.iter().map(|code| code.expose().to_owned()).collect() }))
}

/// Lets the seed count from now on, whose code this is. Recovery codes come back, for the only time.
pub(crate) async fn finish(state: &State, by: &By, code: &str) -> Result<Vec<Secret>, Failure> {
    let (now, principal) = ((state.now)(), by.caller.id);
    let enrolling = &state.access.foreign().enrolling;
    let totp = enrolling
        .seed(principal, now)
        .ok_or_else(|| Failure::Conflict("no second factor is being set up: begin again".to_owned()))?;
    if totp.check(code, None, now).is_none() {
        return Err(Failure::Asked(
            "that is not the code of this moment: check the clock of the device".to_owned(),
        ));
    }
    let sealed = totp
        .seal(state.access.authority().keys(), principal.0)
        .map_err(|wrong| Failure::Conflict(wrong.to_string()))?;
    let edit = |directory: &Directory| {
        let known =
            directory.principal(principal).ok_or_else(|| Failure::missing("principal", &by.caller.name))?;
        let mut credentials = Box::new(known.credentials.clone());
        credentials.totp = Some(sealed);
        let codes = credentials.renew_recovery().map_err(|wrong| Failure::Conflict(wrong.to_string()))?;
        Ok::<_, Failure>((Edit::SetCredentials { principal, credentials, end_sessions: false }, codes))
    };
    let (_, codes) = state.access.edit_with(&by.caller, by.source.clone(), edit).await?;
    enrolling.done(principal);
    Ok(codes)
}

/// `DELETE /api/v1/me/totp`, for whoever signed in with it.
pub(crate) async fn remove(From(state): From<State>, by: By) -> Result<Response, Failure> {
    if !showed_it(by.caller.method) {
        return Err(not_shown());
    }
    take(&state, &by, by.caller.id).await
}

/// `DELETE /api/v1/principals/{name}/totp`: for somebody who has lost device and codes.
pub(crate) async fn remove_of(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    guard::may(&state, &by.caller, &by.source, Action::PrincipalWrite, &Scope::root()).await?;
    let directory = state.access.authority().directory();
    let id = named(&directory, &name).ok_or_else(|| Failure::missing("principal", &name))?.id;
    if id == by.caller.id && !showed_it(by.caller.method) {
        return Err(not_shown());
    }
    take(&state, &by, id).await
}

async fn take(state: &State, by: &By, principal: PrincipalId) -> Result<Response, Failure> {
    let edit = |directory: &Directory| {
        let known = directory.principal(principal).filter(|known| known.credentials.totp.is_some());
        let known = known.ok_or_else(|| Failure::NotFound("second factor".to_owned()))?;
        let mut credentials = Box::new(known.credentials.clone());
        credentials.totp = None;
        credentials.recovery.clear();
        Ok::<_, Failure>((Edit::SetCredentials { principal, credentials, end_sessions: false }, ()))
    };
    state.access.edit_with(&by.caller, by.source.clone(), edit).await?;
    Ok(done())
}

const fn showed_it(method: Method) -> bool {
    matches!(method, Method::PasswordAndTotp | Method::PasswordAndRecovery)
}

fn not_shown() -> Failure {
    Failure::Conflict("sign in with the second factor first: this session was opened without it".to_owned())
}
