//! Commands to a Docker engine, as our gate beside it reports them before they are done: who asked for what, of which
//! image, and what became of it. The engine's own events ([`super::docker`]) say what was done, but not who asked.

use boltseal_model::Timestamp;
use serde::Deserialize;

use super::{IngestError, Ingested, Key, values};
use crate::{
    Record,
    record::{Activity, Actor, Door, Kind, Outcome, Severity, Source, Subject},
};

/// One command. What it holds besides names (environment, arguments) the gate does not send.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// When it was asked for.
    time: Timestamp,
    /// By TLS certificate; none over the socket.
    user: Option<String>,
    /// How the engine knows who it was.
    #[serde(default)]
    proof: String,
    method: String,
    path: String,
    /// In the words of the command line: `container create`.
    command: String,
    object: Option<String>,
    image: Option<String>,
    outcome: Answer,
    why: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Allowed,
    /// Allowed, with something to look at.
    Warned,
    Refused,
}

/// Reads commands, one JSON object after another. `host` is the name that scopes have for the machine, `/hosts/NAME`.
pub fn docker_commands(bytes: &[u8], host: &str) -> Result<Vec<Ingested>, IngestError> {
    let values = values(bytes)?.into_iter().enumerate();
    values
        .map(|(index, value)| {
            let asked: Asked = serde_json::from_str(value.get())
                .map_err(|error| IngestError::event(index + 1, &error.to_string()))?;
            Ok(ingested(&asked, host))
        })
        .collect()
}

fn ingested(asked: &Asked, host: &str) -> Ingested {
    let nanos = asked.time.as_nanosecond().to_string();
    let object = asked.object.as_deref().or(asked.image.as_deref()).unwrap_or_default();
    let key = Key::of(&["docker command", host, &asked.method, &asked.path, object, &nanos]);
    let actor = match &asked.user {
        Some(user) => Actor::new(Kind::User, format!("docker:{user}"), user.as_str()),
        None => Actor::new(Kind::Anonymous, "docker-socket", "whoever may open the engine's socket"),
    };
    let (noun, verb) = asked.command.split_once(' ').unwrap_or(("engine", &asked.command));
    let (outcome, severity, ending) = match asked.outcome {
        Answer::Allowed => (Outcome::Success, Severity::Informational, "allowed"),
        Answer::Warned => (Outcome::Success, Severity::Low, "allowed with a warning"),
        Answer::Refused => (Outcome::Denied, Severity::Medium, "refused"),
    };
    let mut words = format!("{}: {ending}", asked.command);
    if !object.is_empty() {
        words = format!("{} {object}: {ending}", asked.command);
    }
    if let Some(why) = &asked.why {
        words = format!("{words}: {why}");
    }
    let mut record = Record::new(asked.time, activity(verb), format!("Docker/{noun}s/{verb}"))
        .actor(actor)
        .source(Source::new(Door::Docker).host(host))
        .subject(Subject::new(format!("/hosts/{host}/{noun}s")).name(object))
        .outcome(outcome)
        .status(words)
        .severity(severity)
        .detail("method", asked.method.as_str())
        .detail("path", asked.path.as_str());
    if let Some(image) = &asked.image {
        record = record.detail("image", image.as_str());
    }
    if !asked.proof.is_empty() {
        record = record.detail("proof", asked.proof.as_str());
    }
    Ingested { key, record }
}

fn activity(verb: &str) -> Activity {
    match verb {
        "create" | "pull" | "load" | "commit" | "build" | "install" | "init" | "tag" => Activity::Create,
        "start" | "restart" | "unpause" | "enable" => Activity::Start,
        "stop" | "kill" | "pause" | "disable" => Activity::Stop,
        "rm" | "prune" | "leave" => Activity::Delete,
        "exec" | "attach" => Activity::Connect,
        "cp" | "export" | "push" => Activity::Read,
        "update" | "rename" | "set" | "upgrade" | "connect" | "disconnect" | "join" => Activity::Update,
        _ => Activity::Other,
    }
}
