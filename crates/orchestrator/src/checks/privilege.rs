//! What a process may do beyond its own files.

use boltseal_model::Severity;

use super::{Check, Look};
use crate::{
    hit::Hits,
    leaf::Leaf,
    pss::named,
    workload::{Container, Workload},
};

pub(super) const PRIVILEGED: Check = Check {
    id: "privileged",
    severity: Severity::Critical,
    title: "privileged container",
    why: "A privileged container is root on its host: every device, every capability, no filter.",
    fix: "remove `privileged`, and add the one capability or device that is needed",
    sources: &["CIS Docker 5.4", "CIS Kubernetes 5.2.2", "NSA pods", "MCSB PV-3"],
    standard: Some("privileged"),
    only: &[],
    look: Look::Workload(privileged),
};

fn privileged(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        hits.forbid(&container.security.privileged, &who(container), |on| {
            on.then(|| "is privileged".to_owned())
        });
    }
}

pub(super) const CAPABILITIES: Check = Check {
    id: "added-capabilities",
    severity: Severity::High,
    title: "dangerous capability",
    why: "Each of these capabilities is a known step from the container to its host or to its neighbours.",
    fix: "remove it from the added capabilities, or move what needs it into a container of its own",
    sources: &["CIS Docker 5.3", "CIS Kubernetes 5.2.9", "NSA pods"],
    standard: Some("capabilities_baseline"),
    only: &[],
    look: Look::Workload(capabilities),
};

/// Capabilities that lead out of a container, in the words of the kernel without `CAP_`.
const DANGEROUS: [&str; 18] = [
    "ALL",
    "BPF",
    "DAC_READ_SEARCH",
    "IPC_LOCK",
    "LINUX_IMMUTABLE",
    "MAC_ADMIN",
    "MAC_OVERRIDE",
    "NET_ADMIN",
    "NET_RAW",
    "PERFMON",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_MODULE",
    "SYS_PTRACE",
    "SYS_RAWIO",
    "SYS_TIME",
    "SYSLOG",
    "WAKE_ALARM",
];

fn capabilities(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        hits.forbid_each(&container.security.add, &who(container), |name| {
            let plain = name.to_ascii_uppercase();
            let plain = plain.strip_prefix("CAP_").unwrap_or(&plain);
            DANGEROUS.contains(&plain).then(|| format!("adds the capability {name}"))
        });
    }
}

pub(super) const ESCALATION: Check = Check {
    id: "escalation",
    severity: Severity::Medium,
    title: "may gain privileges",
    why: "A setuid program makes root of anybody who gets into the container.",
    fix: "set `allowPrivilegeEscalation: false`; with Docker and Compose `security_opt: [no-new-privileges:true]`",
    sources: &["CIS Docker 5.26", "CIS Kubernetes 5.2.6", "NSA pods"],
    standard: Some("allowPrivilegeEscalation"),
    only: &[],
    look: Look::Workload(escalation),
};

fn escalation(workload: &Workload, hits: &mut Hits) {
    if workload.is_windows() {
        return;
    }
    for container in &workload.containers {
        match workload.of(container, |security| &security.escalation) {
            Leaf::Set(false, _) => {}
            Leaf::Set(true, place) => hits.say(place, format!("{} may gain privileges", who(container))),
            Leaf::Unset(_) => hits.say(
                container.security.escalation.place(),
                format!("{} does not say that it must not gain privileges", who(container)),
            ),
            Leaf::Unknown(why, place) => hits.doubt(place, format!("{}: {why}", who(container))),
        }
    }
}

pub(super) const ROOT: Check = Check {
    id: "root-user",
    severity: Severity::Medium,
    title: "may run as root",
    why: "Whoever takes over the process is root in the container, and only the kernel stands between that and the host.",
    fix: "set a user other than 0: `runAsNonRoot: true` or `runAsUser: 10001`; with Compose `user: \"10001\"`",
    sources: &["CIS Docker 4.1", "CIS Kubernetes 5.2.7", "NSA pods"],
    standard: Some("runAsNonRoot"),
    only: &[],
    look: Look::Workload(root),
};

