//! Reads an entry back.

use std::{collections::BTreeMap, net::IpAddr};

use boltseal_model::{Digest, Timestamp};
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::{
    Activity, Actor, Door, Kind, MAX_ENTRY, Outcome, Record, Severity, Source, Subject, Truncated, Via, Why,
    entry::{ASSIGNMENT, MISSING, RULE},
    limit::FIELDS,
};

/// Why bytes are not a record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// More bytes than an entry can have.
    #[error("the entry has {found} bytes, more than the {MAX_ENTRY} that a log can hold")]
    TooLarge {
        /// Bytes of the entry.
        found: usize,
    },
    /// Not JSON, or not an OCSF event of the fields a record needs.
    #[error("the entry is not a record, at byte {at}: {problem}")]
    Shape {
        /// Byte within the entry, from 1; 0 where the parser does not know.
        at: usize,
        /// What is wrong there.
        problem: String,
    },
    /// The right shape with a value that no record has.
    #[error("the entry's {field} is `{found}`, which no record has")]
    Value {
        /// Path of the field.
        field: &'static str,
        /// The beginning of what it holds.
        found: String,
    },
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    action_id: u32,
    activity_id: u32,
    #[serde(default)]
    activity_name: String,
    actor: ActorObject,
    api: Option<Api>,
    class_uid: u32,
    http_request: Option<Request>,
    #[serde(default)]
    is_alert: bool,
    metadata: Metadata,
    #[serde(default)]
    resources: Vec<Resource>,
    severity_id: u32,
    src_endpoint: Option<Endpoint>,
    status_detail: Option<String>,
    #[serde(default)]
    status_id: u32,
    time: i64,
    #[serde(default)]
    unmapped: Unmapped,
}

#[derive(Deserialize)]
struct ActorObject {
    #[serde(default)]
    authorizations: Vec<Authorization>,
    session: Option<Entity>,
    user: User,
}

#[derive(Deserialize)]
struct Authorization {
    policy: Option<Policy>,
}

#[derive(Deserialize)]
struct Policy {
    data: Option<Assigned>,
    #[serde(default)]
    desc: String,
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    uid: String,
}

#[derive(Default, Deserialize)]
struct Assigned {
    #[serde(default)]
    scope: String,
}

#[derive(Deserialize)]
struct Entity {
    #[serde(default)]
    uid: String,
}

#[derive(Deserialize)]
struct User {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    #[serde(default)]
    uid: String,
}

#[derive(Deserialize)]
struct Api {
    operation: String,
}

#[derive(Deserialize)]
struct Request {
    user_agent: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    original_event_uid: Option<String>,
    uid: Option<String>,
}

#[derive(Deserialize)]
struct Resource {
    name: Option<String>,
    #[serde(default)]
    uid: String,
    uid_alt: Option<String>,
}

#[derive(Deserialize)]
struct Endpoint {
    ip: Option<String>,
    port: Option<u16>,
}

#[derive(Default, Deserialize)]
struct Unmapped {
    #[serde(default)]
    detail: BTreeMap<String, Value>,
    door: Option<String>,
    host: Option<String>,
    operation: Option<String>,
    #[serde(default)]
    resources: Vec<Resource>,
    src_endpoint: Option<Endpoint>,
    #[serde(default)]
    truncated: Vec<Cut>,
    user_agent: Option<String>,
    via: Option<String>,
}

#[derive(Deserialize)]
struct Cut {
    bytes: u64,
    digest: String,
    field: String,
}

