//! `ssh-server`

use boltseal_model::Severity;

use super::{Check, Facts, Found};

pub(super) const CHECK: Check = Check {
    id: "ssh-server",
    severity: Severity::Medium,
    title: "an SSH server",
    why: "A way in that no orchestrator logs or authorises, with keys of its own to keep.",
    fix: "remove it; use the orchestrator's `exec`, which is authorised and recorded",
    source: "CIS Docker Benchmark 5.7",
    look,
};

fn look(facts: &Facts<'_>) -> Vec<Found> {
    const SERVERS: [&str; 4] = ["openssh-server", "dropbear", "openssh-sftp-server", "dropbear-bin"];
    let servers = facts.packages.iter().filter(|package| SERVERS.contains(&package.name.as_str()));
    let mut found: Vec<Found> = servers
        .map(|package| Found::new(format!("{} {} is installed", package.name, package.version)))
        .collect();
    if facts.config.ports.iter().any(|port| port == "22" || port == "22/tcp") {
        found.push(Found::new("port 22 is exposed"));
    }
    found
}
