//! Policies put in force over the API: counted versions, with who, when and whose signature, in the facts.
//!
//! Which policy judges: of a server that was started with `--policy FILE`, always that file, and nothing can be applied there.
//! Otherwise the newest version that was applied; before the first one, the file in the data folder, or the built-in policy. Files that
//! have to be signed are held against the newest one that was in force ([`hold`]), which is the same for all servers on one database
//! ([`newest_held`]).

mod held;

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::Response,
};
use boltseal_api::policies::{Apply, Version, Whole};
use boltseal_audit::{
    Record,
    record::{Severity, Subject},
};
use boltseal_flow::{endorsed::Endorsers, statements::Believed};
use boltseal_identity::{Action, Scope};
use boltseal_policy::{Issue, Policy, older};
use boltseal_store::{Document, Error as StoreError, Facts};
use serde::{Deserialize, Serialize};

pub use held::{HeldError, hold, newest_held};

use crate::{
    ActivePolicy, State,
    control::{By, bytes, created},
    failure::Failure,
    guard,
};

/// The kind of the documents that say what was applied, by number.
const VERSION: &str = "registry.policy-version";
/// The kind of those that hold it.
const TEXT: &str = "registry.policy-text";
/// Where policies are, in records.
const PLACE: &str = "/policies";
/// Bytes of a request: a policy has 1 MiB at most, and names a trusted root or two.
const MAX_BODY: usize = 8 << 20;
/// Versions; a policy that changes daily needs 27 years for them.
const MAX_VERSIONS: u64 = 10_000;

/// How the policy of this server is chosen.
#[derive(Clone, Debug, Default)]
pub struct PolicySource {
    /// Whose policies are used.
    pub endorsers: Endorsers,
    /// The file that the server was told to use, whatever is applied.
    pub file: Option<String>,
}

/// A policy as it was written, with the files that it names and its signature: all that another server needs to use it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Its text.
    pub text: String,
    /// The files that it names.
    pub files: BTreeMap<String, String>,
    /// Who signed it.
    pub bundle: Option<String>,
}

/// Why an applied policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AppliedError {
    /// The store did not answer, or with something else than was written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It cannot be read, or is not signed by whom this server believes by now.
    #[error("version {version} of the policy, which was applied: {why}")]
    Unfit {
        /// Its number.
        version: u64,
        /// What is wrong.
        why: String,
    },
}

/// The number of the newest version that was applied.
pub async fn newest_version(facts: &Facts) -> Result<Option<u64>, StoreError> {
    Ok(versions(facts).await?.last().map(|version| version.version))
}

/// The newest version that was applied, as far as `endorsers` still vouch for it.
pub async fn applied(facts: &Facts, endorsers: &Endorsers) -> Result<Option<ActivePolicy>, AppliedError> {
    let Some(version) = versions(facts).await?.pop() else { return Ok(None) };
    let unfit = |why: String| AppliedError::Unfit { version: version.version, why };
    let Held { text, files, bundle } =
        held(facts, version.version).await?.ok_or_else(|| unfit("its text is gone".to_owned()))?;
    let (policy, _) = read(&text, &files).map_err(unfit)?;
    check(endorsers, bundle.as_deref(), &policy).map_err(unfit)?;
    let (version, signed_at) = (Some(version.version), version.signed_at);
    Ok(Some(ActivePolicy { policy, text, version, signed_at }))
}

async fn versions(facts: &Facts) -> Result<Vec<Version>, StoreError> {
    let documents = facts.documents_of(VERSION).await?;
    documents.into_iter().map(|one| parsed(VERSION, one.body)).collect()
}

async fn held(facts: &Facts, version: u64) -> Result<Option<Held>, StoreError> {
    let body = facts.document(TEXT, &id_of(version)).await?;
    body.map(|body| parsed(TEXT, Some(body))).transpose()
}

fn parsed<T: serde::de::DeserializeOwned>(what: &'static str, body: Option<String>) -> Result<T, StoreError> {
    serde_json::from_str(&body.unwrap_or_default())
        .map_err(|wrong| StoreError::Corrupt { what, detail: wrong.to_string() })
}

/// So many digits that the order of texts is that of numbers.
fn id_of(version: u64) -> String {
    format!("{version:010}")
}

fn read(text: &str, files: &BTreeMap<String, String>) -> Result<(Policy, Believed), String> {
    let beside =
        |name: &str| files.get(name).cloned().ok_or_else(|| format!("the file `{name}` was not sent"));
    let policy = Policy::parse_beside(text, &beside).map_err(|wrong| wrong.to_string())?;
    let believed = Believed::of(&policy).map_err(|wrong| wrong.to_string())?;
    Ok((policy, believed))
}

/// Who signed it, where anybody has to.
fn check(
    endorsers: &Endorsers,
    bundle: Option<&str>,
    policy: &Policy,
) -> Result<Option<boltseal_flow::endorsed::Endorsed>, String> {
    if !endorsers.ask() {
        return Ok(None);
    }
    let bundle = bundle.ok_or("it is not signed, and this server uses signed policies only")?;
    endorsers.weigh(bundle.as_bytes(), policy.name(), policy).map(Some).map_err(|wrong| wrong.to_string())
}

/// `GET /api/v1/policy/versions`
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<Version>>, Failure> {
    let mut all = versions(&state.facts).await?;
    all.reverse();
    Ok(Json(all))
}

