//! Restricted: what is known to be good practice.

use boltseal_model::Severity;

use super::{Control, Level, Version, container, named, profile, spares_namespaces, spares_windows};
use crate::{
    hit::Hits,
    leaf::Leaf,
    workload::{Security, Workload},
};

pub(super) const ESCALATION: Control = Control {
    id: "allowPrivilegeEscalation",
    level: Level::Restricted,
    since: Version::minor(8),
    severity: Severity::Medium,
    title: "no privileges by setuid programs",
    why: "A setuid program makes root of anybody who gets into the container.",
    fix: "set allowPrivilegeEscalation: false on the container",
    replaces: None,
    look: escalation,
};

fn escalation(workload: &Workload, version: Version, hits: &mut Hits) {
    if spares_windows(workload, version) {
        return;
    }
    for container in &workload.containers {
        let who = named(container.role, &container.name);
        match &container.security.escalation {
            Leaf::Set(false, _) => {}
            Leaf::Set(true, place) => hits.say(place, format!("{who} may gain privileges")),
            Leaf::Unset(place) => {
                hits.say(place, format!("{who} does not say allowPrivilegeEscalation: false"));
            }
            Leaf::Unknown(why, place) => hits.doubt(place, format!("{who}: {why}")),
        }
    }
}

pub(super) const CAPABILITIES: Control = Control {
    id: "capabilities_restricted",
    level: Level::Restricted,
    since: Version::minor(22),
    severity: Severity::Medium,
    title: "no capabilities but NET_BIND_SERVICE",
    why: "Each capability is a piece of root; hardly any program needs one.",
    fix: "set capabilities: {drop: [ALL]} on the container, and add nothing but NET_BIND_SERVICE",
    replaces: Some("capabilities_baseline"),
    look: capabilities,
};

fn capabilities(workload: &Workload, version: Version, hits: &mut Hits) {
    if spares_windows(workload, version) {
        return;
    }
    for container in &workload.containers {
        let who = named(container.role, &container.name);
        let security = &container.security;
        let drops_all = |item: &crate::document::Item| item.value.known().is_some_and(|name| name == "ALL");
        match &security.drop {
            Leaf::Set(items, _) if items.iter().any(drops_all) => {}
            Leaf::Unknown(why, place) => hits.doubt(place, format!("{who}: capabilities.drop: {why}")),
            other => hits.say(other.place(), format!("{who} does not drop ALL capabilities")),
        }
        hits.forbid_each(&security.add, &who, |name| {
            (name != "NET_BIND_SERVICE").then(|| format!("adds the capability {name}"))
        });
    }
}

pub(super) const PROC_MOUNT: Control = Control {
    id: "procMount_restricted",
    level: Level::Restricted,
    since: Version::minor(35),
    severity: Severity::High,
    title: "/proc is masked, also in user namespaces",
    why: "What is masked in /proc tells about the host, or changes it.",
    fix: "remove procMount",
    replaces: Some("procMount"),
    look: |workload, _, hits| container::masked(workload, hits),
};

pub(super) const VOLUMES: Control = Control {
    id: "restrictedVolumes",
    level: Level::Restricted,
    since: Version::minor(0),
    severity: Severity::Medium,
    title: "volumes of the cluster only",
    why: "Other kinds of volume reach the host or a network past the cluster's rules, some as root.",
    fix: "use configMap, csi, downwardAPI, emptyDir, ephemeral, image, persistentVolumeClaim, projected or secret",
    replaces: Some("hostPathVolumes"),
    look: volumes,
};

/// Kinds of volume that the cluster itself provides.
const OWN: [&str; 9] = [
    "configMap",
    "csi",
    "downwardAPI",
    "emptyDir",
    "ephemeral",
    "image",
    "persistentVolumeClaim",
    "projected",
    "secret",
];

fn volumes(workload: &Workload, _: Version, hits: &mut Hits) {
    for volume in workload.volumes.iter().filter(|volume| !OWN.contains(&volume.kind.as_str())) {
        let kind = if volume.kind.is_empty() { "unknown" } else { volume.kind.as_str() };
        hits.say(&volume.place, format!("volume \"{}\" is of the kind {kind}", volume.name));
    }
}

pub(super) const NON_ROOT: Control = Control {
    id: "runAsNonRoot",
    level: Level::Restricted,
    since: Version::minor(0),
    severity: Severity::Medium,
    title: "never starts as root",
    why: "Whoever takes over a process of root has only the kernel between them and the host.",
    fix: "set runAsNonRoot: true on the pod or on the container",
    replaces: None,
    look: non_root,
};

fn non_root(workload: &Workload, version: Version, hits: &mut Hits) {
    if spares_namespaces(workload, version) {
        return;
    }
    wanted(
        workload,
        |security| &security.non_root,
        hits,
        |on| (!on).then(|| "may start as root".to_owned()),
        "does not say runAsNonRoot: true, and neither does the pod",
    );
}

pub(super) const USER: Control = Control {
    id: "runAsUser",
    level: Level::Restricted,
    since: Version::minor(23),
    severity: Severity::Medium,
    title: "runs as somebody but root",
    why: "Whoever takes over a process of root has only the kernel between them and the host.",
    fix: "set runAsUser to a number other than 0, or remove it",
    replaces: None,
    look: user,
};

fn user(workload: &Workload, version: Version, hits: &mut Hits) {
    if spares_namespaces(workload, version) {
        return;
    }
    for (who, security) in super::each(workload) {
        hits.forbid(&security.user, &who, |user| {
            (user.parse() == Ok(0)).then(|| "runs as user 0, which is root".to_owned())
        });
    }
}

pub(super) const SECCOMP: Control = Control {
    id: "seccompProfile_restricted",
    level: Level::Restricted,
    since: Version::minor(19),
    severity: Severity::Medium,
    title: "system calls are filtered, by name",
    why: "What is not asked for is not there on nodes whose default is no filter.",
    fix: "set seccompProfile: {type: RuntimeDefault} on the pod or on the container",
    replaces: Some("seccompProfile_baseline"),
    look: seccomp,
};

fn seccomp(workload: &Workload, version: Version, hits: &mut Hits) {
    if spares_windows(workload, version) {
        return;
    }
    wanted(
        workload,
        |security| &security.seccomp,
        hits,
        profile::switched_off,
        "has no seccomp profile, and neither has the pod",
    );
}

/// A setting that must not be wrong anywhere, and that every container must have, itself or from the pod.
fn wanted<'a, T: 'a>(
    workload: &'a Workload,
    leaf: impl Fn(&'a Security) -> &'a Leaf<T>,
    hits: &mut Hits,
    bad: impl Fn(&T) -> Option<String>,
    missing: &str,
) {
    let own = leaf(&workload.security);
    hits.forbid(own, "the pod", &bad);
    for container in &workload.containers {
        let who = named(container.role, &container.name);
        let theirs = leaf(&container.security);
        hits.forbid(theirs, &who, &bad);
        if theirs.is_unset() && own.is_unset() {
            hits.say(theirs.place(), format!("{who} {missing}"));
        }
    }
}
