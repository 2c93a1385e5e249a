//! Container groups of a node, for people.

use std::fmt::Write as _;

use boltseal_api::groups::{Container, Group, GroupState, Process, State};
use boltseal_model::Timestamp;

use super::{feeds::age, packages::grid_without_gaps, paint::Paint};

/// Characters of a digest that tell it apart.
const SHORT: usize = 19;

/// All groups, a container each line.
pub fn all(groups: &[Group], paint: Paint) -> String {
    let now = Timestamp::now();
    let rows = groups.iter().flat_map(|group| {
        group.containers.iter().map(move |one| {
            [
                format!("{}/{}", group.name, one.name),
                state(one, now),
                restarts(one),
                if one.ready { "yes".to_owned() } else { "no".to_owned() },
                one.image.clone(),
                one.digest.as_deref().unwrap_or_default().chars().take(SHORT).collect(),
                group.address.clone().unwrap_or_default(),
            ]
        })
    });
    grid_without_gaps(&["container", "state", "restarts", "ready", "image", "digest", "address"], rows, paint)
}

/// One group.
pub fn one(group: &Group, paint: Paint) -> String {
    let mut out = String::new();
    let word = match group.state {
        GroupState::Starting => "starting",
        GroupState::Running => "running",
        GroupState::Stopping => "stopping",
        GroupState::Stopped => "stopped",
        GroupState::Succeeded => "succeeded",
        GroupState::Failed => "failed",
    };
    let _ = writeln!(out, "{} is {word}", paint.bold(&group.name));
    if group.unverified {
        let _ = writeln!(out, "{}", paint.alarm("It runs images that nobody allowed."));
    }
    let _ = writeln!(out, "plan {}", group.plan);
    if let Some(address) = &group.address {
        let _ = writeln!(out, "address {address}");
    }
    for attended in group.containers.iter().filter(|one| one.terminal || one.input) {
        let what = if attended.terminal { "has a terminal" } else { "reads what is typed" };
        let _ = writeln!(out, "{} {what}: boltseal attach {}/{}", attended.name, group.name, attended.name);
    }
    out.push('\n');
    out.push_str(&all(std::slice::from_ref(group), paint));
    out
}

/// Processes of a container.
pub fn processes(processes: &[Process], paint: Paint) -> String {
    let rows = processes.iter().map(|one| {
        [
            one.inside.to_string(),
            one.pid.to_string(),
            one.user.to_string(),
            format!("{}.{} MB", one.memory / 1_000_000, one.memory / 100_000 % 10),
            format!("{}.{:02}", one.cpu / 1_000, one.cpu % 1_000 / 10),
            one.command.clone(),
        ]
    });
    grid_without_gaps(&["pid", "node pid", "user", "memory", "cpu seconds", "command"], rows, paint)
}

fn state(one: &Container, now: Timestamp) -> String {
    match (&one.state, &one.ended) {
        (State::Running { since, .. }, _) => format!("running for {}", age(*since, now)),
        (State::Waiting { why }, _) => format!("waiting: {why}"),
        (State::Ended, Some(ended)) if ended.why == "ended" => format!("ended with {}", ended.code),
        (State::Ended, Some(ended)) => format!("ended with {}: {}", ended.code, ended.why),
        (State::Ended, None) => "ended".to_owned(),
    }
}

fn restarts(one: &Container) -> String {
    if one.restarts == 0 { String::new() } else { one.restarts.to_string() }
}
