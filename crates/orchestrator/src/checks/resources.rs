//! How much of the machine a container may use, and how it is found to be well.

use boltseal_model::Severity;

use super::{Check, Look, privilege::who};
use crate::{
    hit::Hits,
    leaf::Leaf,
    workload::{Container, Role, Workload},
};

const LIMIT: Check = Check {
    id: "",
    severity: Severity::Low,
    title: "",
    why: "One container that grows without end starves everything else on its host.",
    fix: "set `resources.limits` (Compose: `deploy.resources.limits`)",
    sources: &["CIS Docker 5.11", "CIS Docker 5.12", "NSA pods"],
    standard: None,
    only: &[],
    look: Look::Workload(|_, _| ()),
};

pub(super) const CPU_LIMIT: Check = Check {
    id: "no-cpu-limit",
    title: "no limit of processors",
    look: Look::Workload(|workload, hits| {
        missing(workload, hits, |one| &one.resources.cpu_limit, "has no limit of processors");
    }),
    ..LIMIT
};

pub(super) const MEMORY_LIMIT: Check = Check {
    id: "no-memory-limit",
    title: "no limit of memory",
    look: Look::Workload(|workload, hits| {
        missing(workload, hits, |one| &one.resources.memory_limit, "has no limit of memory");
    }),
    ..LIMIT
};

const REQUEST: Check = Check {
    why: "What promises nothing is placed anywhere and is the first to be evicted.",
    fix: "set `resources.requests`",
    sources: &["NSA pods"],
    only: &["kubernetes"],
    ..LIMIT
};

pub(super) const CPU_REQUEST: Check = Check {
    id: "no-cpu-request",
    title: "no promise of processors",
    look: Look::Workload(|workload, hits| {
        missing(workload, hits, |one| &one.resources.cpu_request, "is promised no processors");
    }),
    ..REQUEST
};

pub(super) const MEMORY_REQUEST: Check = Check {
    id: "no-memory-request",
    title: "no promise of memory",
    look: Look::Workload(|workload, hits| {
        missing(workload, hits, |one| &one.resources.memory_request, "is promised no memory");
    }),
    ..REQUEST
};

fn missing(workload: &Workload, hits: &mut Hits, leaf: impl Fn(&Container) -> &Leaf<String>, found: &str) {
    for container in workload.containers.iter().filter(|one| one.role != Role::Ephemeral) {
        match leaf(container) {
            Leaf::Unset(place) => hits.say(place, format!("{} {found}", who(container))),
            Leaf::Unknown(why, place) => hits.doubt(place, format!("{}: {why}", who(container))),
            Leaf::Set(..) => {}
        }
    }
}

const PROBE: Check = Check {
    why: "Nobody notices when it hangs: it stays in service and answers nobody.",
    fix: "add a probe that asks the program whether it is well (Compose: `healthcheck`)",
    sources: &["CIS Docker 5.27"],
    ..LIMIT
};

pub(super) const LIVENESS: Check = Check {
    id: "no-liveness-probe",
    title: "no liveness probe",
    only: &["aci", "compose", "docker", "kubernetes", "marathon", "nomad"],
    look: Look::Workload(|workload, hits| {
        unprobed(workload, hits, |one| &one.probes.liveness, "has no liveness probe");
    }),
    ..PROBE
};

pub(super) const READINESS: Check = Check {
    id: "no-readiness-probe",
    title: "no readiness probe",
    only: &["aci", "kubernetes"],
    look: Look::Workload(|workload, hits| {
        unprobed(workload, hits, |one| &one.probes.readiness, "has no readiness probe");
    }),
    ..PROBE
};

/// What ends by itself needs no probe.
fn unprobed(workload: &Workload, hits: &mut Hits, leaf: impl Fn(&Container) -> &Leaf<()>, found: &str) {
    if matches!(workload.id.kind.as_str(), "Job" | "CronJob") {
        return;
    }
    for container in workload.containers.iter().filter(|one| one.role == Role::Main) {
        if let Leaf::Unset(place) = leaf(container) {
            hits.say(place, format!("{} {found}", who(container)));
        }
    }
}
