//! Handlers of one's own page. What they do is in `control`, which does the same for programs.

use axum::{
    extract::{Request, State as From},
    http::header,
    response::{Html, IntoResponse, Redirect, Response},
};
use boltseal_identity::{Directory, Edit, PrincipalId, token::Method};
use zeroize::Zeroizing;

use crate::{
    State,
    control::{By, factor, me},
    door,
    failure::Failure,
    pages::{
        access,
        account::{self, Shown},
        frame::{self, Part, Viewer},
    },
    parts::place,
    session,
};

/// `/account`
pub(crate) async fn show(From(state): From<State>, viewer: Viewer, by: By) -> Result<Response, Failure> {
    let directory = state.access.authority().directory();
    let one =
        directory.principal(by.caller.id).ok_or_else(|| Failure::missing("principal", &by.caller.name))?;
    let shown = Shown {
        one,
        groups: directory.groups_of(one.id).filter(|group| !group.id.is_well_known()).collect(),
        first: me::comes_first(&state, &by.caller),
        showed_factor: matches!(by.caller.method, Method::PasswordAndTotp | Method::PasswordAndRecovery),
        roles: roles(&directory, one.id),
    };
    Ok(page(&viewer, "Account", &account::account(&viewer, &shown)))
}

/// The roles that somebody has, and where.
fn roles(directory: &Directory, id: PrincipalId) -> Vec<(String, String)> {
    let groups: Vec<PrincipalId> = directory.groups_of(id).map(|group| group.id).collect();
    let mut roles: Vec<(String, String)> = directory
        .assignments()
        .filter(|given| given.principal == id || groups.contains(&given.principal))
        .map(|given| (access::role_name(directory, given), place::scope(&given.scope)))
        .collect();
    roles.sort();
    roles.dedup();
    roles
}

/// `POST /account/password`: all other sessions end, this one goes on.
pub(crate) async fn password(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let [old, new, again] =
        ["old", "new", "again"].map(|field| Zeroizing::new(asking.text(field).to_owned()));
    if *new != *again {
        return Err(Failure::Asked("the new password was not the same both times".to_owned()));
    }
    me::change_password(&state, &by, old, new).await?;
    let cookie = session::open(&state, &by.caller).map_err(|error| Failure::Refused(error.into()))?;
    let mut response = Redirect::to("/account").into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// `POST /account/factor`
pub(crate) async fn begin_factor(
    From(state): From<State>,
    viewer: Viewer,
    by: By,
) -> Result<Response, Failure> {
    let totp = factor::start(&state, &by)?;
    let uri = totp.uri(factor::ISSUER, &by.caller.name);
    Ok(page(&viewer, "One-time password", &account::enrolling(&totp, &uri, None)))
}

/// `POST /account/factor/confirm`
pub(crate) async fn confirm_factor(
    From(state): From<State>,
    viewer: Viewer,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    let code = Zeroizing::new(asking.text("code").to_owned());
    match factor::finish(&state, &by, &code).await {
        Ok(codes) => Ok(page(&viewer, "Recovery codes", &account::recovery(&codes))),
        Err(Failure::Asked(wrong)) => {
            // The same key once more, so that a slip does not mean to scan again.
            let totp = state.access.foreign().enrolling.seed(by.caller.id, (state.now)());
            let totp = totp.ok_or_else(|| Failure::Asked(wrong.clone()))?;
            let uri = totp.uri(factor::ISSUER, &by.caller.name);
            Ok(page(&viewer, "One-time password", &account::enrolling(&totp, &uri, Some(&wrong))))
        }
        Err(other) => Err(other),
    }
}

/// `POST /account/factor/remove`
pub(crate) async fn remove_factor(From(state): From<State>, by: By) -> Result<Response, Failure> {
    factor::remove(From(state), by).await?;
    Ok(Redirect::to("/account").into_response())
}

/// `POST /account/sign-out`
pub(crate) async fn sign_out(From(state): From<State>, by: By) -> Result<Response, Failure> {
    let edit = Edit::EndSessions { principal: by.caller.id };
    let closed = session::close(&state, &by.caller);
    state.access.edit(&by.caller, by.source, edit).await?;
    let mut response = Redirect::to("/sign-in").into_response();
    response.headers_mut().append(header::SET_COOKIE, closed);
    Ok(response)
}

fn page(viewer: &Viewer, title: &str, body: &maud::Markup) -> Response {
    Html(frame::page(viewer, Part::Account, title, body).into_string()).into_response()
}
