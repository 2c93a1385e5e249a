//! What was done before, as `history.txt` says it.

use boltseal_audit::{
    Record,
    record::{Activity, Actor, Door, Kind, Outcome, Severity, Source, Subject, Via, Why},
};
use boltseal_model::Digest;
use jiff::SignedDuration;

/// Every record, oldest first, as the log has it.
pub fn entries() -> Vec<Vec<u8>> {
    let lines = include_str!("history.txt").lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| record(line).entry()).collect()
}

fn record(line: &str) -> Record {
    let fields: Vec<&str> = line.split(" | ").map(str::trim).collect();
    let [ago, who, by, from, activity, action, scope, name, outcome, why, status] = fields[..] else {
        panic!("history.txt: {line}")
    };
    let at = super::now().checked_sub(SignedDuration::from_mins(ago.parse().unwrap())).unwrap();
    let record = Record::new(at, Activity::named(activity).unwrap(), action_of(action))
        .actor(actor(who, by))
        .source(source(from, who))
        .subject(subject(scope, name))
        .outcome(Outcome::named(outcome).unwrap())
        .why(reason(why));
    let record = if status == "-" { record } else { record.status(status) };
    match why.split_once("reason: ") {
        Some((_, reason)) if who.starts_with('!') => {
            record.detail("reason", reason).severity(Severity::Critical).alert()
        }
        _ => record,
    }
}

fn action_of(word: &str) -> String {
    let of_content =
        |what: &str| format!("Microsoft.ContainerRegistry/registries/repositories/content/{what}");
    match word {
        "push" => of_content("write"),
        "pull" => of_content("read"),
        "delete" => of_content("delete"),
        other => other.to_owned(),
    }
}

fn actor(who: &str, by: &str) -> Actor {
    let (kind, via) = by.split_once(' ').unwrap();
    let (kind, via) = (Kind::named(kind).unwrap(), Via::named(via).unwrap());
    match kind {
        Kind::System => Actor::system(),
        Kind::Anonymous => Actor::anonymous(),
        kind => {
            let name = who.trim_start_matches('!');
            let id = Digest::of(name.as_bytes()).to_string();
            Actor::new(kind, &id[7..19], name).via(via)
        }
    }
}

fn source(from: &str, who: &str) -> Source {
    let agent = match who {
        "build" => "docker/27.3.1 go/go1.22.7 os/linux arch/amd64",
        "deploy" => "containerd/v1.7.22",
        "k8s" => "kubectl/v1.31.2 (linux/amd64)",
        _ => "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
    };
    match from.parse::<std::net::Ipv4Addr>() {
        Ok(address) if who == "k8s" => {
            Source { door: Door::Kubernetes, ..Source::https(address, 443).host("east").agent(agent) }
        }
        Ok(address) => Source::https(address, 51_820).agent(agent),
        Err(_) => Source::local(),
    }
}

fn subject(scope: &str, name: &str) -> Subject {
    let subject = match scope.strip_prefix("r:") {
        Some(repository) => Subject::new(format!("/registries/main/repositories/{repository}")),
        None => Subject::new(scope),
    };
    if name == "-" { subject } else { subject.name(name) }
}

fn reason(why: &str) -> Why {
    if let Some(words) = why.strip_prefix("rule:") {
        return Why::rule(words);
    }
    if let Some(words) = why.strip_prefix("missing:") {
        return Why::missing(words);
    }
    match why.split_once(' ') {
        Some((role, scope)) => Why::granted("5d2a7c1e-90f3-4a55-9c41-7a7a4d0f3b21", role, scope),
        None => Why::Unstated,
    }
}
