//! How the webhooks answer, as a setting: `GET|PUT /api/v1/settings/admission`.

use std::sync::{Arc, Mutex, PoisonError};

use axum::{
    Json,
    extract::{Request, State as From},
    response::Response,
};
use boltseal_api::admission::{AdmissionSetting, Logged, Mode, OnUnknown};
use boltseal_audit::{
    Record,
    record::{Activity, Outcome, Severity, Subject},
};
use boltseal_flow::access;
use boltseal_identity::{Action, Scope};
use boltseal_orchestrator::pss::{Level, Version};

use crate::{
    State,
    control::{By, done, read},
    failure::Failure,
    guard,
};

/// Where it is kept.
const SETTING: &str = "admission";
/// Names of this registry, and namespaces that are different.
const MAX_NAMES: usize = 500;
/// Characters of a name, or of the sentence about exceptions.
const MAX_TEXT: usize = 253;

/// What holds in one namespace.
#[derive(Clone, Debug)]
pub(super) struct InForce {
    pub(super) unknown: OnUnknown,
    pub(super) mode: Mode,
    pub(super) level: Level,
    pub(super) version: Version,
    pub(super) registries: Vec<String>,
    pub(super) exceptions: Option<String>,
}

/// The setting that was read last, for when the store does not answer.
#[derive(Debug, Default)]
pub struct LastSetting(Mutex<Arc<AdmissionSetting>>);

impl LastSetting {
    fn get(&self) -> Arc<AdmissionSetting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, setting: Arc<AdmissionSetting>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = setting;
    }
}

/// `GET /api/v1/settings/admission`
pub(crate) async fn show(From(state): From<State>) -> Result<Json<AdmissionSetting>, Failure> {
    Ok(Json(kept(&state).await?))
}

/// `PUT /api/v1/settings/admission`
pub(crate) async fn put(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let asked: AdmissionSetting = read(request).await?;
    check(&asked).map_err(Failure::Asked)?;
    let text = serde_json::to_string(&asked).map_err(|wrong| Failure::Conflict(wrong.to_string()))?;
    let why = guard::may(&state, &by.caller, &by.source, Action::SettingWrite, &Scope::root()).await?.why;
    let record = Record::new((state.now)(), Activity::Update, Action::SettingWrite.name())
        .actor(access::actor(&by.caller))
        .source(by.source.clone())
        .subject(Subject::new("/settings/admission"))
        .outcome(Outcome::Success)
        .severity(Severity::Medium)
        .why(why)
        .detail("setting", text.as_str());
    state.facts.recording(vec![record.entry()]).set(SETTING, &text).await?;
    Ok(done())
}

/// What holds in `namespace` now. A setting that cannot be read is taken to be the one that was read last, or else the
/// default, which is closed.
pub(super) async fn in_force(state: &State, namespace: Option<&str>) -> InForce {
    if let Ok(setting) = kept(state).await {
        state.admission.set(Arc::new(setting));
    }
    last(state, namespace)
}

/// Names under which this registry is known, besides its own.
pub(crate) async fn registries(state: &State) -> Vec<String> {
    in_force(state, None).await.registries
}

/// What held when the setting was read last; the default, which is closed, if it never was.
pub(super) fn last(state: &State, namespace: Option<&str>) -> InForce {
    of(&state.admission.get(), namespace)
}

/// What of the answers is in the log.
pub(super) fn logged(state: &State) -> Logged {
    state.admission.get().log
}

fn of(setting: &AdmissionSetting, namespace: Option<&str>) -> InForce {
    let own = namespace.and_then(|name| setting.namespaces.get(name)).cloned().unwrap_or_default();
    let level = own.level.as_ref().unwrap_or(&setting.level);
    InForce {
        unknown: own.unknown.unwrap_or(setting.unknown),
        mode: own.mode.unwrap_or(setting.mode),
        // Words are checked when they are set; one that is not known now is taken for the strictest.
        level: level.parse().unwrap_or(Level::Restricted),
        version: setting.version.parse().unwrap_or(Version::LATEST),
        registries: setting.registries.clone(),
        exceptions: setting.exceptions.clone(),
    }
}

async fn kept(state: &State) -> Result<AdmissionSetting, Failure> {
    let text = state.facts.setting(SETTING).await?.filter(|text| !text.is_empty());
    text.map_or_else(
        || Ok(AdmissionSetting::default()),
        |text| serde_json::from_str(&text).map_err(|wrong| Failure::Conflict(wrong.to_string())),
    )
}

fn check(asked: &AdmissionSetting) -> Result<(), String> {
    asked.level.parse::<Level>().map_err(|wrong| wrong.to_string())?;
    asked.version.parse::<Version>().map_err(|wrong| wrong.to_string())?;
    if asked.registries.len() > MAX_NAMES || asked.namespaces.len() > MAX_NAMES {
        return Err(format!("at most {MAX_NAMES} registries and namespaces"));
    }
    let is_line = |text: &String| {
        !text.is_empty() && text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
    };
    if let Some(name) = asked.registries.iter().find(|name| !is_line(name) || name.contains('/')) {
        return Err(format!("`{name}` is no name of a registry: write `registry.example.com:5000`"));
    }
    if asked.exceptions.as_ref().is_some_and(|text| !is_line(text)) {
        return Err(format!("`exceptions` is one line of at most {MAX_TEXT} characters"));
    }
    for (name, own) in &asked.namespaces {
        if !is_line(name) {
            return Err(format!("`{name}` is no name of a namespace"));
        }
        if let Some(level) = &own.level {
            level.parse::<Level>().map_err(|wrong| format!("{name}: {wrong}"))?;
        }
    }
    Ok(())
}
