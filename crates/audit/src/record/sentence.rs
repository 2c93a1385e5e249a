//! A record in one sentence.

use super::{Activity, Outcome, Record};

pub(super) fn of(record: &Record) -> String {
    let (plain, past) = verb(record.activity);
    let done = match record.outcome {
        Outcome::Success => past.to_owned(),
        Outcome::Denied => format!("may not {plain}"),
        Outcome::Failure => format!("failed to {plain}"),
        Outcome::Unknown => format!("asked to {plain}"),
    };
    let who = if record.actor.name.is_empty() { record.actor.kind.name() } else { &record.actor.name };
    let mut sentence = format!("{who} {done}");
    let subject = &record.subject;
    match (subject.scope.as_str(), subject.name.as_deref()) {
        ("", None) => {}
        ("", Some(name)) => sentence.extend([" ", name]),
        (scope, None) => sentence.extend([" ", scope]),
        (scope, Some(name)) if scope.rsplit('/').next() == Some(name) => sentence.extend([" ", scope]),
        (scope, Some(name)) => sentence.extend([" ", name, " in ", scope]),
    }
    if matches!(record.activity, Activity::Other) {
        sentence.extend([" (", &record.action, ")"]);
    }
    if let Some(status) = &record.status {
        sentence.extend([": ", status]);
    }
    sentence
}

/// To do it, and to have done it.
const fn verb(activity: Activity) -> (&'static str, &'static str) {
    match activity {
        Activity::Create => ("create", "created"),
        Activity::Read => ("read", "read"),
        Activity::Update | Activity::ChangeUser => ("change", "changed"),
        Activity::Delete => ("delete", "deleted"),
        Activity::Judge => ("judge", "judged"),
        Activity::Connect => ("connect to", "connected to"),
        Activity::Other => ("act on", "acted on"),
        Activity::SignIn => ("sign in to", "signed in to"),
        Activity::SignOut => ("sign out of", "signed out of"),
        Activity::Issue => ("get a token for", "got a token for"),
        Activity::Grant => ("give a role to", "gave a role to"),
        Activity::Revoke => ("take a role from", "took a role from"),
        Activity::AddUser => ("add", "added"),
        Activity::RemoveUser => ("remove", "removed"),
        Activity::EnableUser => ("enable", "enabled"),
        Activity::DisableUser => ("disable", "disabled"),
        Activity::ChangePassword => ("change the password of", "changed the password of"),
        Activity::AddFactor => ("add a factor to", "added a factor to"),
        Activity::RemoveFactor => ("remove a factor from", "removed a factor from"),
        Activity::Start => ("start", "started"),
        Activity::Stop => ("stop", "stopped"),
    }
}
