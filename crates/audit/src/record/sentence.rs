//! A record in one sentence.

use super::{Activity, Outcome, Record, Subject};

pub(super) fn of(record: &Record) -> String {
    let (plain, past) = verb(record);
    let done = match record.outcome {
        Outcome::Success => past.to_owned(),
        Outcome::Denied => format!("may not {plain}"),
        Outcome::Failure => format!("failed to {plain}"),
        Outcome::Unknown => format!("asked to {plain}"),
    };
    let who = if record.actor.name.is_empty() { record.actor.kind.name() } else { &record.actor.name };
    let mut sentence = format!("{who} {done}");
    let object = object(record);
    if !object.is_empty() {
        sentence.extend([" ", &object]);
    }
    if matches!(record.activity, Activity::Other) {
        sentence.extend([" (", &record.action, ")"]);
    }
    if let Some(status) = &record.status {
        sentence.extend([": ", status]);
    }
    sentence
}

/// What it was done to.
fn object(record: &Record) -> String {
    let Subject { scope, name, .. } = &record.subject;
    let name = name.as_deref();
    match record.activity {
        Activity::SignIn | Activity::SignOut => match name {
            Some(name) if name != record.actor.name => format!("as {name}"),
            _ => String::new(),
        },
        Activity::Grant | Activity::Revoke if !is_number(scope) => {
            let to = if record.activity == Activity::Grant { "to" } else { "from" };
            let whom = name.map(|name| format!(" {to} {name}")).unwrap_or_default();
            format!("a role{whom} at {scope}")
        }
        _ if scope == "/" && name.is_none() => thing(&record.action),
        _ => place(scope, name),
    }
}

/// A name within a scope, as people write it: `team/app:1.2` for a tag of a repository.
fn place(scope: &str, name: Option<&str>) -> String {
    let repository = scope.strip_prefix("/registries/").and_then(|rest| rest.split_once("/repositories/"));
    let last = scope.rsplit('/').next().unwrap_or_default();
    match (repository, name) {
        (Some((_, repository)), Some(name)) if is_tag(name) => format!("{repository}:{name}"),
        (Some((_, repository)), None) => repository.to_owned(),
        (_, None) => scope.to_owned(),
        // What is filed under a number is known by its name.
        (_, Some(name)) if matches!(scope, "" | "/") || uuid::Uuid::parse_str(last).is_ok() => {
            name.to_owned()
        }
        (_, Some(name)) if last == name => scope.to_owned(),
        (_, Some(name)) => format!("{name} in {scope}"),
    }
}

/// Whether the last segment only numbers the thing.
fn is_number(scope: &str) -> bool {
    scope.rsplit('/').next().is_some_and(|last| uuid::Uuid::parse_str(last).is_ok())
}

/// Whether it can stand behind a repository and a colon (OCI distribution specification 1.1, "Pulling manifests").
fn is_tag(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// What an action is about, where there is nothing more exact: `audit records` of `Boltseal/audit/records/read`.
fn thing(action: &str) -> String {
    let mut words: Vec<&str> = action.split('/').skip(1).collect();
    if words.last() == Some(&"action") {
        words.pop();
    }
    words.pop();
    if words.is_empty() { "everything".to_owned() } else { words.join(" ") }
}

/// To do it, and to have done it. Images have verbs of their own.
fn verb(record: &Record) -> (&'static str, &'static str) {
    match record.action.rsplit_once("/repositories/content/") {
        Some((_, "read")) => ("pull", "pulled"),
        Some((_, "write")) if record.activity == Activity::Create => ("push", "pushed"),
        _ => verb_of(record.activity),
    }
}

const fn verb_of(activity: Activity) -> (&'static str, &'static str) {
    match activity {
        Activity::Create => ("create", "created"),
        Activity::Read => ("read", "read"),
        Activity::Update | Activity::ChangeUser => ("change", "changed"),
        Activity::Delete => ("delete", "deleted"),
        Activity::Judge => ("judge", "judged"),
        Activity::Connect => ("connect to", "connected to"),
        Activity::Other => ("act on", "acted on"),
        Activity::SignIn => ("sign in", "signed in"),
        Activity::SignOut => ("sign out", "signed out"),
        Activity::Issue => ("get a token for", "got a token for"),
        Activity::Grant => ("give", "gave"),
        Activity::Revoke => ("take", "took"),
        Activity::AddUser => ("add", "added"),
        Activity::RemoveUser => ("remove", "removed"),
        Activity::EnableUser => ("enable", "enabled"),
        Activity::DisableUser => ("disable", "disabled"),
        Activity::ChangePassword => ("change the credentials of", "changed the credentials of"),
        Activity::AddFactor => ("add a factor to", "added a factor to"),
        Activity::RemoveFactor => ("remove a factor from", "removed a factor from"),
        Activity::Start => ("start", "started"),
        Activity::Stop => ("stop", "stopped"),
    }
}

#[cfg(test)]
mod tests {
    use boltseal_model::Timestamp;

    use super::*;
    use crate::record::Actor;

    #[test]
    fn says_it_as_people_do() {
        use Activity::{Create, Delete, Grant, Read, SignIn, Start, Update};
        use Outcome::{Denied, Failure, Success};
        const CONTENT: &str = "Microsoft.ContainerRegistry/registries/repositories/content";
        let repository = "/registries/main/repositories/team/a";
        let id = "e036f9b8-6817-4d21-98f6-b975645702c5";
        let principal = format!("/principals/{id}");
        for (activity, action, scope, name, outcome, sentence) in [
            (Create, "write", repository, "1.2", Success, "ada pushed team/a:1.2"),
            (Read, "read", repository, "", Denied, "ada may not pull team/a"),
            (
                Delete,
                "delete",
                repository,
                "sha256:0a",
                Success,
                "ada deleted sha256:0a in /registries/main/repositories/team/a",
            ),
            (Update, "write", repository, "latest", Success, "ada changed team/a:latest"),
            (SignIn, "", "/", "ada", Success, "ada signed in"),
            (SignIn, "", "/", "root", Failure, "ada failed to sign in as root"),
            (
                Grant,
                "",
                "/assignments/e036f9b8-6817-4d21-98f6-b975645702c5",
                "Owner at / to bob",
                Success,
                "ada gave Owner at / to bob",
            ),
            (Grant, "", "/registries/main", "", Denied, "ada may not give a role at /registries/main"),
            (Activity::AddUser, "", &principal, "bob", Success, "ada added bob"),
            (Update, "", "/policies/default", "default", Success, "ada changed /policies/default"),
            (Start, "", "", "Boltseal 1", Success, "ada started Boltseal 1"),
        ] {
            let action =
                if action.is_empty() { "Boltseal/x/read".to_owned() } else { format!("{CONTENT}/{action}") };
            let subject = Subject::new(scope);
            let subject = if name.is_empty() { subject } else { subject.name(name) };
            let record = Record::new(Timestamp::UNIX_EPOCH, activity, action).actor(Actor::user("1", "ada"));
            assert_eq!(of(&record.subject(subject).outcome(outcome)), sentence);
        }
        let read = Record::new(Timestamp::UNIX_EPOCH, Read, "Boltseal/audit/records/read")
            .subject(Subject::new("/"));
        assert_eq!(of(&read.outcome(Success).status("late")), "Boltseal read audit records: late");
    }
}
