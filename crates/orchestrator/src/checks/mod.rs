//! What should be otherwise about workloads and what belongs to them: one constant a check, one line in [`ALL`].
//!
//! A check looks at a workload or at another object and says where it is not as it should be, or where nobody can tell. Why
//! it matters and what to do stands in its [`Check`]. For pods, what the Pod Security Standards demand at the level that was
//! asked for is said by [`pss`](crate::pss) and not again here.
//!
//! | source | what comes from it |
//! |---|---|
//! | CIS Docker 1.6 sections 4 and 5, CIS Kubernetes 1.10 section 5 | ids only |
//! | Microsoft Cloud Security Benchmark v1, baseline of Container Instances | controls, as `MCSB NS-1` |
//! | NSA and CISA, Kubernetes Hardening Guidance 1.2 | pods |

mod account;
pub mod aci;
mod build;
mod host;
mod image;
mod object;
mod privilege;
mod resources;
mod run;
mod secrets;

use boltseal_model::Severity;

pub(crate) use run::sort;
pub use run::{Finding, Options, run};

use crate::{dockerfile::Dockerfile, hit::Hits, read::Object, workload::Workload};

/// A check.
#[derive(Debug)]
pub struct Check {
    /// `runtime-socket`
    pub id: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it matters, in a sentence.
    pub why: &'static str,
    /// What to do.
    pub fix: &'static str,
    /// Where the demand comes from.
    pub sources: &'static [&'static str],
    /// The control of the Pod Security Standards that says the same about pods.
    pub standard: Option<&'static str>,
    /// The readers whose workloads it is about; empty for all.
    pub only: &'static [&'static str],
    /// Looks.
    pub look: Look,
}

impl Check {
    /// Whether it is about Dockerfiles.
    pub const fn is_of_builds(&self) -> bool {
        matches!(self.look, Look::Build(_))
    }
}

/// At what a check looks.
#[derive(Clone, Copy, Debug)]
pub enum Look {
    /// At each workload.
    Workload(fn(&Workload, &mut Hits)),
    /// At each object, workloads among them.
    Object(fn(&Object, &mut Hits)),
    /// Policies among the definitions look ([`validating`](crate::validating)).
    Policies,
    /// At each Dockerfile.
    Build(fn(&Dockerfile, &mut Hits)),
}

/// Every check.
pub const ALL: &[Check] = &[
    privilege::PRIVILEGED,
    privilege::CAPABILITIES,
    privilege::ESCALATION,
    privilege::ROOT,
    privilege::SECCOMP,
    privilege::PROC,
    privilege::WRITABLE_ROOT,
    privilege::SUDO,
    host::NAMESPACES,
    host::SOCKET,
    host::FOLDER,
    host::WRITABLE,
    host::DEVICES,
    host::PORTS,
    host::SHARED_PROCESSES,
    image::LATEST,
    image::UNPINNED,
    image::RETIRED,
    secrets::PLAIN,
    secrets::IN_ENVIRONMENT,
    secrets::DUPLICATE,
    account::TOKEN,
    account::OLD_FIELD,
    resources::CPU_LIMIT,
    resources::MEMORY_LIMIT,
    resources::CPU_REQUEST,
    resources::MEMORY_REQUEST,
    resources::LIVENESS,
    resources::READINESS,
    object::DEFAULT_NAMESPACE,
    object::EXPOSED,
    object::INGRESS,
    object::WILDCARD,
    object::SECRETS,
    object::PODS,
    object::EXEC,
    object::ESCALATE,
    object::IMPERSONATE,
    object::ADMIN,
    object::ANONYMOUS,
    crate::validating::CHECK,
    aci::network::PUBLIC,
    aci::network::NO_SUBNET,
    aci::network::NAME,
    aci::network::ADMIN_PORT,
    aci::network::OLD_PROFILE,
    aci::secrets::PASSWORD,
    aci::secrets::NO_IDENTITY_PULL,
    aci::secrets::STORAGE_KEY,
    aci::secrets::WORKSPACE_KEY,
    aci::secrets::VOLUME,
    aci::secrets::NO_IDENTITY,
    aci::storage::GIT,
    aci::storage::GIT_CREDENTIALS,
    aci::storage::WRITABLE,
    aci::storage::NO_KEY,
    aci::storage::PINNED_KEY,
    aci::platform::NO_LOGS,
    aci::platform::NO_ZONE,
    aci::platform::NO_PROFILE,
    aci::confidential::EMPTY,
    aci::confidential::ALLOW_ALL,
    aci::confidential::ELEVATED,
    aci::confidential::TALKATIVE,
    aci::confidential::WILDCARD,
    aci::confidential::FRAGMENT,
    aci::confidential::IMAGES,
    build::base::TAG,
    build::base::DIGEST,
    build::base::ALIAS,
    build::user::ROOT,
    build::user::SUDO,
    build::user::SETUID,
    build::content::SECRET,
    build::content::REMOTE,
    build::content::ADD,
    build::content::SLASH,
    build::run::PIPE,
    build::run::UNVERIFIED,
    build::run::UPDATE,
    build::run::CACHE,
    build::run::APT,
    build::form::SSH,
    build::form::PORT,
    build::form::HEALTH,
    build::form::TWICE,
    build::form::MAINTAINER,
    build::form::WORKDIR,
];

/// The check of this id.
pub fn by_id(id: &str) -> Option<&'static Check> {
    ALL.iter().find(|check| check.id == id)
}
