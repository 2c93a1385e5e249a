//! The Pod Security Standards of Kubernetes, natively, as they were at every version.
//!
//! ```
//! use boltseal_orchestrator::{pss::{self, Level, Version}, read};
//!
//! let pod = b"
//! apiVersion: v1
//! kind: Pod
//! metadata: {name: web}
//! spec:
//!   containers:
//!   - name: web
//!     image: nginx
//!     securityContext: {privileged: true}
//! ";
//! let read = read("web.yaml", pod)?;
//! let broken = pss::judge(&read.workloads[0], Level::Baseline, Version::LATEST);
//! assert_eq!(broken.len(), 1);
//! assert_eq!(broken[0].0.id, "privileged");
//! assert_eq!(broken[0].1.place.path, "spec.containers[0].securityContext.privileged");
//! # Ok::<(), boltseal_orchestrator::Error>(())
//! ```
//!
//! Ids are those of Kubernetes, so that what an API server says can be found here. A control names since when it holds;
//! what changed later within it stands in its code. At `restricted` some controls replace one of `baseline`.

mod container;
mod host;
mod profile;
mod restricted;
mod version;

use boltseal_model::Severity;

pub use version::{Level, LevelError, Version, VersionError};

use crate::{
    hit::{Hit, Hits},
    workload::{Role, Security, Workload},
};

/// One demand of the standards.
#[derive(Debug)]
pub struct Control {
    /// As Kubernetes calls it: `runAsNonRoot`.
    pub id: &'static str,
    /// From which level on it holds.
    pub level: Level,
    /// From which version of Kubernetes on it holds.
    pub since: Version,
    /// How bad it is to break it.
    pub severity: Severity,
    /// What it demands, in a few words.
    pub title: &'static str,
    /// Why it matters, in a sentence.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// The control of a lower level that it replaces.
    pub replaces: Option<&'static str>,
    look: fn(&Workload, Version, &mut Hits),
}

/// Every control, by level and id.
pub const ALL: &[Control] = &[
    profile::APPARMOR,
    container::CAPABILITIES,
    host::NAMESPACES,
    host::PATHS,
    host::PORTS,
    host::PROBES,
    container::PRIVILEGED,
    container::PROC_MOUNT,
    profile::SELINUX,
    profile::SECCOMP,
    host::SYSCTLS,
    host::WINDOWS,
    restricted::ESCALATION,
    restricted::CAPABILITIES,
    restricted::PROC_MOUNT,
    restricted::VOLUMES,
    restricted::NON_ROOT,
    restricted::USER,
    restricted::SECCOMP,
];

/// The control of this id.
pub fn by_id(id: &str) -> Option<&'static Control> {
    ALL.iter().find(|control| control.id == id)
}

/// The controls that hold at `level` in `version`.
pub fn controls(level: Level, version: Version) -> impl Iterator<Item = &'static Control> {
    let holds = move |control: &&Control| control.level <= level && control.since <= version;
    let replaced = move |id: &str| ALL.iter().filter(holds).any(|other| other.replaces == Some(id));
    ALL.iter().filter(holds).filter(move |control| !replaced(control.id))
}

/// What `workload` breaks of `level` as it was in `version`.
pub fn judge(workload: &Workload, level: Level, version: Version) -> Vec<(&'static Control, Hit)> {
    let mut all = Vec::new();
    if level == Level::Privileged {
        return all;
    }
    for control in controls(level, version) {
        let mut hits = Hits::default();
        (control.look)(workload, version, &mut hits);
        all.extend(hits.all().into_iter().map(|hit| (control, hit)));
    }
    all
}

/// The pod and each of its containers: who it is in words, and how it is confined.
fn each(workload: &Workload) -> impl Iterator<Item = (String, &Security)> {
    let own = std::iter::once(("the pod".to_owned(), &workload.security));
    own.chain(workload.containers.iter().map(|one| (named(one.role, &one.name), &one.security)))
}

/// `init container "migrate"`
pub(crate) fn named(role: Role, name: &str) -> String {
    match role {
        Role::Main => format!("container \"{name}\""),
        Role::Init => format!("init container \"{name}\""),
        Role::Sidecar => format!("sidecar \"{name}\""),
        Role::Ephemeral => format!("ephemeral container \"{name}\""),
    }
}

/// Standards look at what says `os: windows` less closely since 1.25: it knows no capabilities and no system call filters.
fn spares_windows(workload: &Workload, version: Version) -> bool {
    version >= Version::minor(25) && workload.is_windows()
}

/// Since 1.35, root within a user namespace of its own is not root.
fn spares_namespaces(workload: &Workload, version: Version) -> bool {
    version >= Version::minor(35) && workload.isolation.host_users.is_off()
}
