//! Exceptions of the policy, and who approved them: people who are signed in, have the action for it and do not answer for the
//! exception themselves.
//!
//! An approval is a document about the hash of what the exception says, written in one commit with its record. What judges
//! is told of it at once and counts it from then on; a changed exception has another hash, and nothing approves that.

use std::collections::HashSet;

use axum::{
    Json,
    extract::{Path, Request, State as From},
    response::{IntoResponse as _, Redirect, Response},
};
use boltseal_api::exceptions::{Approval as Shown, Approve, Exception};
use boltseal_audit::{
    Record,
    record::{Activity, Severity, Subject},
};
use boltseal_identity::{Action, Caller, PrincipalKind, Scope};
use boltseal_model::{Date, Digest, Timestamp};
use boltseal_policy::{Approval, ExceptionDoc, exceptions, is_same_person};
use boltseal_store::{Document, Error as StoreError, Facts};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{
    State,
    control::{By, created, done, read},
    door,
    failure::Failure,
    guard,
};

/// The kind of the documents.
const APPROVAL: &str = "registry.exception-approval";
/// Where exceptions are, in records.
const PLACE: &str = "/policies/exceptions";
/// Ten for each exception that a policy may have.
const MAX_APPROVALS: usize = 20_000;

/// A document.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Kept {
    /// Of what was approved.
    exception: Digest,
    /// What it was called.
    name: String,
    /// In which policy.
    policy: String,
    /// When it ends by itself; the approval is of no use any more then.
    expires: Date,
    /// Who approved it.
    by: String,
    /// Their id.
    by_id: String,
    /// When.
    at: Timestamp,
}

/// Everything that was approved and not taken back: what the policy is to be read with.
pub async fn approvals(facts: &Facts) -> Result<Vec<Approval>, StoreError> {
    let all = kept(facts).await?;
    Ok(all.into_iter().map(|one| Approval { exception: one.exception, by: one.by }).collect())
}

async fn kept(facts: &Facts) -> Result<Vec<Kept>, StoreError> {
    let corrupt =
        |wrong: serde_json::Error| StoreError::Corrupt { what: APPROVAL, detail: wrong.to_string() };
    let documents = facts.documents_of(APPROVAL).await?;
    let read = |one: Document| serde_json::from_str(&one.body.unwrap_or_default()).map_err(corrupt);
    documents.into_iter().map(read).collect()
}

/// `GET /api/v1/policy/exceptions`
pub(crate) async fn list(From(state): From<State>) -> Result<Json<Vec<Exception>>, Failure> {
    Ok(Json(all(&state).await?))
}

/// All of the policy in force, with who approved them by now.
pub(crate) async fn all(state: &State) -> Result<Vec<Exception>, Failure> {
    let policy = state.policy.borrow().policy.clone();
    let approved = kept(&state.facts).await?;
    let today = today((state.now)());
    Ok(exceptions(&policy).into_iter().map(|doc| shown(doc, policy.approvals(), &approved, today)).collect())
}

fn shown(doc: ExceptionDoc, needed: usize, approved: &[Kept], today: Date) -> Exception {
    let counts = |one: &&Kept| one.exception == doc.digest && !is_same_person(&doc.owner, &one.by);
    let mut approvals: Vec<Shown> =
        approved.iter().filter(counts).map(|one| Shown { by: one.by.clone(), at: one.at }).collect();
    approvals.sort_by(|a, b| (a.at, &a.by).cmp(&(b.at, &b.by)));
    // A name that was given to somebody else meanwhile is still one.
    let mut names = HashSet::new();
    approvals.retain(|one| names.insert(one.by.to_ascii_lowercase()));
    let ended = doc.expires < today;
    Exception {
        digest: doc.digest.to_string(),
        counts: approvals.len() >= needed && !ended,
        name: doc.name,
        owner: doc.owner,
        reason: doc.reason,
        scope: doc.scope,
        expires: doc.expires,
        ended,
        needed,
        approvals,
    }
}

