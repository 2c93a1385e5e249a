//! What every orchestrator calls a workload, on one model: a group of containers that share a network and a life.
//!
//! Every value is a [`Leaf`]: set, unset (so that the platform's default holds) or unknown, with its line and its path as
//! people of that orchestrator write it. What a platform does not have stays unset.

mod container;
mod security;

use std::sync::Arc;

pub use container::{Container, Env, EnvKind, Mount, Port, Probes, Resources, Role};
pub use security::{SeLinux, Security};

use crate::{
    document::{Item, Node},
    leaf::{Leaf, Place},
};

/// Something to run.
#[derive(Clone, Debug, Default)]
pub struct Workload {
    /// Where it is defined.
    pub source: Source,
    /// What it is called.
    pub id: Id,
    /// Labels of what runs.
    pub labels: Vec<Named>,
    /// Annotations of what runs.
    pub annotations: Vec<Named>,
    /// As whom it talks to the platform.
    pub identity: Identity,
    /// What it shares with its host.
    pub isolation: Isolation,
    /// How it is reached.
    pub network: Network,
    /// What holds for all its containers that say nothing themselves.
    pub security: Security,
    /// Kernel settings.
    pub sysctls: Vec<Named>,
    /// First those that initialise, then those that run, then those that were added for a while.
    pub containers: Vec<Container>,
    /// What can be mounted.
    pub volumes: Vec<Volume>,
    /// How images are pulled.
    pub pull: Vec<PullSecret>,
    /// Where logs go.
    pub logging: Leaf<String>,
    /// The key of the customer that encrypts it.
    pub encryption: Leaf<String>,
    /// The policy that a confidential host enforces, decoded.
    pub confidential: Leaf<String>,
    /// What happens when it ends.
    pub restart: Leaf<String>,
    /// How many of it.
    pub replicas: Leaf<i64>,
}

/// Where something is defined.
#[derive(Clone, Debug, Default)]
pub struct Source {
    /// The name of the reader: `kubernetes`.
    pub orchestrator: &'static str,
    /// The file as it was named.
    pub file: Arc<str>,
    /// The line on which the definition begins.
    pub line: u32,
    /// Where the containers and what they share are defined: `spec.template.spec`; empty for the whole document.
    pub path: String,
    /// The definition itself, for who wants to know more than the model has.
    pub node: Option<Arc<Node>>,
}

/// What a workload is called.
#[derive(Clone, Debug, Default)]
pub struct Id {
    /// `apps/v1`
    pub api: String,
    /// `Deployment`, `containerGroup`, `service`
    pub kind: String,
    /// Its name, or `*` where it has none yet.
    pub name: String,
    /// The namespace, project or resource group.
    pub namespace: Leaf<String>,
}

impl Workload {
    /// `Deployment shop/web`
    pub fn title(&self) -> String {
        let id = &self.id;
        match id.namespace.known() {
            Some(namespace) => format!("{} {namespace}/{}", id.kind, id.name),
            None => format!("{} {}", id.kind, id.name),
        }
    }

    /// Where the containers and what they share are defined.
    pub fn place(&self) -> Place {
        Place { line: self.source.line, path: self.source.path.clone() }
    }

    /// Whether it runs on Windows, as far as it says.
    pub fn is_windows(&self) -> bool {
        self.isolation.os.known().is_some_and(|os| os.eq_ignore_ascii_case("windows"))
    }

    /// What holds for `container`: what it says itself, or else what its group says.
    pub fn of<'a, T>(
        &'a self,
        container: &'a Container,
        leaf: impl Fn(&'a Security) -> &'a Leaf<T>,
    ) -> &'a Leaf<T> {
        leaf(&container.security).or(leaf(&self.security))
    }
}

/// A name with a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// The value.
    pub value: Leaf<String>,
}

/// As whom a workload talks to the platform.
#[derive(Clone, Debug, Default)]
pub struct Identity {
    /// The service account.
    pub account: Leaf<String>,
    /// Whether a token of it is mounted.
    pub automount: Leaf<bool>,
    /// The kind of managed identity: `SystemAssigned`.
    pub managed: Leaf<String>,
}

/// What a workload shares with its host, and what runs it.
#[derive(Clone, Debug, Default)]
pub struct Isolation {
    /// The host's network.
    pub host_network: Leaf<bool>,
    /// The host's processes.
    pub host_pid: Leaf<bool>,
    /// The host's shared memory and queues.
    pub host_ipc: Leaf<bool>,
    /// The host's name.
    pub host_uts: Leaf<bool>,
    /// The host's users: off means a user namespace of its own.
    pub host_users: Leaf<bool>,
    /// Whether its containers see each other's processes.
    pub shared_processes: Leaf<bool>,
    /// The runtime: `gvisor`, `Confidential`.
    pub sandbox: Leaf<String>,
    /// `linux` or `windows`
    pub os: Leaf<String>,
}

/// Who can reach a workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Nobody from outside its network.
    Private,
    /// Everybody.
    Public,
}

/// Tags of this name, or with more of it behind another dot, say what a container group may reach. The format has no other place
/// for it; a tag's name has no slash in Azure, and its value at most 256 characters.
pub const EGRESS_TAG: &str = "boltseal.egress";

/// How a workload is reached, and what it reaches.
#[derive(Clone, Debug, Default)]
pub struct Network {
    /// By whom.
    pub exposure: Leaf<Exposure>,
    /// The subnet it is in.
    pub subnet: Leaf<String>,
    /// The public name.
    pub dns: Leaf<String>,
    /// Who may have the public name after it is gone.
    pub dns_scope: Leaf<String>,
    /// Ports by which all of it is reached, where that is not said of each container.
    pub ports: Vec<Port>,
    /// What it may reach, as [`EGRESS_TAG`] says it.
    pub egress: Vec<Item>,
}

/// Something that can be mounted.
#[derive(Clone, Debug)]
pub struct Volume {
    /// By which mounts know it.
    pub name: String,
    /// `hostPath`, `emptyDir`, `azureFile`: as the orchestrator calls it; empty where it says nothing.
    pub kind: String,
    /// The path on the host, the share, the address, where it has one.
    pub from: Leaf<String>,
    /// Whether nobody can write to it.
    pub read_only: Leaf<bool>,
    /// Where it is defined.
    pub place: Place,
}

/// How images of a registry are pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PullSecret {
    /// By an identity of the platform.
    Identity(Place),
    /// By a password that stands in the definition, or does not.
    Password(Leaf<String>),
    /// By something that is kept elsewhere, of this name.
    Reference(Leaf<String>),
}
