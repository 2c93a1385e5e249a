//! Baseline: what a container may do beyond what containers may do anyway.

use boltseal_model::Severity;

use super::{Control, Level, Version, named, spares_namespaces};
use crate::{hit::Hits, workload::Workload};

pub(super) const PRIVILEGED: Control = Control {
    id: "privileged",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::Critical,
    title: "no privileged containers",
    why: "A privileged container is root on its host: every device, every capability, no filter.",
    fix: "remove privileged, and add the one capability that is needed",
    replaces: None,
    look: privileged,
};

fn privileged(workload: &Workload, _: Version, hits: &mut Hits) {
    for container in &workload.containers {
        let who = named(container.role, &container.name);
        hits.forbid(&container.security.privileged, &who, |on| on.then(|| "is privileged".to_owned()));
    }
}

pub(super) const CAPABILITIES: Control = Control {
    id: "capabilities_baseline",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::High,
    title: "no capabilities beyond the usual ones",
    why: "Capabilities such as SYS_ADMIN or NET_RAW are steps to the host or to other pods.",
    fix: "remove the capability from capabilities.add",
    replaces: None,
    look: capabilities,
};

/// What container runtimes grant by default, without `NET_RAW`.
const USUAL: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

fn capabilities(workload: &Workload, _: Version, hits: &mut Hits) {
    for container in &workload.containers {
        let who = named(container.role, &container.name);
        hits.forbid_each(&container.security.add, &who, |name| {
            (!USUAL.contains(&name.as_str())).then(|| format!("adds the capability {name}"))
        });
    }
}

pub(super) const PROC_MOUNT: Control = Control {
    id: "procMount",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::High,
    title: "/proc is masked",
    why: "What is masked in /proc tells about the host, or changes it.",
    fix: "remove procMount",
    replaces: None,
    look: proc_mount,
};

fn proc_mount(workload: &Workload, version: Version, hits: &mut Hits) {
    if !spares_namespaces(workload, version) {
        masked(workload, hits);
    }
}

/// Every container sees the masked `/proc` only.
pub(super) fn masked(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        let who = named(container.role, &container.name);
        hits.forbid(&container.security.proc_mount, &who, |kind| {
            (kind != "Default").then(|| format!("mounts /proc as {kind}"))
        });
    }
}
