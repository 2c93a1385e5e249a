//! Immutable tags and quotas.

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::life::{ImmutableRule, Quota, Usage};
use boltseal_audit::{Record, record::Activity};
use boltseal_identity::{Action, Scope};
use boltseal_model::Reference;
use boltseal_store as store;

use crate::{
    State,
    asking::Asking,
    control::{By, created, done, read},
    failure::Failure,
    guard,
};

/// Rules of one kind: a push that moves a tag reads them all.
const MAX_RULES: usize = 200;
/// Bytes of a name.
const MAX_NAME: usize = 40;
/// Bytes of the patterns of one rule.
const MAX_PATTERN: usize = 1000;

/// `GET /api/v1/immutable-tags`
pub(crate) async fn immutable(From(state): From<State>) -> Result<Json<Vec<ImmutableRule>>, Failure> {
    Ok(Json(state.facts.immutable_rules().await?.into_iter().map(shown_rule).collect()))
}

/// `POST /api/v1/immutable-tags`: adds a rule, or changes the one with its name.
pub(crate) async fn put_immutable(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asked: ImmutableRule = read(request).await?;
    check_rule(&asked)?;
    let known = state.facts.immutable_rules().await?;
    if known.len() >= MAX_RULES && known.iter().all(|rule| rule.id != asked.name) {
        return Err(Failure::Conflict(format!("there are {MAX_RULES} rules, and no more can be")));
    }
    let rule = store::ImmutableRule {
        id: asked.name,
        repositories: asked.repositories,
        tags: asked.tags,
        exceptions: asked.except,
        by: by.caller.name.to_string(),
        at: (state.now)(),
    };
    let record = changed(&state, &by, Activity::Update, &rule.id).await?;
    let record = record.status("a rule about immutable tags was set").detail("tags", rule.tags.clone());
    let record = record.detail("repositories", rule.repositories.clone());
    let record = record.detail("exceptions", rule.exceptions.clone());
    state.facts.recording(vec![record.entry()]).put_immutable_rule(rule.clone()).await?;
    Ok(created(shown_rule(rule)))
}

/// `DELETE /api/v1/immutable-tags/{name}`
pub(crate) async fn remove_immutable(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let record = changed(&state, &by, Activity::Delete, &name).await?;
    let record = record.status("a rule about immutable tags was taken away");
    let removed = state.facts.recording(vec![record.entry()]).remove_immutable_rule(&name).await?;
    if removed { Ok(done()) } else { Err(Failure::missing("rule", &name)) }
}

fn check_rule(rule: &ImmutableRule) -> Result<(), Failure> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if rule.name.is_empty() || rule.name.len() > MAX_NAME || !rule.name.chars().all(plain) {
        let wanted = "lower-case letters, digits and `-`";
        return Err(Failure::Asked(format!("a name has 1 to {MAX_NAME} characters: {wanted}")));
    }
    let blank = |text: &str| text.split(',').all(|pattern| pattern.trim().is_empty());
    if blank(&rule.repositories) || blank(&rule.tags) {
        return Err(Failure::Asked(
            "a rule needs patterns of repositories and of tags; `*` is all".to_owned(),
        ));
    }
    if [&rule.repositories, &rule.tags, &rule.except].iter().any(|text| text.len() > MAX_PATTERN) {
        return Err(Failure::Asked(format!("patterns have at most {MAX_PATTERN} characters")));
    }
    Ok(())
}

fn shown_rule(rule: store::ImmutableRule) -> ImmutableRule {
    ImmutableRule {
        name: rule.id,
        repositories: rule.repositories,
        tags: rule.tags,
        except: rule.exceptions,
        by: rule.by,
        at: Some(rule.at),
    }
}

/// `GET /api/v1/quotas`
pub(crate) async fn quotas(From(state): From<State>) -> Result<Json<Vec<Quota>>, Failure> {
    Ok(Json(state.facts.quotas().await?.into_iter().map(shown_quota).collect()))
}

/// `POST /api/v1/quotas`: sets the limits of a scope.
pub(crate) async fn put_quota(
    From(state): From<State>,
    by: By,
    request: Request,
) -> Result<Response, Failure> {
    let asked: Quota = read(request).await?;
    let below = asked.scope.strip_suffix("/*").unwrap_or(&asked.scope);
    if asked.scope != "*" && !Reference::is_repository(below) {
        return Err(Failure::Asked("a scope is `*`, `team/*` or `team/app`".to_owned()));
    }
    if asked.bytes.is_none() && asked.repositories.is_none() && asked.tags.is_none() {
        return Err(Failure::Asked("a quota limits bytes, repositories or tags".to_owned()));
    }
    let known = state.facts.quotas().await?;
    if known.len() >= MAX_RULES && known.iter().all(|row| row.quota.scope != asked.scope) {
        return Err(Failure::Conflict(format!("there are {MAX_RULES} quotas, and no more can be")));
    }
    let record = changed(&state, &by, Activity::Update, &asked.scope).await?.status("a quota was set");
    let limit = |limit: Option<u64>| limit.map_or(serde_json::Value::Null, Into::into);
    let record = record.detail("bytes", limit(asked.bytes)).detail("repositories", limit(asked.repositories));
    let record = record.detail("tags", limit(asked.tags));
    let quota = store::Quota {
        scope: asked.scope.clone(),
        bytes: asked.bytes,
        repositories: asked.repositories,
        tags: asked.tags,
    };
    state.facts.recording(vec![record.entry()]).put_quota(quota, &by.caller.name, (state.now)()).await?;
    let row = state.facts.quotas().await?.into_iter().find(|row| row.quota.scope == asked.scope);
    Ok(created(shown_quota(row.ok_or_else(|| Failure::missing("quota", &asked.scope))?)))
}

/// `DELETE /api/v1/quotas?scope=SCOPE`
pub(crate) async fn remove_quota(
    From(state): From<State>,
    by: By,
    asking: Asking,
) -> Result<Response, Failure> {
    let scope = asking.text("scope");
    let record = changed(&state, &by, Activity::Delete, scope).await?.status("a quota was taken away");
    let removed = state.facts.recording(vec![record.entry()]).remove_quota(scope).await?;
    if removed { Ok(done()) } else { Err(Failure::missing("quota", scope)) }
}

fn shown_quota(row: store::QuotaRow) -> Quota {
    let store::Usage { bytes, repositories, tags } = row.used;
    Quota {
        scope: row.quota.scope,
        bytes: row.quota.bytes,
        repositories: row.quota.repositories,
        tags: row.quota.tags,
        used: Some(Usage { bytes, repositories, tags }),
        by: row.by,
        at: Some(row.at),
    }
}

async fn changed(state: &State, by: &By, activity: Activity, name: &str) -> Result<Record, Failure> {
    let scope = Scope::root();
    let record = guard::may(state, &by.caller, &by.source, Action::RegistryWrite, &scope).await?;
    Ok(Record { activity, ..record }.named(name.chars().take(255).collect::<String>()))
}
