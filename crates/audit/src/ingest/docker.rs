//! Docker: the stream of `GET /events` (Engine API 1.22 and later), as `docker events --format json` prints it.

use std::collections::BTreeMap;

use boltseal_model::Timestamp;
use serde::Deserialize;

use super::{IngestError, Ingested, Key, values};
use crate::{
    Record,
    record::{Activity, Actor, Door, Kind, Outcome, Severity, Source, Subject, beginning},
};

/// Bytes of a command's name; it is a path.
const MAX_COMMAND: usize = 128;

#[derive(Deserialize)]
struct Event {
    #[serde(rename = "Type")]
    kind: String,
    #[serde(rename = "Action")]
    action: String,
    #[serde(rename = "Actor")]
    actor: Thing,
    #[serde(default)]
    time: i64,
    #[serde(default, rename = "timeNano")]
    time_nano: i64,
}

/// What an event is about; the engine calls it "actor".
#[derive(Deserialize)]
struct Thing {
    #[serde(default, rename = "ID")]
    id: String,
    #[serde(default, rename = "Attributes")]
    attributes: Option<BTreeMap<String, String>>,
}

impl Thing {
    fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.as_ref()?.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Reads events, one JSON object after another. `host` is the name that scopes have for the machine, `/hosts/NAME`.
///
/// The engine does not say who asked it, only what it did: the actor is the engine.
pub fn docker(bytes: &[u8], host: &str) -> Result<Vec<Ingested>, IngestError> {
    let values = values(bytes)?.into_iter().enumerate();
    values
        .map(|(index, value)| {
            let event: Event = serde_json::from_str(value.get())
                .map_err(|error| IngestError::event(index + 1, &error.to_string()))?;
            let time = time(&event).ok_or_else(|| IngestError::event(index + 1, "it has no time"))?;
            Ok(ingested(&event, time, host))
        })
        .collect()
}

fn time(event: &Event) -> Option<Timestamp> {
    match (event.time_nano, event.time) {
        (0, 0) => None,
        (0, seconds) => Timestamp::from_second(seconds).ok(),
        (nanos, _) => Timestamp::from_nanosecond(nanos.into()).ok(),
    }
}

fn ingested(event: &Event, time: Timestamp, host: &str) -> Ingested {
    let thing = &event.actor;
    // `exec_create: /bin/sh -c …` and `health_status: healthy` carry more than the action.
    let (verb, rest) = event.action.split_once(':').unwrap_or((&event.action, ""));
    let exec = thing.attribute("execID").unwrap_or_default();
    let nanos = event.time_nano.to_string();
    let key = Key::of(&["docker", host, &event.kind, &event.action, &thing.id, exec, &nanos]);
    let (activity, severity) = meaning(&event.kind, verb);
    let name = thing.attribute("name").unwrap_or(&thing.id);
    let mut record = Record::new(time, activity, format!("Docker/{}s/{verb}", event.kind))
        .actor(Actor::new(Kind::System, "docker", "Docker engine"))
        .source(Source::new(Door::Docker).host(host))
        .subject(subject(event, name, host))
        .outcome(outcome(thing))
        .status(words(&event.kind, verb, name, rest))
        .severity(severity);
    for attribute in ["image", "exitCode", "signal", "execID", "container"] {
        if let Some(value) = thing.attribute(attribute) {
            record = record.detail(attribute, value);
        }
    }
    if verb == "health_status" {
        record = record.detail("health", rest.trim());
    }
    Ingested { key, record }
}

fn subject(event: &Event, name: &str, host: &str) -> Subject {
    let id = &event.actor.id;
    let scope = match event.kind.as_str() {
        // An image's id may be a name with slashes.
        "image" | "daemon" => format!("/hosts/{host}/{}s", event.kind),
        kind => format!("/hosts/{host}/{kind}s/{id}"),
    };
    let subject = Subject::new(scope).name(name);
    match id.parse() {
        Ok(digest) => subject.digest(digest),
        Err(_) => subject,
    }
}

/// A container that ends with another code than 0 failed; everything else that is told was done.
fn outcome(thing: &Thing) -> Outcome {
    match thing.attribute("exitCode") {
        None | Some("0") => Outcome::Success,
        Some(_) => Outcome::Failure,
    }
}

fn meaning(kind: &str, verb: &str) -> (Activity, Severity) {
    match (kind, verb) {
        ("container", "exec_create" | "exec_start" | "attach") => (Activity::Connect, Severity::High),
        // `docker cp`, out of and into a container.
        ("container", "archive-path" | "copy" | "export") => (Activity::Read, Severity::Medium),
        ("container", "extract-to-dir") => (Activity::Update, Severity::Medium),
        ("container", "top" | "resize") | ("image", "save" | "push") => {
            (Activity::Read, Severity::Informational)
        }
        ("container", "start" | "restart" | "unpause") => (Activity::Start, Severity::Informational),
        ("container", "die" | "stop" | "pause") => (Activity::Stop, Severity::Informational),
        ("container", "kill" | "oom") => (Activity::Stop, Severity::Low),
        ("plugin", "enable" | "pull" | "install" | "create") => (Activity::Create, Severity::Medium),
        (_, "create" | "pull" | "import" | "load" | "commit") => (Activity::Create, Severity::Informational),
        (_, "delete" | "destroy" | "remove" | "prune") => (Activity::Delete, Severity::Informational),
        (
            _,
            "update" | "rename" | "tag" | "untag" | "connect" | "disconnect" | "mount" | "unmount" | "reload",
        ) => (Activity::Update, Severity::Informational),
        _ => (Activity::Other, Severity::Informational),
    }
}

fn words(kind: &str, verb: &str, name: &str, rest: &str) -> String {
    let program = program(rest).map(|program| format!(": {program}")).unwrap_or_default();
    match verb {
        "exec_create" => format!("exec prepared in {kind} {name}{program}"),
        "exec_start" => format!("exec into {kind} {name}{program}"),
        "exec_die" => format!("exec ended in {kind} {name}"),
        "attach" => format!("attach to {kind} {name}"),
        "extract-to-dir" => format!("copy into {kind} {name}"),
        "archive-path" | "copy" => format!("copy out of {kind} {name}"),
        "health_status" => format!("{kind} {name} is {}", rest.trim()),
        _ if name.is_empty() => format!("{} {kind}s", verb.replace('_', " ")),
        _ => format!("{} {kind} {name}", verb.replace('_', " ")),
    }
}

/// The program of an exec. Its arguments stay out: people type secrets there.
pub(super) fn program(command: &str) -> Option<&str> {
    // `NAME=value` in front of a program is not its name.
    let word = command.split_whitespace().next().filter(|word| !word.contains('='))?;
    Some(beginning(word, MAX_COMMAND))
}
