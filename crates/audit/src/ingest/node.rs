//! Containers that a node runs by itself: the events of its agent, as `boltseal events --json` prints them.

use std::collections::BTreeMap;

use boltseal_model::{Digest, Timestamp};
use serde::Deserialize;

use super::{IngestError, Ingested, Key, docker::program, values};
use crate::{
    Record,
    record::{Activity, Actor, Door, Kind, Outcome, Severity, Source, Subject},
};

/// What of an event is taken over as it is. A command is not: people type secrets there.
const TAKEN: [&str; 15] = [
    "id",
    "image",
    "digest",
    "verdict",
    "plan",
    "unverified",
    "code",
    "why",
    "grace",
    "failed",
    "what",
    "times",
    "from",
    "to",
    "strategy",
];

#[derive(Deserialize)]
struct Event {
    number: u64,
    at: Timestamp,
    what: String,
    #[serde(default)]
    group: String,
    #[serde(default)]
    container: Option<String>,
    #[serde(default)]
    details: BTreeMap<String, String>,
}

impl Event {
    fn detail(&self, name: &str) -> Option<&str> {
        self.details.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The group, or one container of it.
    fn whose(&self) -> String {
        match &self.container {
            Some(container) => format!("{}/{container}", self.group),
            None => self.group.clone(),
        }
    }
}

/// Reads events, one JSON object after another. `host` is the name that scopes have for the machine, `/hosts/NAME`.
///
/// Their numbers are kept (`event`): they count from one without a gap on each node, so one that never came is seen.
pub fn node(bytes: &[u8], host: &str) -> Result<Vec<Ingested>, IngestError> {
    let values = values(bytes)?.into_iter().enumerate();
    values
        .map(|(index, value)| {
            let event: Event = serde_json::from_str(value.get())
                .map_err(|error| IngestError::event(index + 1, &error.to_string()))?;
            Ok(ingested(&event, host))
        })
        .collect()
}

fn ingested(event: &Event, host: &str) -> Ingested {
    let (number, nanos) = (event.number.to_string(), event.at.as_nanosecond().to_string());
    let key = Key::of(&["node", host, &number, &nanos, &event.what]);
    let (activity, severity) = meaning(event);
    let (noun, verb) = event.what.split_once('.').unwrap_or(("node", &event.what));
    let mut record = Record::new(event.at, activity, format!("Boltseal/{noun}s/{verb}"))
        .actor(actor(event, host))
        .source(Source::new(Door::Agent).host(host))
        .subject(subject(event, host))
        .outcome(outcome(event))
        .status(words(event))
        .severity(severity)
        .detail("event", event.number);
    for name in TAKEN {
        if let Some(value) = event.detail(name) {
            record = record.detail(name, value);
        }
    }
    Ingested { key, record }
}

/// Whoever asked, as the node's kernel says; what happens by itself is the agent's.
fn actor(event: &Event, host: &str) -> Actor {
    match event.detail("by") {
        Some(by) => Actor::new(Kind::User, format!("host:{host}:{by}"), by),
        None => Actor::new(Kind::System, "boltseal-agent", "the agent of the node"),
    }
}

fn subject(event: &Event, host: &str) -> Subject {
    let scope = match (event.group.as_str(), &event.container) {
        ("", _) => format!("/hosts/{host}"),
        (group, None) => format!("/hosts/{host}/groups/{group}"),
        (group, Some(container)) => format!("/hosts/{host}/groups/{group}/containers/{container}"),
    };
    let subject = Subject::new(scope).name(event.whose());
    match event.detail("digest").and_then(|text| text.parse::<Digest>().ok()) {
        Some(digest) => subject.digest(digest),
        None => subject,
    }
}

fn outcome(event: &Event) -> Outcome {
    match (event.what.as_str(), event.detail("code")) {
        ("container.end", Some(code)) if code != "0" => Outcome::Failure,
        ("container.failed" | "container.unwell" | "group.rollout-failed", _) => Outcome::Failure,
        ("network.refused" | "token.refused", _) => Outcome::Denied,
        _ => Outcome::Success,
    }
}

fn meaning(event: &Event) -> (Activity, Severity) {
    let unverified = event.detail("unverified") == Some("true");
    match event.what.as_str() {
        // Somebody let something run that nobody allowed.
        "group.run" if unverified => (Activity::Create, Severity::High),
        "group.run" => (Activity::Create, Severity::Informational),
        "group.start" | "container.start" => (Activity::Start, Severity::Informational),
        "group.stop" | "container.end" => (Activity::Stop, Severity::Informational),
        "group.remove" => (Activity::Delete, Severity::Informational),
        "container.exec" | "container.attend" => (Activity::Connect, Severity::High),
        "group.rotate" => (Activity::Update, Severity::Medium),
        "group.rollout" | "group.rolled-out" | "group.rollback" | "group.renew" => {
            (Activity::Update, Severity::Informational)
        }
        "group.rollout-failed" => (Activity::Update, Severity::Low),
        "token.issued" => (Activity::SignIn, Severity::Informational),
        "token.refused" => (Activity::SignIn, Severity::Medium),
        "container.failed" | "container.unwell" | "network.refused" => (Activity::Other, Severity::Low),
        _ => (Activity::Other, Severity::Informational),
    }
}

fn words(event: &Event) -> String {
    let whose = event.whose();
    let why = |text: String| match event.detail("why") {
        Some(why) => format!("{text}: {why}"),
        None => text,
    };
    match event.what.as_str() {
        "group.run" if event.detail("unverified") == Some("true") => {
            format!("group {whose} runs, with an image that nobody allowed")
        }
        "group.run" => format!("group {whose} runs"),
        "container.start" => format!("container {whose} started"),
        "container.end" => why(format!(
            "container {whose} ended with {}",
            event.detail("code").unwrap_or("a code that nobody knows")
        )),
        "container.unwell" => format!("container {whose} failed its probe"),
        "group.stop" => format!("group {whose} was told to stop"),
        "group.start" => format!("group {whose} was started again"),
        "group.remove" => format!("group {whose} was removed"),
        "group.rotate" => {
            format!("secrets of group {whose} were replaced: {}", event.detail("what").unwrap_or("?"))
        }
        "group.rollout" => {
            format!("group {whose} is being replaced by {}", event.detail("id").unwrap_or("?"))
        }
        "group.rolled-out" => {
            format!("group {whose} was replaced: {} serves", event.detail("to").unwrap_or("?"))
        }
        "group.renew" => why(format!("group {whose} is replaced by a rule in its file")),
        "group.rollback" => format!("group {whose} goes back to {}", event.detail("id").unwrap_or("?")),
        "group.rollout-failed" => why(format!("group {whose} was not replaced")),
        "container.attend" => format!("somebody sits at container {whose}"),
        "container.failed" => why(format!("container {whose} could not be started")),
        "container.exec" => {
            let program = event.detail("command").and_then(program).unwrap_or("a program");
            format!("exec into container {whose}: {program}")
        }
        "token.issued" => format!(
            "container {whose} got a token of {} for {}",
            event.detail("id").unwrap_or("?"),
            event.detail("what").unwrap_or("?")
        ),
        "token.refused" => {
            why(format!("container {whose} got no token of {}", event.detail("id").unwrap_or("?")))
        }
        "network.refused" => format!(
            "the network refused {} {} times to {whose}",
            event.detail("what").unwrap_or("something"),
            event.detail("times").unwrap_or("some")
        ),
        what => {
            let (noun, verb) = what.split_once('.').unwrap_or(("node", what));
            format!("{noun} {whose}: {verb}")
        }
    }
}
