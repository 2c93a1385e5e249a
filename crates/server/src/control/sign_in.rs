//! The issuer that people may sign in through, as a setting.

use axum::{
    Json,
    extract::{Request, State as From},
    response::Response,
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_api::own::SignInSetting;
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Severity, Subject},
};
use boltseal_flow::access;
use boltseal_identity::{
    Action, Keys, Scope,
    oidc::{Client, Discovery},
    seal::Purpose,
    secret::Secret,
};
use url::Url;

use super::{By, done, read};
use crate::{State, failure::Failure, guard};

/// Where it is kept. The client's secret is sealed in it.
const SETTING: &str = "sign-in.oidc";
/// Bound to the sealed secret, so that it opens as nothing else.
const SEALED_AS: &[u8] = b"boltseal oidc client secret 1";
/// Bytes of what an issuer calls us, or of a scope.
const MAX_TEXT: usize = 512;
/// Characters on a button.
const MAX_BUTTON: usize = 60;
/// Scopes to ask for.
const MAX_SCOPES: usize = 10;
/// Where browsers come back to, below our own address.
pub(crate) const CALLBACK: &str = "/sign-in/oidc/callback";

/// `GET /api/v1/settings/sign-in`, without the secret.
pub(crate) async fn show(From(state): From<State>) -> Result<Json<SignInSetting>, Failure> {
    let kept =
        kept(&state).await?.ok_or_else(|| Failure::NotFound("sign-in through another issuer".to_owned()))?;
    Ok(Json(SignInSetting { client_secret: None, ..kept }))
}

/// `PUT /api/v1/settings/sign-in`
pub(crate) async fn put(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let mut asked: SignInSetting = read(request).await?;
    check(&asked).map_err(Failure::Asked)?;
    if let Some(secret) = asked.client_secret.take() {
        let keys = state.access.authority().keys();
        let sealed = keys.seal(Purpose::Cookie, Secret::new(secret).expose().as_bytes(), SEALED_AS);
        let sealed = sealed.map_err(|wrong| Failure::Conflict(wrong.to_string()))?;
        asked.client_secret = Some(STANDARD.encode(sealed));
    }
    let text = serde_json::to_string(&asked).map_err(|wrong| Failure::Conflict(wrong.to_string()))?;
    let record = record(&state, &by, Activity::Update)
        .await?
        .detail("issuer", asked.issuer)
        .detail("client", asked.client_id)
        .detail("address", asked.address);
    state.facts.recording(vec![record.entry()]).set(SETTING, &text).await?;
    Ok(done())
}

/// `DELETE /api/v1/settings/sign-in`
pub(crate) async fn delete(From(state): From<State>, by: By) -> Result<Response, Failure> {
    let record = record(&state, &by, Activity::Delete).await?;
    state.facts.recording(vec![record.entry()]).set(SETTING, "").await?;
    Ok(done())
}

async fn record(state: &State, by: &By, activity: Activity) -> Result<Record, Failure> {
    let why = guard::may(state, &by.caller, &by.source, Action::SettingWrite, &Scope::root()).await?.why;
    Ok(Record::new((state.now)(), activity, Action::SettingWrite.name())
        .actor(access::actor(&by.caller))
        .source(by.source.clone())
        .subject(Subject::new("/settings/sign-in"))
        .outcome(Outcome::Success)
        .severity(Severity::Medium)
        .why(why))
}

/// What the button at the door says, if people may sign in through another issuer.
pub(crate) async fn button(state: &State) -> Option<String> {
    kept(state).await.ok().flatten().map(|kept| kept.button)
}

/// How we are known to the issuer, if there is one.
pub(crate) async fn client(state: &State) -> Result<Option<Client>, Failure> {
    let Some(kept) = kept(state).await? else { return Ok(None) };
    let redirect = format!("{}{CALLBACK}", kept.address.trim_end_matches('/'));
    let secret =
        kept.client_secret.map(|sealed| open(state.access.authority().keys(), &sealed)).transpose()?;
    Ok(Some(Client { issuer: kept.issuer, id: kept.client_id, secret, redirect, scopes: kept.scopes }))
}

async fn kept(state: &State) -> Result<Option<SignInSetting>, Failure> {
    let text = state.facts.setting(SETTING).await?.filter(|text| !text.is_empty());
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn open(keys: &Keys, sealed: &str) -> Result<Secret, Failure> {
    let unusable =
        || Failure::Conflict("the client secret of the sign-in cannot be opened: set it again".to_owned());
    let sealed = STANDARD.decode(sealed).map_err(|_| unusable())?;
    let plain = keys.open(Purpose::Cookie, &sealed, SEALED_AS).map_err(|_| unusable())?;
    let text = std::str::from_utf8(&plain).map_err(|_| unusable())?;
    Ok(Secret::new(text.to_owned()))
}

fn check(asked: &SignInSetting) -> Result<(), String> {
    Discovery::url(&asked.issuer).map_err(|wrong| wrong.to_string())?;
    let address = Url::parse(&asked.address).map_err(|_| "`address` is no URL".to_owned())?;
    let plain = address.path() == "/" && address.query().is_none() && address.fragment().is_none();
    if !matches!(address.scheme(), "https" | "http") || !address.has_host() || !plain {
        return Err(
            "`address` is where people reach this server, such as https://boltseal.example".to_owned()
        );
    }
    let is_line = |text: &str, limit: usize| {
        !text.is_empty() && text.chars().count() <= limit && !text.chars().any(char::is_control)
    };
    if !is_line(&asked.client_id, MAX_TEXT) {
        return Err(format!("`client_id` has 1 to {MAX_TEXT} characters"));
    }
    if !is_line(&asked.button, MAX_BUTTON) {
        return Err(format!("`button` has 1 to {MAX_BUTTON} characters"));
    }
    let is_scope = |scope: &String| is_line(scope, MAX_TEXT) && !scope.contains(' ');
    if asked.scopes.len() > MAX_SCOPES || !asked.scopes.iter().all(is_scope) {
        return Err(format!("`scopes` are at most {MAX_SCOPES} words"));
    }
    Ok(())
}