pub(super) fn read(entry: &[u8]) -> Result<Record, RecordError> {
    if entry.len() > MAX_ENTRY {
        return Err(RecordError::TooLarge { found: entry.len() });
    }
    // The parser does not look into texts that it passes over, and exporters repeat the whole.
    let text = std::str::from_utf8(entry).map_err(|error| RecordError::Shape {
        at: error.valid_up_to() + 1,
        problem: "this is not UTF-8".to_owned(),
    })?;
    let event: Event = serde_json::from_str(text).map_err(|error| {
        let at = if error.line() == 1 { error.column() } else { 0 };
        RecordError::Shape { at, problem: shown(&error.to_string()) }
    })?;
    let Event { unmapped, metadata, .. } = event;
    let activity = Activity::of_ocsf(event.class_uid, event.activity_id, &event.activity_name);
    let activity =
        activity.ok_or_else(|| wrong("class_uid", &format!("{}/{}", event.class_uid, event.activity_id)))?;
    let resource = event.resources.into_iter().chain(unmapped.resources).next();
    let agent = event.http_request.and_then(|request| request.user_agent).or(unmapped.user_agent);
    Ok(Record {
        id: metadata
            .uid
            .map(|uid| Uuid::try_parse(&uid).map_err(|_| wrong("metadata.uid", &uid)))
            .transpose()?,
        time: Timestamp::from_millisecond(event.time).map_err(|_| wrong("time", &event.time.to_string()))?,
        activity,
        action: event.api.map(|api| api.operation).or(unmapped.operation).unwrap_or_default(),
        why: why(event.actor.authorizations)?,
        actor: Actor {
            id: event.actor.user.uid,
            name: event.actor.user.name,
            kind: known(Kind::named, "actor.user.type", Some(event.actor.user.kind), Kind::Anonymous)?,
            via: known(Via::named, "unmapped.via", unmapped.via, Via::Other)?,
            session: event.actor.session.map(|session| session.uid),
        },
        source: Source {
            door: known(Door::named, "unmapped.door", unmapped.door, Door::Local)?,
            host: unmapped.host,
            agent,
            ..endpoint(event.src_endpoint.or(unmapped.src_endpoint))?
        },
        subject: resource.map(subject).transpose()?.unwrap_or_default(),
        outcome: outcome(event.action_id, event.status_id)?,
        status: event.status_detail,
        detail: unmapped.detail,
        severity: Severity::of_ocsf(event.severity_id),
        alert: event.is_alert,
        original: metadata.original_event_uid,
        truncated: truncated(unmapped.truncated)?,
    })
}

fn why(authorizations: Vec<Authorization>) -> Result<Why, RecordError> {
    let Some(policy) = authorizations.into_iter().next().and_then(|one| one.policy) else {
        return Ok(Why::Unstated);
    };
    Ok(match policy.kind.as_str() {
        ASSIGNMENT => Why::granted(policy.uid, policy.name, policy.data.unwrap_or_default().scope),
        RULE => Why::Rule(policy.desc),
        MISSING => Why::Missing(policy.desc),
        other => return Err(wrong("actor.authorizations.policy.type", other)),
    })
}

fn endpoint(endpoint: Option<Endpoint>) -> Result<Source, RecordError> {
    let Some(Endpoint { ip, port }) = endpoint else { return Ok(Source::local()) };
    let address = ip.map(|ip| ip.parse::<IpAddr>().map_err(|_| wrong("src_endpoint.ip", &ip))).transpose()?;
    Ok(Source { address, port, ..Source::local() })
}

fn subject(resource: Resource) -> Result<Subject, RecordError> {
    let digest =
        resource.uid_alt.map(|text| text.parse::<Digest>().map_err(|_| wrong("resources.uid_alt", &text)));
    Ok(Subject { scope: resource.uid, name: resource.name, digest: digest.transpose()? })
}

fn outcome(action: u32, status: u32) -> Result<Outcome, RecordError> {
    match (status, action) {
        (0, _) => Ok(Outcome::Unknown),
        (1, _) => Ok(Outcome::Success),
        (2, 2) => Ok(Outcome::Denied),
        (2, _) => Ok(Outcome::Failure),
        _ => Err(wrong("status_id", &status.to_string())),
    }
}

fn truncated(cuts: Vec<Cut>) -> Result<Vec<Truncated>, RecordError> {
    let mut list: Vec<Truncated> = Vec::new();
    for Cut { bytes, digest, field } in cuts {
        let name =
            FIELDS.into_iter().find(|known| *known == field && list.iter().all(|one| one.field != field));
        let field = name.ok_or_else(|| wrong("unmapped.truncated.field", &field))?;
        let digest = digest.parse().map_err(|_| wrong("unmapped.truncated.digest", &digest))?;
        list.push(Truncated { field, bytes, digest });
    }
    Ok(list)
}

/// A word of a closed list; `missing` where the field is.
fn known<T>(
    named: impl Fn(&str) -> Option<T>,
    field: &'static str,
    found: Option<String>,
    missing: T,
) -> Result<T, RecordError> {
    match found {
        None => Ok(missing),
        Some(found) => named(&found).ok_or_else(|| wrong(field, &found)),
    }
}

fn wrong(field: &'static str, found: &str) -> RecordError {
    RecordError::Value { field, found: shown(found) }
}

/// Messages go to terminals, and the entry may be anybody's.
fn shown(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
