//! Secrets and certificates of programs: two slots for secrets, so that one can be replaced while the other is in use.

use axum::{
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::access::{Made, NewCertificate, NewSecret};
use boltseal_identity::{
    Action, Credentials, Directory, Edit, PrincipalId, PrincipalKind, Scope, credential::Certificate,
};
use uuid::Uuid;

use super::{By, created, done, principals::expiry, read, shown};
use crate::{State, failure::Failure, foreign::named, guard};

/// `POST /api/v1/principals/{name}/secrets`
pub(crate) async fn add_secret(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let principal = whose(&state, &by, &name).await?;
    let NewSecret { expires, replace_oldest } = read(request).await?;
    let now = (state.now)();
    let expires = expiry(expires, now)?;
    let secret = change(&state, &by, principal, |kind, credentials| {
        if matches!(kind, PrincipalKind::Group | PrincipalKind::Workload) {
            return Err(Failure::Conflict(format!("a {} has no secrets", kind.word())));
        }
        let secret = if replace_oldest {
            credentials.rotate_secret(now, expires).map_err(|wrong| wrong.to_string())
        } else {
            credentials.add_secret(now, expires).map_err(|wrong| wrong.to_string())
        };
        secret.map_err(Failure::Conflict)
    })
    .await?;
    let directory = state.access.authority().directory();
    let known = directory.principal(principal).ok_or_else(|| Failure::missing("principal", &name))?;
    Ok(created(Made {
        principal: shown::principal(&directory, known),
        secret: Some(secret.expose().to_owned()),
        secret_id: known.credentials.secrets.last().map(|secret| secret.id().to_string()),
        link: None,
    }))
}

/// `DELETE /api/v1/principals/{name}/secrets/{id}`
pub(crate) async fn remove_secret(
    From(state): From<State>,
    by: By,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let principal = whose(&state, &by, &name).await?;
    let wanted: Uuid = id.parse().map_err(|_| Failure::missing("secret", &id))?;
    change(&state, &by, principal, |_, credentials| {
        if credentials.remove_secret(wanted) { Ok(()) } else { Err(Failure::missing("secret", &id)) }
    })
    .await?;
    Ok(done())
}

/// `POST /api/v1/principals/{name}/certificates`
pub(crate) async fn add_certificate(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let principal = whose(&state, &by, &name).await?;
    let NewCertificate { pem } = read(request).await?;
    let certificate = Certificate::parse(pem.as_bytes(), (state.now)());
    let certificate = certificate.map_err(|wrong| Failure::Asked(wrong.to_string()))?;
    change(&state, &by, principal, |kind, credentials| {
        if kind != PrincipalKind::ServicePrincipal {
            return Err(Failure::Conflict(format!("a {} has no certificates", kind.word())));
        }
        credentials.add_certificate(certificate).map_err(|wrong| Failure::Conflict(wrong.to_string()))
    })
    .await?;
    let directory = state.access.authority().directory();
    let known = directory.principal(principal).ok_or_else(|| Failure::missing("principal", &name))?;
    Ok(created(shown::principal(&directory, known)))
}

/// `DELETE /api/v1/principals/{name}/certificates/{sha256}`
pub(crate) async fn remove_certificate(
    From(state): From<State>,
    by: By,
    Path((name, sha256)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let principal = whose(&state, &by, &name).await?;
    let gone = || Failure::missing("certificate", &sha256);
    let thumbprint =
        hex::decode(&sha256).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok()).ok_or_else(gone)?;
    change(&state, &by, principal, |_, credentials| {
        if credentials.remove_certificate(&thumbprint) { Ok(()) } else { Err(gone()) }
    })
    .await?;
    Ok(done())
}

/// Whose credentials they are: the caller's own, or somebody's whom the caller may change. Whether others exist is told
/// only to whoever may.
async fn whose(state: &State, by: &By, name: &str) -> Result<PrincipalId, Failure> {
    let directory = state.access.authority().directory();
    let found = named(&directory, name).map(|found| found.id);
    if found == Some(by.caller.id) {
        return Ok(by.caller.id);
    }
    guard::may(state, &by.caller, &by.source, Action::PrincipalWrite, &Scope::root()).await?;
    found.ok_or_else(|| Failure::missing("principal", name))
}

/// Changes credentials as they are at this moment, and not as they were when the request came in.
pub(crate) async fn change<T>(
    state: &State,
    by: &By,
    principal: PrincipalId,
    how: impl FnOnce(PrincipalKind, &mut Credentials) -> Result<T, Failure> + Send,
) -> Result<T, Failure> {
    let edit = |directory: &Directory| {
        let gone = || Failure::missing("principal", &principal.to_string());
        let known = directory.principal(principal).ok_or_else(gone)?;
        let mut credentials = Box::new(known.credentials.clone());
        let made = how(known.kind, &mut credentials)?;
        Ok::<_, Failure>((Edit::SetCredentials { principal, credentials, end_sessions: false }, made))
    };
    let (_, made) = state.access.edit_with(&by.caller, by.source.clone(), edit).await?;
    Ok(made)
}