/// `GET /api/v1/policy/versions/{version}`
pub(crate) async fn one(
    From(state): From<State>,
    Path(number): Path<String>,
) -> Result<Json<Whole>, Failure> {
    let missing = || Failure::missing("version", &number);
    let wanted: u64 = number.parse().map_err(|_| missing())?;
    let version = versions(&state.facts).await?.into_iter().find(|one| one.version == wanted);
    let version = version.ok_or_else(missing)?;
    let Held { text, files, bundle } = held(&state.facts, wanted).await?.ok_or_else(missing)?;
    Ok(Json(Whole { version, text, files, bundle }))
}

/// `POST /api/v1/policy/versions`
pub(crate) async fn apply(From(state): From<State>, by: By, request: Request) -> Result<Response, Failure> {
    let body = bytes(request, MAX_BODY).await?;
    let Apply { text, files, bundle, rollback } = serde_json::from_slice(&body)
        .map_err(|wrong| Failure::Asked(format!("the body is not what is wanted: {wrong}")))?;
    if let Some(file) = &state.policies.file {
        let why =
            format!("this server was started with --policy {file}, and uses that file whatever is applied");
        return Err(Failure::Conflict(why));
    }
    let (policy, _) = read(&text, &files).map_err(Failure::Asked)?;
    let endorsed = check(&state.policies.endorsers, bundle.as_deref(), &policy).map_err(Failure::Asked)?;
    let known = versions(&state.facts).await?;
    let number = known.last().map_or(0, |last| last.version) + 1;
    if number > MAX_VERSIONS {
        return Err(Failure::Conflict(format!("there are {MAX_VERSIONS} versions, and no more can be")));
    }
    let signed_at = endorsed.as_ref().and_then(|endorsed| endorsed.at);
    let issue = Issue { text: policy.text_digest().clone(), revision: policy.revision(), signed_at };
    let why = why_older(&state, &issue, &known);
    let record = match (&why, rollback) {
        (Some(why), false) => {
            return Err(Failure::Conflict(format!("it is older than what is in force: {why}")));
        }
        (Some(_), true) => may(&state, &by, Action::PolicyRollback).await?.severity(Severity::High),
        (None, _) => may(&state, &by, Action::PolicyWrite).await?.severity(Severity::Medium),
    };
    let version = Version {
        version: number,
        name: policy.name().to_owned(),
        digest: policy.text_digest().to_string(),
        revision: policy.revision(),
        signed_by: endorsed.map(|endorsed| endorsed.by),
        signed_at,
        by: by.caller.name.to_string(),
        at: (state.now)(),
        rollback: why,
    };
    let record = told(record, &version, &policy, &state);
    let documents = documents(&version, &Held { text, files, bundle })?;
    let facts = state.facts.recording(vec![record.entry()]);
    // Of two who apply at once, the second one looked at something else than is in force by now.
    if facts.change_rules(documents, Some((VERSION, &id_of(number)))).await? {
        Ok(created(version))
    } else {
        Err(Failure::Conflict("somebody else has just put a policy in force: look at that first".to_owned()))
    }
}

/// Why it is older than the policy in force; or the same as one that was in force before that.
fn why_older(state: &State, new: &Issue, known: &[Version]) -> Option<String> {
    let active = state.policy.borrow().clone();
    // What was applied last counts although this server may not judge by it yet.
    let current = match known.last() {
        Some(last) => Issue {
            text: last.digest.parse().unwrap_or_else(|_| active.policy.text_digest().clone()),
            revision: last.revision,
            signed_at: last.signed_at,
        },
        None => Issue {
            text: active.policy.text_digest().clone(),
            revision: active.policy.revision(),
            signed_at: active.signed_at,
        },
    };
    if current.text == new.text {
        return None;
    }
    let again = || {
        let same = known.iter().rev().find(|one| one.digest == new.text.to_string())?;
        Some(format!("version {} said exactly this", same.version))
    };
    older(&current, new).or_else(again)
}

fn told(record: Record, version: &Version, policy: &Policy, state: &State) -> Record {
    let before = state.policy.borrow().policy.text_digest().to_string();
    let what = match &version.rollback {
        None => format!("version {} of the policy was put in force: {}", version.version, version.name),
        Some(why) => format!(
            "an older policy was put in force as version {}: {}: {why}",
            version.version, version.name
        ),
    };
    let mut record = record
        .named(version.name.clone())
        .digest(policy.text_digest())
        .status(what)
        .detail("version", version.version)
        .detail("before", before);
    for (key, value) in [
        ("revision", version.revision.map(|revision| revision.to_string())),
        ("signed_by", version.signed_by.clone()),
        ("signed_at", version.signed_at.map(|at| at.to_string())),
    ] {
        if let Some(value) = value {
            record = record.detail(key, value);
        }
    }
    record
}

fn documents(version: &Version, held: &Held) -> Result<Vec<Document>, Failure> {
    let wrong = |wrong: serde_json::Error| Failure::Asked(wrong.to_string());
    let (shown, held) =
        (serde_json::to_string(version).map_err(wrong)?, serde_json::to_string(held).map_err(wrong)?);
    let document =
        |kind: &str, body| Document { kind: kind.to_owned(), id: id_of(version.version), body: Some(body) };
    Ok(vec![document(VERSION, shown), document(TEXT, held)])
}

async fn may(state: &State, by: &By, action: Action) -> Result<Record, Failure> {
    let record = guard::may(state, &by.caller, &by.source, action, &Scope::root()).await?;
    Ok(record.subject(Subject::new(PLACE)))
}
