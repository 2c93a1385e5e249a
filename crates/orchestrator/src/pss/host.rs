//! Baseline: what leads from a pod to its host.

use boltseal_model::Severity;

use super::{Control, Level, Version, named};
use crate::{hit::Hits, leaf::Leaf, workload::Workload};

pub(super) const NAMESPACES: Control = Control {
    id: "hostNamespaces",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::High,
    title: "no network, processes or memory of the host",
    why: "A pod in a namespace of the host sees and reaches everything there: other people's traffic, processes and memory.",
    fix: "remove hostNetwork, hostPID and hostIPC",
    replaces: None,
    look: namespaces,
};

fn namespaces(workload: &Workload, _: Version, hits: &mut Hits) {
    let isolation = &workload.isolation;
    let shared = [
        (&isolation.host_network, "network"),
        (&isolation.host_pid, "processes"),
        (&isolation.host_ipc, "memory and queues"),
    ];
    for (leaf, what) in shared {
        hits.forbid(leaf, "the pod", |on| on.then(|| format!("shares the {what} of its host")));
    }
}

pub(super) const PATHS: Control = Control {
    id: "hostPathVolumes",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::High,
    title: "no folders of the host",
    why: "A folder of the host is a door to the host: to its credentials, its other containers, its programs.",
    fix: "use a volume of the cluster (persistentVolumeClaim, emptyDir, configMap) instead of hostPath",
    replaces: None,
    look: paths,
};

fn paths(workload: &Workload, _: Version, hits: &mut Hits) {
    for volume in workload.volumes.iter().filter(|volume| volume.kind == "hostPath") {
        let path = volume.from.known().map(|path| format!(" {path}")).unwrap_or_default();
        hits.say(&volume.place, format!("volume \"{}\" is the folder{path} of the host", volume.name));
    }
}

pub(super) const PORTS: Control = Control {
    id: "hostPorts",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::Medium,
    title: "no ports of the host",
    why: "A port of the host is outside every network policy, and only one pod of a node can have it.",
    fix: "remove hostPort and put a Service in front of the pod",
    replaces: None,
    look: ports,
};

fn ports(workload: &Workload, _: Version, hits: &mut Hits) {
    for container in &workload.containers {
        let who = named(container.role, &container.name);
        for port in &container.ports {
            hits.forbid(&port.host, &who, |host| {
                (*host != 0).then(|| format!("listens on port {host} of its host"))
            });
        }
    }
}

pub(super) const PROBES: Control = Control {
    id: "hostProbesAndHostLifecycle",
    level: Level::Baseline,
    since: Version::minor(34),
    severity: Severity::Medium,
    title: "probes and hooks reach the pod only",
    why: "The node itself connects to the host that a probe names, past every network policy.",
    fix: "remove `host` from probes and hooks: without it they connect to the pod",
    replaces: None,
    look: probes,
};

fn probes(workload: &Workload, _: Version, hits: &mut Hits) {
    for container in &workload.containers {
        let who = named(container.role, &container.name);
        for host in &container.probes.hosts {
            hits.forbid(host, &who, |host| {
                (!host.is_empty()).then(|| format!("has a probe or hook that connects to {host}"))
            });
        }
    }
}

pub(super) const WINDOWS: Control = Control {
    id: "windowsHostProcess",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::High,
    title: "no processes of a Windows host",
    why: "Such a container is a process of the node, with all its rights.",
    fix: "remove windowsOptions.hostProcess",
    replaces: None,
    look: windows,
};

fn windows(workload: &Workload, _: Version, hits: &mut Hits) {
    for (who, security) in super::each(workload) {
        hits.forbid(&security.windows_host_process, &who, |on| {
            on.then(|| "is a process of its Windows host".to_owned())
        });
    }
}

pub(super) const SYSCTLS: Control = Control {
    id: "sysctls",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::Medium,
    title: "safe kernel settings only",
    why: "Other settings reach beyond the pod: they weaken or starve everything on the node.",
    fix: "remove settings that do not belong to the pod's own namespaces",
    replaces: None,
    look: sysctls,
};

/// Settings that belong to a pod alone, and the version that took them in.
const SAFE: [(&str, u16); 14] = [
    ("kernel.shm_rmid_forced", 0),
    ("net.ipv4.ip_local_port_range", 0),
    ("net.ipv4.ip_unprivileged_port_start", 0),
    ("net.ipv4.ping_group_range", 0),
    ("net.ipv4.tcp_syncookies", 0),
    ("net.ipv4.ip_local_reserved_ports", 27),
    ("net.ipv4.tcp_fin_timeout", 29),
    ("net.ipv4.tcp_keepalive_intvl", 29),
    ("net.ipv4.tcp_keepalive_probes", 29),
    ("net.ipv4.tcp_keepalive_time", 29),
    ("net.ipv4.tcp_rmem", 32),
    ("net.ipv4.tcp_wmem", 32),
    ("net.ipv4.tcp_notsent_lowat", 37),
    ("net.ipv4.tcp_slow_start_after_idle", 37),
];

fn sysctls(workload: &Workload, version: Version, hits: &mut Hits) {
    let safe = |name: &str| SAFE.iter().any(|(one, since)| *one == name && Version::minor(*since) <= version);
    for sysctl in workload.sysctls.iter().filter(|sysctl| !safe(&sysctl.name)) {
        // What it is set to does not matter; where it stands does.
        let place = match &sysctl.value {
            Leaf::Set(_, place) | Leaf::Unset(place) | Leaf::Unknown(_, place) => place,
        };
        hits.say(place, format!("the pod sets {}, which is not safe in {version}", sysctl.name));
    }
}