/// `POST /api/v1/policy/exceptions/{name}/approvals`
pub(crate) async fn approve(
    From(state): From<State>,
    by: By,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Failure> {
    let Approve { digest } = read(request).await?;
    approve_one(&state, &by, &name, &digest).await?;
    let now = all(&state).await?.into_iter().find(|one| one.name == name && one.digest == digest);
    Ok(created(now.ok_or_else(|| Failure::missing("exception", &name))?))
}

/// Approves what has this digest, as whoever is signed in.
pub(crate) async fn approve_one(state: &State, by: &By, name: &str, digest: &str) -> Result<(), Failure> {
    let record = may(state, by, Activity::Update).await?;
    let policy = state.policy.borrow().policy.clone();
    let needed = policy.approvals();
    if needed == 0 {
        return Err(conflict("the policy asks for no approvals: every exception of it counts"));
    }
    let doc = exceptions(&policy).into_iter().find(|doc| doc.name == name);
    let doc = doc.ok_or_else(|| Failure::missing("exception", name))?;
    let now = (state.now)();
    let approved = kept(&state.facts).await?;
    against(&doc, digest, &by.caller, state, now)?;
    let one = Kept {
        exception: doc.digest.clone(),
        name: doc.name.clone(),
        policy: policy.name().to_owned(),
        expires: doc.expires,
        by: by.caller.name.to_string(),
        by_id: by.caller.id.to_string(),
        at: now,
    };
    let had =
        approved.iter().filter(|other| other.exception == doc.digest && other.by_id != one.by_id).count();
    let record = record
        .named(doc.name.clone())
        .digest(&doc.digest)
        .status(format!("{} of {needed} approved the exception {} of {}", had + 1, doc.name, doc.owner))
        .detail("policy", policy.name().to_owned())
        .detail("pardons", doc.scope.clone())
        .detail("reason", doc.reason.clone())
        .detail("expires", doc.expires.to_string());
    let (id, body) =
        (id_of(&one), serde_json::to_string(&one).map_err(|wrong| Failure::Asked(wrong.to_string()))?);
    // Those that ended are of no use any more.
    let ended = approved.iter().filter(|other| other.expires < today(now));
    let mut changes: Vec<Document> =
        ended.map(|other| Document { kind: APPROVAL.to_owned(), id: id_of(other), body: None }).collect();
    if approved.len() - changes.len() >= MAX_APPROVALS {
        return Err(conflict("there are as many approvals as can be"));
    }
    changes.push(Document { kind: APPROVAL.to_owned(), id: id.clone(), body: Some(body) });
    let facts = state.facts.recording(vec![record.entry()]);
    if facts.change_rules(changes, Some((APPROVAL, &id))).await? {
        Ok(())
    } else {
        Err(conflict("you approved it already, and nobody counts twice"))
    }
}

/// What speaks against it.
fn against(
    doc: &ExceptionDoc,
    seen: &str,
    caller: &Caller,
    state: &State,
    now: Timestamp,
) -> Result<(), Failure> {
    if caller.kind != PrincipalKind::User {
        let kind = caller.kind.word();
        return Err(conflict(&format!("exceptions are approved by people, and {} is a {kind}", caller.name)));
    }
    if doc.digest.to_string() != seen {
        return Err(conflict("the exception says something else than what you looked at: look at it again"));
    }
    if doc.expires < today(now) {
        return Err(conflict(&format!("it ended on {}", doc.expires)));
    }
    let directory = state.access.authority().directory();
    let group = directory.groups_of(caller.id).find(|group| is_same_person(&doc.owner, group.name.as_str()));
    if is_same_person(&doc.owner, &caller.name) || group.is_some() {
        let owner = &doc.owner;
        return Err(conflict(&format!("it is owned by {owner}: somebody else has to approve it")));
    }
    Ok(())
}

/// `DELETE /api/v1/policy/exceptions/{name}/approvals/{who}`
pub(crate) async fn revoke(
    From(state): From<State>,
    by: By,
    Path((name, who)): Path<(String, String)>,
) -> Result<Response, Failure> {
    take_back(&state, &by, &name, &who).await?;
    Ok(done())
}

async fn take_back(state: &State, by: &By, name: &str, who: &str) -> Result<(), Failure> {
    let record = may(state, by, Activity::Delete).await?;
    let policy = state.policy.borrow().policy.clone();
    let doc = exceptions(&policy).into_iter().find(|doc| doc.name == name);
    let doc = doc.ok_or_else(|| Failure::missing("exception", name))?;
    let theirs = |one: &Kept| one.exception == doc.digest && one.by.eq_ignore_ascii_case(who);
    let one = kept(&state.facts).await?.into_iter().find(theirs);
    let one = one.ok_or_else(|| Failure::missing("approval by", who))?;
    let record = record
        .named(doc.name.clone())
        .digest(&doc.digest)
        .severity(Severity::Medium)
        .status(format!("the approval of the exception {} by {} was taken back", doc.name, one.by))
        .detail("approved_by", one.by.clone())
        .detail("approved_at", one.at.to_string());
    let gone = Document { kind: APPROVAL.to_owned(), id: id_of(&one), body: None };
    state.facts.recording(vec![record.entry()]).change_rules(vec![gone], None).await?;
    Ok(())
}

/// `POST /policy/exceptions/{name}/{what}`: what the forms of the page do.
pub(crate) async fn act(
    From(state): From<State>,
    by: By,
    Path((name, what)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Failure> {
    let asking = door::read_form(request).await?;
    match what.as_str() {
        "approve" => approve_one(&state, &by, &name, asking.text("digest")).await?,
        "take-back" => take_back(&state, &by, &name, asking.text("who")).await?,
        _ => return Err(Failure::missing("form", &what)),
    }
    Ok(Redirect::to("/policy#exceptions").into_response())
}

async fn may(state: &State, by: &By, activity: Activity) -> Result<Record, Failure> {
    let action = Action::ExceptionApprove;
    let record = guard::may(state, &by.caller, &by.source, action, &Scope::root()).await?;
    Ok(Record { activity, ..record }.subject(Subject::new(PLACE)))
}

/// One for each person and each content of an exception.
fn id_of(one: &Kept) -> String {
    format!("{}/{}", one.exception.hex(), one.by_id)
}

fn today(now: Timestamp) -> Date {
    now.to_zoned(TimeZone::UTC).date()
}

fn conflict(why: &str) -> Failure {
    Failure::Conflict(why.to_owned())
}
