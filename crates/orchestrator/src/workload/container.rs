//! One container of a workload.

use crate::{
    document::Item,
    leaf::{Leaf, Place},
    workload::Security,
};

/// One container.
#[derive(Clone, Debug, Default)]
pub struct Container {
    /// What it is called; where nobody named it, its place in the list.
    pub name: String,
    /// When it runs.
    pub role: Role,
    /// Where it is defined.
    pub place: Place,
    /// The image as it is written.
    pub image: Leaf<String>,
    /// When the image is pulled.
    pub pull_policy: Leaf<String>,
    /// What is run instead of the entry point of the image.
    pub command: Leaf<Vec<Item>>,
    /// What it is given.
    pub args: Leaf<Vec<Item>>,
    /// Its variables.
    pub env: Vec<Env>,
    /// How it is confined.
    pub security: Security,
    /// Ports it listens on.
    pub ports: Vec<Port>,
    /// What it sees of volumes and of the host.
    pub mounts: Vec<Mount>,
    /// Devices of the host.
    pub devices: Vec<Item>,
    /// How much of the machine it may use.
    pub resources: Resources,
    /// How it is found to be well.
    pub probes: Probes,
}

/// When a container runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// As long as the workload.
    #[default]
    Main,
    /// Before the others, to its end.
    Init,
    /// From before the others to after them.
    Sidecar,
    /// Added to a running workload, to look at it.
    Ephemeral,
}

/// A variable.
#[derive(Clone, Debug)]
pub struct Env {
    /// Its name.
    pub name: String,
    /// Where its value comes from.
    pub kind: EnvKind,
    /// Where it is defined.
    pub place: Place,
}

/// Where the value of a variable comes from.
#[derive(Clone, Debug)]
pub enum EnvKind {
    /// It stands in the definition.
    Plain(Leaf<String>),
    /// The platform hides it.
    Secret,
    /// It comes from a secret of this name.
    SecretReference(Leaf<String>),
    /// It comes from somewhere else.
    Other,
}

/// A port.
#[derive(Clone, Debug)]
pub struct Port {
    /// In the container.
    pub container: Leaf<i64>,
    /// On the host.
    pub host: Leaf<i64>,
    /// The address of the host it is bound to.
    pub address: Leaf<String>,
    /// What it is called.
    pub name: Leaf<String>,
    /// Where it is defined.
    pub place: Place,
}

/// Something mounted.
#[derive(Clone, Debug)]
pub struct Mount {
    /// The name of the volume.
    pub volume: Leaf<String>,
    /// The path on the host, where it names one itself.
    pub host: Leaf<String>,
    /// Where it appears in the container.
    pub target: Leaf<String>,
    /// Whether it cannot be written to.
    pub read_only: Leaf<bool>,
    /// Whether mounts within it show on the host.
    pub propagation: Leaf<String>,
    /// The folder of the volume.
    pub sub_path: Leaf<String>,
    /// Where it is defined.
    pub place: Place,
}

/// How much of the machine a container may use, as it is written.
#[derive(Clone, Debug, Default)]
pub struct Resources {
    /// Processors it is promised.
    pub cpu_request: Leaf<String>,
    /// Memory it is promised.
    pub memory_request: Leaf<String>,
    /// Processors it cannot exceed.
    pub cpu_limit: Leaf<String>,
    /// Memory it cannot exceed.
    pub memory_limit: Leaf<String>,
}

/// How a container is found to be well.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// Whether it is restarted when it hangs.
    pub liveness: Leaf<()>,
    /// Whether it is left alone until it is ready.
    pub readiness: Leaf<()>,
    /// Hosts that probes and hooks connect to instead of the container.
    pub hosts: Vec<Leaf<String>>,
}
