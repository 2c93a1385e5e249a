//! Kubernetes: audit.k8s.io/v1, as API servers send it to a webhook (`EventList`) or write it to a file (JSON lines).

mod event;
mod meaning;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{IngestError, Ingested, Key, MAX_EVENTS, values};
use crate::{
    Record,
    record::{Actor, Door, Kind, Outcome, Source, Subject, Via, Why},
};
use event::{Event, User};

/// The version that every API server since 1.12 sends.
const VERSION: &str = "audit.k8s.io/v1";
/// Groups of a user that are taken over: clusters behind big directories send hundreds.
const MAX_GROUPS: usize = 16;
/// Proxies that are taken over.
const MAX_PROXIES: usize = 8;

/// A list's or an event's type, and a list's items.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<'a> {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    api_version: String,
    #[serde(borrow, default)]
    items: Option<Vec<&'a RawValue>>,
}

/// Reads a batch: an `EventList`, one `Event`, or several of either one after another. `cluster` is the name that scopes
/// have for it, `/clusters/NAME`.
pub fn kubernetes(bytes: &[u8], cluster: &str) -> Result<Vec<Ingested>, IngestError> {
    let mut events = Vec::new();
    for value in values(bytes)? {
        let number = events.len() + 1;
        let envelope: Envelope<'_> = read(value, number)?;
        match (envelope.api_version.as_str(), envelope.kind.as_str()) {
            (VERSION, "Event") => events.push(ingested(value, number, cluster)?),
            (VERSION, "EventList") => {
                for item in envelope.items.unwrap_or_default() {
                    events.push(ingested(item, events.len() + 1, cluster)?);
                    if events.len() > MAX_EVENTS {
                        return Err(IngestError::TooMany { limit: MAX_EVENTS });
                    }
                }
            }
            (version, kind) => return Err(IngestError::kind(number, version, kind)),
        }
    }
    Ok(events)
}

fn read<'a, T: Deserialize<'a>>(value: &'a RawValue, number: usize) -> Result<T, IngestError> {
    serde_json::from_str(value.get()).map_err(|error| IngestError::event(number, &error.to_string()))
}

fn ingested(value: &RawValue, number: usize, cluster: &str) -> Result<Ingested, IngestError> {
    let event: Event = read(value, number)?;
    if event.audit_id.is_empty() || event.verb.is_empty() {
        return Err(IngestError::event(number, "it has no auditID or no verb"));
    }
    let time = event.stage_timestamp.or(event.request_received_timestamp);
    let time = time.ok_or_else(|| IngestError::event(number, "it has no stageTimestamp"))?;
    let key = Key::of(&["kubernetes", cluster, &event.audit_id, &event.stage]);
    let meaning = meaning::of(&event);
    let record = Record::new(time, meaning.activity, meaning.action)
        .actor(actor(&event.user))
        .source(source(&event, cluster))
        .subject(subject(&event, cluster))
        .outcome(outcome(&event))
        .status(status(&event, meaning.words))
        .why(why(&event, cluster))
        .severity(meaning.severity)
        .original(&event.audit_id)
        .detail("stage", event.stage.as_str())
        .detail("verb", event.verb.as_str());
    Ok(Ingested { key, record: details(&event, record) })
}

fn actor(user: &User) -> Actor {
    let name = user.username.as_str();
    let kind = match name {
        "system:anonymous" | "" => Kind::Anonymous,
        _ if name.starts_with("system:serviceaccount:") => Kind::Workload,
        _ if name.starts_with("system:") => Kind::System,
        _ => Kind::User,
    };
    let id = if user.uid.is_empty() { name } else { &user.uid };
    let actor = Actor::new(kind, id, name);
    // Since 1.30: `JTI=` and a token's id, or `X509SHA256=` and a certificate's fingerprint.
    let credential = user.extra.get("authentication.kubernetes.io/credential-id").and_then(|ids| ids.first());
    match credential {
        Some(id) if id.starts_with("X509") => actor.via(Via::Certificate).session(id),
        Some(id) => actor.via(Via::Token).session(id),
        None => actor.via(if kind == Kind::Anonymous { Via::None } else { Via::Other }),
    }
}

/// The last address is the API server's own peer; those before it are what proxies and clients claim.
fn source(event: &Event, cluster: &str) -> Source {
    let mut source = Source::new(Door::Kubernetes).host(cluster);
    source.address = event.source_ips.last().and_then(|address| address.parse().ok());
    source.agent = Some(event.user_agent.clone()).filter(|agent| !agent.is_empty());
    source
}

fn subject(event: &Event, cluster: &str) -> Subject {
    let mut scope = format!("/clusters/{cluster}");
    let Some(object) = &event.object_ref else {
        // The query of a request may hold a command line.
        let path = event.request_uri.split('?').next().unwrap_or_default();
        return Subject::new(scope).name(path);
    };
    if !object.namespace.is_empty() {
        scope.extend(["/namespaces/", &object.namespace]);
    }
    for part in [&object.resource, &object.name].into_iter().filter(|part| !part.is_empty()) {
        scope.extend(["/", part]);
    }
    let subject = Subject::new(scope);
    if object.name.is_empty() { subject } else { subject.name(&object.name) }
}

fn outcome(event: &Event) -> Outcome {
    if event.annotation("decision") == Some("forbid") {
        return Outcome::Denied;
    }
    if event.stage == "Panic" {
        return Outcome::Failure;
    }
    match event.response_status.as_ref().map_or(0, |status| status.code) {
        100..400 => Outcome::Success,
        401 | 403 => Outcome::Denied,
        400.. => Outcome::Failure,
        _ => Outcome::Unknown,
    }
}

/// What was done in words, and the answer where it was not a success.
fn status(event: &Event, words: String) -> String {
    let Some(status) = event.response_status.as_ref().filter(|status| status.code >= 400) else {
        return words;
    };
    let mut text = format!("{words}: {}", status.code);
    for part in [&status.reason, &status.message].into_iter().filter(|part| !part.is_empty()) {
        text.extend([" ", part]);
    }
    text
}

fn why(event: &Event, cluster: &str) -> Why {
    let reason = event.annotation("reason").unwrap_or_default();
    match event.annotation("decision") {
        Some("allow") => match meaning::binding(reason) {
            Some((binding, role)) => Why::granted(binding, role, format!("/clusters/{cluster}")),
            None if reason.is_empty() => Why::rule("the cluster allows it and gives no reason"),
            None => Why::rule(reason),
        },
        Some(_) if reason.is_empty() => Why::missing("the cluster forbids it and gives no reason"),
        Some(_) => Why::missing(reason),
        None => Why::Unstated,
    }
}

fn details(event: &Event, mut record: Record) -> Record {
    if !event.user.groups.is_empty() {
        let groups: Vec<&str> = event.user.groups.iter().take(MAX_GROUPS).map(String::as_str).collect();
        record = record.detail("groups", groups);
    }
    if let Some((_, proxies)) = event.source_ips.split_last()
        && !proxies.is_empty()
    {
        let proxies: Vec<&str> = proxies.iter().take(MAX_PROXIES).map(String::as_str).collect();
        record = record.detail("claimed_sources", proxies);
    }
    if let Some(user) = &event.impersonated_user {
        record = record.detail("impersonated", user.username.as_str());
    }
    if let Some(code) = event.response_status.as_ref().map(|status| status.code).filter(|code| *code != 0) {
        record = record.detail("code", code);
    }
    record
}
