//! Baseline: profiles of the kernel's security modules and filters are not switched off.

use boltseal_model::Severity;

use super::{Control, Level, Version, each};
use crate::{hit::Hits, workload::Workload};

pub(super) const APPARMOR: Control = Control {
    id: "appArmorProfile",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::High,
    title: "AppArmor stays on",
    why: "Without a profile, nothing keeps a container from the files and mounts that the profile guards.",
    fix: "remove the profile, or use RuntimeDefault or a localhost profile",
    replaces: None,
    look: apparmor,
};

/// Where profiles of containers stood before 1.30; API servers still copy them.
const APPARMOR_ANNOTATION: &str = "container.apparmor.security.beta.kubernetes.io/";

fn apparmor(workload: &Workload, _: Version, hits: &mut Hits) {
    for (who, security) in each(workload) {
        hits.forbid(&security.apparmor, &who, |profile| {
            let switched_off = !matches!(profile.as_str(), "RuntimeDefault" | "Localhost");
            switched_off.then(|| format!("has the AppArmor profile \"{profile}\""))
        });
    }
    let annotations = workload.annotations.iter().filter(|one| one.name.starts_with(APPARMOR_ANNOTATION));
    for annotation in annotations {
        hits.forbid(&annotation.value, "an annotation", |profile| {
            let fine =
                profile.is_empty() || profile == "runtime/default" || profile.starts_with("localhost/");
            (!fine).then(|| format!("sets the AppArmor profile \"{profile}\""))
        });
    }
}

pub(super) const SELINUX: Control = Control {
    id: "seLinuxOptions",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::High,
    title: "SELinux confines containers",
    why: "With another type, user or role, a process is not held in by the rules for containers.",
    fix: "remove user and role, and use container_t, container_init_t or container_kvm_t",
    replaces: None,
    look: selinux,
};

fn selinux(workload: &Workload, version: Version, hits: &mut Hits) {
    let engine = version >= Version::minor(31);
    for (who, security) in each(workload) {
        let label = &security.selinux;
        hits.forbid(&label.kind, &who, |kind| {
            let fine = matches!(kind.as_str(), "" | "container_t" | "container_init_t" | "container_kvm_t")
                || (engine && kind == "container_engine_t");
            (!fine).then(|| format!("has the SELinux type {kind}"))
        });
        for (leaf, what) in [(&label.user, "user"), (&label.role, "role")] {
            hits.forbid(leaf, &who, |name| {
                (!name.is_empty()).then(|| format!("has the SELinux {what} {name}"))
            });
        }
    }
}

pub(super) const SECCOMP: Control = Control {
    id: "seccompProfile_baseline",
    level: Level::Baseline,
    since: Version::minor(0),
    severity: Severity::High,
    title: "system calls are filtered",
    why: "Without the filter, a container may call the rarely used parts of the kernel in which most holes are found.",
    fix: "remove the profile, or use RuntimeDefault or a localhost profile",
    replaces: None,
    look: seccomp,
};

/// Where profiles stood before 1.19.
const SECCOMP_POD: &str = "seccomp.security.alpha.kubernetes.io/pod";
const SECCOMP_CONTAINER: &str = "container.seccomp.security.alpha.kubernetes.io/";

fn seccomp(workload: &Workload, version: Version, hits: &mut Hits) {
    if version < Version::minor(19) {
        return annotated(workload, hits);
    }
    for (who, security) in each(workload) {
        hits.forbid(&security.seccomp, &who, switched_off);
    }
}

/// Words for a profile that does not filter.
pub(super) fn switched_off(profile: &String) -> Option<String> {
    let fine = matches!(profile.as_str(), "RuntimeDefault" | "Localhost");
    (!fine).then(|| format!("has the seccomp profile \"{profile}\""))
}

fn annotated(workload: &Workload, hits: &mut Hits) {
    let about = |name: &str| {
        let of = name.strip_prefix(SECCOMP_CONTAINER);
        name == SECCOMP_POD || of.is_some_and(|of| workload.containers.iter().any(|one| one.name == of))
    };
    for annotation in workload.annotations.iter().filter(|one| about(&one.name)) {
        hits.forbid(&annotation.value, "an annotation", |profile| {
            let fine = matches!(profile.as_str(), "runtime/default" | "docker/default")
                || profile.starts_with("localhost/");
            (!fine).then(|| format!("sets the seccomp profile \"{profile}\""))
        });
    }
}
