//! A plan: exactly how a container will be confined.
//!
//! It is a plain value. Two plans can be compared, one can be printed, and [`bundle`](crate::bundle) makes what a runtime is
//! given out of it and nothing else.

mod changes;
mod controls;
mod make;
mod mounts;
mod network;
mod process;

pub use changes::{Change, Changes};
pub use make::{MASKED, READ_ONLY};

use std::{collections::BTreeMap, fmt};

use boltseal_model::{Config, Digest};
use boltseal_orchestrator::Workload;
use serde::{Deserialize, Serialize};

use crate::{Host, network::Network};

/// What a plan is made from.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What to run.
    pub workload: &'a Workload,
    /// Images that were looked at. What a container runs, as whom, is not known where its own is not among them.
    pub images: &'a [Image],
    /// The machine it runs on.
    pub host: &'a Host,
    /// Which range of the machine's users it gets: the first is 0. All containers of a group have the same, so that they can
    /// share volumes.
    pub range: u32,
}

/// An image that was looked at.
#[derive(Clone, Debug)]
pub struct Image {
    /// As the workload names it.
    pub name: String,
    /// Of its manifest.
    pub digest: Option<Digest>,
    /// What it says about itself.
    pub config: Config,
    /// Its user by number, with the group; what its user database made of a name. Nothing where that is not known.
    pub user: Option<(u32, u32)>,
}

/// How a group of containers will be confined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Of the group.
    pub name: String,
    /// What all of it may reach, and who may reach it.
    pub network: Network,
    /// One by one, those that initialise first.
    pub containers: Vec<Container>,
    /// Why it will not be run at all; empty where it can be.
    pub refusals: Vec<Refusal>,
    /// What is not known yet.
    pub gaps: Vec<String>,
}

/// Something that the workload asks for and nobody will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Refusal {
    /// Where it asks: `containers[0].properties.securityContext.privileged`.
    pub path: String,
    /// The line.
    pub line: u32,
    /// What is refused, why, and what to do instead.
    pub why: String,
}

/// How one container will be confined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent answers about a container, none a state")]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Whether it runs before the others, to its end.
    pub initialises: bool,
    /// The image as it is named, and its digest where it was looked at.
    pub image: String,
    /// Of the manifest.
    pub digest: Option<Digest>,
    /// What is run: the program and its arguments. Empty where that is not known.
    pub command: Vec<String>,
    /// Its variables.
    pub env: Variables,
    /// Names of variables whose values are secret. They are given at the start, and are no part of a plan.
    pub secrets: Vec<String>,
    /// The folder it starts in.
    pub working_dir: String,
    /// Whether it has a terminal of its own.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub terminal: bool,
    /// Whether what somebody types goes to it; else there is nothing to read.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub input: bool,
    /// Its user and group, inside; nothing where that is not known.
    pub user: Option<(u32, u32)>,
    /// Users inside, and whom they are outside.
    pub users: Users,
    /// What it may do of what only root may; nothing unless the workload opens it.
    pub capabilities: Vec<String>,
    /// Whether no program can gain more than it was started with.
    pub no_new_privileges: bool,
    /// Whether the files of the image cannot be changed.
    pub read_only_root: bool,
    /// What is mounted, in this order.
    pub mounts: Vec<Mount>,
    /// Paths that cannot be seen.
    pub masked: Vec<&'static str>,
    /// Paths that cannot be written to.
    pub read_only: Vec<&'static str>,
    /// How much of the machine it may use.
    pub limits: Limits,
    /// Kernel settings of its own namespaces.
    pub sysctls: BTreeMap<&'static str, &'static str>,
    /// What of it holds on this machine.
    pub controls: Vec<Control>,
    /// What the workload opens.
    pub openings: Vec<Opening>,
}

/// Variables with their values. A value may be a secret, so only names are printed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(pub BTreeMap<String, String>);

impl fmt::Debug for Variables {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_set().entries(self.0.keys()).finish()
    }
}

impl Serialize for Variables {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.0.keys())
    }
}

/// `0…65,535` inside are `first…` outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Users {
    /// The first user and group outside.
    pub first: u32,
    /// How many.
    pub count: u32,
}

/// Something mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mount {
    /// Where.
    pub target: String,
    /// What.
    pub what: Source,
    /// `nosuid`, `noexec`, `ro`, …
    pub options: Vec<&'static str>,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// A file system of the kernel: `proc`, `sysfs`, `mqueue`, `devpts`, `cgroup`.
    Kernel(&'static str),
    /// Memory, of at most this many bytes.
    Memory(u64),
    /// A volume of the group, by its name.
    Volume(String),
}

/// How much of the machine a container may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Limits {
    /// Bytes of memory, with what is swapped out.
    pub memory: u64,
    /// Thousandths of a processor.
    pub cpu: u64,
    /// Processes and threads.
    pub processes: i64,
    /// Open files of one process.
    pub files: u64,
}

/// A control, and whether it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Control {
    /// `user namespace`
    pub name: &'static str,
    /// What it keeps from happening.
    pub keeps: &'static str,
    /// Whether.
    #[serde(flatten)]
    pub state: State,
}

/// Whether a control holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", content = "why", rename_all = "snake_case")]
pub enum State {
    /// It holds.
    Enforced,
    /// It holds in part.
    Partial(String),
    /// It does not hold: the host or the runtime lacks something.
    Unavailable(String),
    /// It does not hold, because the workload asked for that.
    Opened(String),
}

/// What a workload opens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Opening {
    /// What it may: `CAP_NET_BIND_SERVICE`.
    pub what: String,
    /// Where it asks.
    pub path: String,
    /// The line.
    pub line: u32,
}

impl Container {
    /// With a terminal of its own, with input, both or neither. Programs find out from a variable what a terminal can do.
    pub fn attend(&mut self, terminal: bool, input: bool) {
        (self.terminal, self.input) = (terminal, input);
        if terminal {
            self.env.0.entry("TERM".to_owned()).or_insert_with(|| "xterm".to_owned());
        }
    }
}

impl Plan {
    /// Whether it can be run.
    pub const fn is_refused(&self) -> bool {
        !self.refusals.is_empty()
    }

    /// Whether everything holds that nobody opened.
    pub fn holds(&self) -> bool {
        let lacks = |control: &Control| matches!(control.state, State::Partial(_) | State::Unavailable(_));
        !self.containers.iter().any(|container| container.controls.iter().any(lacks))
    }
}

impl State {
    /// The word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Enforced => "enforced",
            Self::Partial(_) => "partial",
            Self::Unavailable(_) => "unavailable",
            Self::Opened(_) => "opened",
        }
    }

    /// Why it does not hold, or not wholly.
    pub const fn why(&self) -> Option<&str> {
        match self {
            Self::Enforced => None,
            Self::Partial(why) | Self::Unavailable(why) | Self::Opened(why) => Some(why.as_str()),
        }
    }
}

/// Makes a plan. It always has an answer: what will not be done is a refusal in it, what is not known a gap.
pub fn plan(wanted: &Wanted<'_>) -> Plan {
    make::plan(wanted)
}