fn root(workload: &Workload, hits: &mut Hits) {
    if workload.is_windows() {
        return;
    }
    for container in &workload.containers {
        let who = who(container);
        let user = workload.of(container, |security| &security.user);
        if workload.of(container, |security| &security.non_root).is_on() {
            continue;
        }
        match user {
            Leaf::Set(user, place) => {
                let name = user.split(':').next().unwrap_or_default();
                if matches!(name, "0" | "root" | "") {
                    hits.say(place, format!("{who} runs as root"));
                }
            }
            Leaf::Unset(_) => hits.say(
                container.security.user.place(),
                format!("{who} does not say as whom it runs, so the image decides"),
            ),
            Leaf::Unknown(why, place) => hits.doubt(place, format!("{who}: {why}")),
        }
    }
}

pub(super) const SECCOMP: Check = Check {
    id: "no-seccomp",
    severity: Severity::Medium,
    title: "system calls are not filtered",
    why: "Without the filter, a container may call the rarely used parts of the kernel in which most holes are found.",
    fix: "use the runtime's default profile: remove `unconfined`; for pods `seccompProfile: {type: RuntimeDefault}`",
    sources: &["CIS Docker 5.22", "CIS Kubernetes 5.7.2", "NSA pods"],
    standard: Some("seccompProfile_restricted"),
    only: &[],
    look: Look::Workload(seccomp),
};

/// Docker and Compose filter unless they are told not to; Kubernetes and container groups only when they are told to.
fn seccomp(workload: &Workload, hits: &mut Hits) {
    if workload.is_windows() {
        return;
    }
    let asked = matches!(workload.source.orchestrator, "kubernetes" | "aci");
    for container in &workload.containers {
        let who = who(container);
        match workload.of(container, |security| &security.seccomp) {
            Leaf::Set(profile, place) if !matches!(profile.as_str(), "RuntimeDefault" | "Localhost") => {
                hits.say(place, format!("{who} has the seccomp profile \"{profile}\""));
            }
            Leaf::Unset(_) if asked => {
                hits.say(container.security.seccomp.place(), format!("{who} has no seccomp profile"));
            }
            Leaf::Unknown(why, place) => hits.doubt(place, format!("{who}: {why}")),
            Leaf::Set(..) | Leaf::Unset(_) => {}
        }
    }
}

pub(super) const PROC: Check = Check {
    id: "unmasked-proc",
    severity: Severity::High,
    title: "/proc is not masked",
    why: "What is masked in /proc tells about the host, or changes it.",
    fix: "remove `procMount`; with Docker and Compose remove `systempaths=unconfined`",
    sources: &["CIS Kubernetes 5.2.12"],
    standard: Some("procMount"),
    only: &[],
    look: Look::Workload(proc),
};

fn proc(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        hits.forbid(&container.security.proc_mount, &who(container), |kind| {
            (kind != "Default").then(|| format!("mounts /proc as {kind}"))
        });
    }
}

pub(super) const WRITABLE_ROOT: Check = Check {
    id: "writable-root",
    severity: Severity::Low,
    title: "may change its own image",
    why: "What an intruder cannot write, they cannot leave behind.",
    fix: "set `readOnlyRootFilesystem: true` (Compose: `read_only: true`) and mount a volume where it must write",
    sources: &["CIS Docker 5.13", "NSA pods"],
    standard: None,
    only: &["compose", "docker", "kubernetes", "oci"],
    look: Look::Workload(writable_root),
};

fn writable_root(workload: &Workload, hits: &mut Hits) {
    if workload.is_windows() {
        return;
    }
    for container in &workload.containers {
        match &container.security.read_only_root {
            Leaf::Set(true, _) => {}
            Leaf::Unknown(why, place) => hits.doubt(place, format!("{}: {why}", who(container))),
            leaf => hits.say(leaf.place(), format!("{} may write to its own root", who(container))),
        }
    }
}

pub(super) const SUDO: Check = Check {
    id: "sudo",
    severity: Severity::Medium,
    title: "starts with sudo",
    why: "What needs sudo needs setuid programs and root, and gives both to whoever takes it over.",
    fix: "run the command as the user that it needs, without sudo",
    sources: &["NSA pods"],
    standard: None,
    only: &[],
    look: Look::Workload(sudo),
};

fn sudo(workload: &Workload, hits: &mut Hits) {
    for container in &workload.containers {
        let items = container.command.known().into_iter().chain(container.args.known()).flatten();
        for item in items {
            let text = item.value.known().map(String::as_str).unwrap_or_default();
            if text.split_whitespace().any(|word| word == "sudo" || word.ends_with("/sudo")) {
                hits.say(&item.place, format!("{} is started with sudo", who(container)));
            }
        }
    }
}

/// `init container "migrate"`
pub(super) fn who(container: &Container) -> String {
    named(container.role, &container.name)
}
