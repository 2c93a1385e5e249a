//! May they, and what the log says of it: identity decides, audit describes; every role asks here.
//!
//! ```text
//! Caller + Action + Scope ──identity::decide──▶ Decision ──▶ Record (granted by …, or missing …) ──▶ the log
//! ```
//!
//! The record comes back with the answer, so that a role cannot do the one without being handed the other. The role
//! adds what it knows, such as a digest, and writes it in the same commit as the change.

use boltseal_audit::{
    Record,
    record::{Activity, Actor, Kind, Outcome, Source, Subject, Via, Why},
};
use boltseal_identity::{
    Action, Authority, Caller, Decision, PrincipalId, PrincipalKind, Scope, authority,
    token::{self, Method},
};
use boltseal_model::Timestamp;

/// Who wants to do what, where, from where.
#[derive(Clone, Debug)]
pub struct Deed<'a> {
    /// Who.
    pub caller: &'a Caller,
    /// From where.
    pub source: Source,
    /// What kind of thing it is, for the log.
    pub activity: Activity,
    /// What it needs.
    pub action: Action,
    /// Where.
    pub scope: Scope,
}

/// Somebody may not do something.
#[derive(Clone, Debug)]
pub struct Missing {
    /// What was missing, in words.
    pub sentence: String,
    /// The action.
    pub action: Action,
    /// Where it was missing.
    pub scope: Scope,
    /// What goes into the log.
    pub record: Record,
}

/// Whether it may be done. The record says why, or what is missing.
pub fn decide(authority: &Authority, deed: Deed<'_>, now: Timestamp) -> Result<Record, Box<Missing>> {
    let decision = authority.decide(deed.caller, deed.action, &deed.scope, now);
    let record = Record::new(now, deed.activity, deed.action.name())
        .actor(actor(deed.caller))
        .source(deed.source)
        .subject(Subject::new(deed.scope.as_str()));
    match decision {
        Decision::Granted { .. } => Ok(record.outcome(Outcome::Success).why(why(&decision))),
        Decision::Missing { .. } => {
            let sentence = missing(deed.caller, &decision);
            let record = record.outcome(Outcome::Denied).status(sentence.clone()).why(why(&decision));
            Err(Box::new(Missing { sentence, action: deed.action, scope: deed.scope, record }))
        }
    }
}

/// A decision as the log gives it as the reason.
pub fn why(decision: &Decision) -> Why {
    match decision {
        Decision::Granted { assignment, role, scope, .. } => {
            Why::granted(assignment.to_string(), role.as_ref(), scope.as_str())
        }
        Decision::Missing { action, scope, .. } => {
            Why::missing(format!("{} at {}", action.name(), scope.as_str()))
        }
    }
}

/// What is missing, and the way to it, for people.
pub fn missing(caller: &Caller, decision: &Decision) -> String {
    let Decision::Missing { action, scope, nearest } = decision else { return String::new() };
    let who = if caller.is_anonymous() { "whoever did not sign in" } else { &caller.name };
    let cure = nearest.map(|role| format!("; the role {} would grant it", role.name)).unwrap_or_default();
    format!("{who} may not do {} at {}{cure}", action.name(), scope.as_str())
}

/// A caller as the log names it.
pub fn actor(caller: &Caller) -> Actor {
    if caller.id == PrincipalId::SYSTEM {
        return Actor::system();
    }
    let kind = match caller.kind {
        _ if caller.id == PrincipalId::ANONYMOUS => Kind::Anonymous,
        _ if caller.id == PrincipalId::BREAK_GLASS => Kind::BreakGlass,
        PrincipalKind::User => Kind::User,
        PrincipalKind::ServicePrincipal => Kind::ServicePrincipal,
        PrincipalKind::Group => Kind::Group,
        PrincipalKind::Workload => Kind::Workload,
        PrincipalKind::Token => Kind::Token,
    };
    let actor = Actor::new(kind, caller.id.to_string(), caller.name.as_ref()).via(via(caller));
    match caller.token {
        Some(token) => actor.session(token.to_string()),
        None => actor,
    }
}

fn via(caller: &Caller) -> Via {
    match (caller.via, caller.method) {
        (authority::Via::Token(token::Kind::Session), _) => Via::Session,
        (authority::Via::Token(_), _) => Via::Token,
        (_, Method::Anonymous) => Via::None,
        (_, Method::Password | Method::PasswordAndTotp | Method::PasswordAndRecovery) => Via::Password,
        (_, Method::Secret(_)) => Via::Basic,
        (_, Method::Certificate) => Via::Certificate,
        (_, Method::Federation(_)) => Via::Federated,
        (_, Method::Link) => Via::Link,
        (_, Method::Shares) => Via::Shares,
        // By its agent, which knows from the kernel who asked.
        (_, Method::Node(_)) => Via::Other,
    }
}

/// One endpoint of a role, and what it needs. Roles serve nothing that is not in their table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// HTTP method; GET stands for HEAD as well.
    pub method: &'static str,
    /// In the words of OpenAPI: `/api/v1/images/{digest}`.
    pub path: &'static str,
    /// What whoever asks must be allowed.
    pub needs: Needs,
}

/// What an endpoint asks of whoever calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing, for this reason.
    Nothing(&'static str),
    /// To be somebody; what is shown or done is one's own.
    SignedIn,
    /// An action, at the thing that is asked for.
    Action(Action),
    /// To be somebody; only what this action allows is shown.
    Filtered(Action),
}
