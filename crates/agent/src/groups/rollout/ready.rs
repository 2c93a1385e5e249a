//! Whether a new group is ready to serve.

use std::{collections::BTreeSet, time::Duration};

use boltseal_api::groups::State;
use boltseal_runtime::network::Protocol;
use tokio::time::Instant;

use super::{LOOK, sockets};
use crate::groups::group::Group;

/// How long a group has to be ready without a break: one that crashes runs for a moment, too.
const STEADY: Duration = Duration::from_secs(1);

/// Ports of streams that the group publishes where it serves. Datagrams have no conversations, and nobody who listens tells.
pub fn ports(group: &Group) -> BTreeSet<u16> {
    let ports = group.plan.network.ports.iter();
    let published = ports.filter(|port| port.protocol == Protocol::Tcp && port.published.is_some());
    published.map(|port| port.number).collect()
}

/// Any of its processes: all are in one network.
pub fn process(group: &Group) -> Option<i32> {
    group.containers.iter().find_map(|one| one.seen().started.map(|started| started.pid))
}

/// Waits until all of it runs, its readiness probes pass and somebody listens on each port that it publishes; or says why not.
pub async fn ready(group: &Group, wait: Duration) -> Result<(), String> {
    let begun = Instant::now();
    let ports = ports(group);
    let mut since: Option<Instant> = None;
    loop {
        let lacks = lacks(group, &ports);
        if let Some(why) = &lacks {
            since = None;
            if !*group.kept_running.borrow() {
                return Err(format!("the new one ended: {why}"));
            }
            if begun.elapsed() >= wait {
                return Err(format!("the new one was not ready after {} s: {why}", wait.as_secs()));
            }
        } else if since.get_or_insert_with(Instant::now).elapsed() >= STEADY {
            return Ok(());
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// What it lacks to be ready.
fn lacks(group: &Group, ports: &BTreeSet<u16>) -> Option<String> {
    for one in group.containers.iter().filter(|one| !one.plan.initialises) {
        let seen = one.seen();
        let name = one.name();
        match &seen.state {
            State::Running { .. } if seen.ready => {}
            State::Running { .. } => return Some(format!("{name} does not pass its readiness probe")),
            State::Waiting { why } => return Some(format!("{name} waits: {why}")),
            // A task beside the services of a group may be done.
            State::Ended
                if *group.kept_running.borrow()
                    && seen.ended.as_ref().is_some_and(|ended| ended.code == 0) => {}
            State::Ended => {
                let ended = seen.ended.as_ref();
                let how = ended.map(|ended| format!(" with {}: {}", ended.code, ended.why));
                return Some(format!("{name} ended{}", how.unwrap_or_default()));
            }
        }
    }
    if !*group.kept_running.borrow() {
        return Some("nothing of it runs".to_owned());
    }
    let listening = process(group).map(sockets::listening).unwrap_or_default();
    ports.iter().find(|port| !listening.contains(port)).map(|port| format!("nobody listens on port {port}"))
}
