//! Signing people in through another issuer: `OpenID` Connect with PKCE, in two requests of a browser.
//!
//! ```text
//! GET /sign-in/oidc           to the issuer, with a sealed cookie of what was begun
//! GET /sign-in/oidc/callback  back: code ──▶ id token ──▶ federation ──▶ principal ──▶ session
//! ```
//!
//! What the issuer says about somebody counts only through the table of federations, as with every other token.

use axum::{
    extract::{RawQuery, State as From},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Redirect, Response},
};
use boltseal_identity::{
    Caller, PrincipalId, PrincipalKind,
    federation::{Federation, match_token},
    jwt::Unverified,
    oidc::{self, Client, PENDING_LIFE, Pending, TokenAnswer},
    token::Method,
};

use crate::{
    Site, State,
    asking::Asking,
    control::{By, login, sign_in},
    door,
    failure::Failure,
    pages::{
        frame::Viewer,
        sign_in::{self as page, Refusal},
    },
    parts::link,
    session,
};

/// What stands in the log where nobody is known yet.
const NAME: &str = "OpenID Connect sign-in";

/// `GET /sign-in/oidc?back=`
pub(crate) async fn begin(
    From(state): From<State>,
    by: By,
    viewer: Viewer,
    asking: Asking,
) -> Result<Response, Failure> {
    let client = sign_in::client(&state).await?;
    let client = client.ok_or_else(|| Failure::NotFound("sign-in through another issuer".to_owned()))?;
    let now = (state.now)();
    let begun = async {
        let metadata = state.access.foreign().issuers().metadata(&client.issuer, now).await?;
        let (url, pending) = oidc::begin(&client, &metadata, link::back(asking.text("back")), now)?;
        let value = pending.seal(state.access.authority().keys())?;
        Ok::<_, Wrong>((url, value))
    };
    match begun.await {
        Ok((url, value)) => {
            let mut response = Redirect::to(&url).into_response();
            response
                .headers_mut()
                .append(header::SET_COOKIE, cookie(&state.site, value.expose(), PENDING_LIFE));
            Ok(response)
        }
        Err(wrong) => Ok(refuse(&state, by, &viewer, &wrong).await),
    }
}

/// `GET /sign-in/oidc/callback`
pub(crate) async fn finish(
    From(state): From<State>,
    by: By,
    viewer: Viewer,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Failure> {
    let client = sign_in::client(&state).await?;
    let client = client.ok_or_else(|| Failure::NotFound("sign-in through another issuer".to_owned()))?;
    let value = session::read_cookie(&headers, name(&state.site)).unwrap_or_default();
    let mut response = match who(&state, &client, value, &query.unwrap_or_default()).await {
        Ok((caller, back)) => door::welcome(&state, &caller, by.source, &back).await?,
        Err(wrong) => refuse(&state, by, &viewer, &wrong).await,
    };
    // Whatever came of it, it works once.
    response.headers_mut().append(header::SET_COOKIE, cookie(&state.site, "", 0));
    Ok(response)
}

/// Why nobody was signed in.
#[derive(Debug, thiserror::Error)]
enum Wrong {
    #[error(transparent)]
    Issuer(#[from] crate::foreign::IssuerError),
    #[error(transparent)]
    Oidc(#[from] oidc::OidcError),
    #[error(transparent)]
    Seal(#[from] boltseal_identity::seal::SealError),
    #[error("the id token: {0}")]
    Token(#[from] boltseal_identity::jwt::JwtError),
    #[error(transparent)]
    Unmatched(#[from] boltseal_identity::federation::Unmatched),
    #[error("federation {0} leads to nobody who may sign in: a user that is not disabled")]
    Nobody(uuid::Uuid),
}

/// Who came back from the issuer, and where they wanted to go.
async fn who(state: &State, client: &Client, value: &str, query: &str) -> Result<(Caller, String), Wrong> {
    let (authority, foreign, now) = (state.access.authority(), state.access.foreign(), (state.now)());
    let pending = Pending::open(value, authority.keys(), now)?;
    let metadata = foreign.issuers().metadata(&client.issuer, now).await?;
    let request = oidc::finish(client, &metadata, &pending, query, now)?;
    let answer = TokenAnswer::parse(&foreign.issuers().tokens(request).await?)?;
    let key_id = Unverified::parse(answer.id_token.expose())?.key_id().map(str::to_owned);
    let keys = foreign.issuers().keys(&client.issuer, key_id.as_deref(), now).await?;
    let claims = oidc::verify(client, &keys, &pending, &answer, now)?;
    let directory = authority.directory();
    // A federation that brought its own keys trusts those, and not the ones that were fetched.
    let table = directory.federations().iter().filter(|federation| !foreign.fixed(federation.id));
    let table: Vec<Federation> = table.cloned().collect();
    let federation = match_token(&table, &claims)?;
    let caller = authority.caller(PrincipalId(federation.principal), Method::Federation(federation.id));
    let caller = caller.filter(|caller| caller.kind == PrincipalKind::User);
    Ok((caller.ok_or(Wrong::Nobody(federation.id))?, pending.return_to().to_owned()))
}

async fn refuse(state: &State, by: By, viewer: &Viewer, wrong: &Wrong) -> Response {
    login::refused(state, by.source, NAME, &wrong.to_string()).await;
    let button = sign_in::button(state).await;
    let form = page::form("/", Some(&Refusal::Elsewhere), button.as_deref());
    door::shown(viewer, StatusCode::FORBIDDEN, &form)
}

const fn name(site: &Site) -> &'static str {
    if site.tls { "__Host-boltseal-oidc" } else { "boltseal-oidc" }
}

/// `Lax`, because the browser comes back from the issuer's site.
fn cookie(site: &Site, value: &str, seconds: i64) -> HeaderValue {
    let secure = if site.tls { "; Secure" } else { "" };
    let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={seconds}{secure}", name(site));
    // Only our own alphabet goes in, which is all valid.
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
}
