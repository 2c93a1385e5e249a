//! Container groups on this node: run, kept running, found again.
//!
//! ```text
//! definition ─read─▶ workload ─flow::launch─▶ images, verdicts ─runtime::plan─▶ plan ─▶ keeper ─▶ __runtime … ─▶ containers
//! ```
//!
//! | module | what it has |
//! |---|---|
//! | [`Engine`] | all groups of the node; what one can ask |
//! | `ask` | a definition made into a group: read, admitted, pulled, planned |
//! | `pull` | where images are taken from, and as whom |
//! | `group` | one group, what is remembered of it, and where |
//! | `keeper` | keeps one group as it was asked for: starts, waits, starts again, stops |
//! | `container` | one container: how it is started, what it is at |
//! | `confine` | the process of one thread that makes, joins and ends containers |
//! | `volumes` | what containers see besides images: memory, secrets, names |
//! | `identity` | tokens for containers that run as a workload |
//! | `rotate` | secrets of a group that runs, replaced |
//! | `processes` | what runs in a container |
//! | `watched` | what groups ask of names, and what their network refuses |
//! | `probe` | whether a container is well |
//! | `idle` | layers that no group uses any more: kept a while, then removed |
//! | `ends` | one thread that waits for the ends of all containers |
//! | [`outdated`] | which images that run here have something newer, or a worse verdict |
//! | `rollout` | a group replaced by a new one of its name, without a moment in which nobody serves |
//! | `renew` | the same by itself, by a rule in the group's file |
//! | [`stock`] | what is in the images that run here, what is wrong with them, and what of it is used |
//! | `events`, `ledger` | what happened, on disk before it counts, and in a log that shows every change of it |
//! | `forward` | the same in the server's audit log |
//! | `presence` | what runs here, told to the server |
//! | `recovery` | what there is after an agent was killed: found, made whole, or removed |
//! | [`socket`], [`client`] | all of it by HTTP on a socket that only root may use |
//!
//! Containers are no children of the agent. It may be killed, upgraded or crash: they go on, write their logs and how they
//! ended, and the next agent finds them by the runtime's state and their control groups.
//!
//! Limits: [`MAX_GROUPS`] groups; one start after the other but for [`STARTS`] at once.
//!
//! It must not know: how verdicts come about.

mod ask;
pub mod client;
mod confine;
mod container;
mod ends;
mod engine;
mod events;
mod forward;
mod group;
mod identity;
mod idle;
mod keeper;
mod ledger;
pub mod outdated;
mod presence;
mod probe;
mod processes;
mod pull;
mod recovery;
mod renew;
mod rollout;
mod rotate;
pub mod socket;
pub mod stock;
mod volumes;
mod watched;

use std::{path::PathBuf, time::Duration};

pub use engine::Engine;

use boltseal_model::{Reference, Ruling};

/// Groups of one node.
pub const MAX_GROUPS: usize = 1_000;
/// Containers that are being started at once: it is the kernel that works then, with locks of its own.
pub const STARTS: usize = 4;

/// How a node runs groups.
#[derive(Debug)]
pub struct Settings {
    /// Folder for what outlives the machine: layers, logs, events.
    pub data: PathBuf,
    /// Folder for what does not: bundles, states, secrets. In memory.
    pub run: PathBuf,
    /// The program that has the role `__runtime`: this one.
    pub program: PathBuf,
    /// The OCI runtime that makes containers (`start::oci::Runtime::check`ed); without one, this program does. Those that another one
    /// made stay with it.
    pub runtime: Option<PathBuf>,
    /// Folder with the vulnerability data of this node, for those that no server told.
    pub feeds: PathBuf,
    /// What the audit log calls this node: `/hosts/NAME`.
    pub host: String,
    /// Who says whether images may run.
    pub judge: Judge,
    /// How often it is looked whether groups are to be replaced by themselves.
    pub renew_every: Duration,
    /// How long layers are kept that no group uses.
    pub keep_layers: Duration,
}

/// Who says whether images may run.
#[derive(Debug)]
pub enum Judge {
    /// A server, asked for its stored verdict.
    Server(crate::Gate),
    /// This machine itself, by a policy and vulnerability data of its own.
    Own(Own),
    /// Nobody: what is run is unverified.
    Nobody,
}

/// Judges an image that lies at a target.
pub struct Own(pub Box<Judging>);

/// What is said of the image at a target, opened in this way.
pub type Judging = dyn Fn(&str, &boltseal_image::Options<'_>) -> Ruling + Send + Sync;

impl std::fmt::Debug for Own {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        to.write_str("Own")
    }
}

impl Judge {
    /// What is said of an image, by its name with its digest.
    async fn ruling(&self, pinned: &Reference) -> Option<Ruling> {
        match self {
            Self::Server(gate) => {
                Some(gate.ruling(pinned).await.unwrap_or_else(|failed| {
                    Ruling::unknown(&format!("no verdict about {pinned}: {failed}"))
                }))
            }
            Self::Own(_) => None,
            Self::Nobody => Some(Ruling::unknown("this node has no server and no policy to ask")),
        }
    }
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The definition is none, or not one that can be run.
    #[error("{0}")]
    Definition(String),
    /// The plan or a verdict refuses.
    #[error("{why}")]
    Denied {
        /// Why, all of it.
        why: String,
        /// What to do.
        next: Option<String>,
    },
    /// No such group, or container.
    #[error("there is no {0} here")]
    Missing(String),
    /// It is there already, or at something else.
    #[error("{0}")]
    Conflict(String),
    /// An image could not be read.
    #[error("{0}")]
    Image(#[from] boltseal_image::Error),
    /// A file.
    #[error("{what}: {source}")]
    Io {
        /// Which, or what was tried.
        what: String,
        /// Why.
        source: std::io::Error,
    },
    /// The process of one thread refused.
    #[error("{0}")]
    Runtime(String),
    /// What happens cannot be written down, so it is not done.
    #[error("the audit log of this node: {0}")]
    Log(String),
    /// The disk is full.
    #[error("{0}")]
    Full(String),
    /// The agent is going down.
    #[error("the agent is stopping")]
    Stopping,
}

/// What to do where the disk is full.
const MAKE_ROOM: &str = "make room on the disk of the agent's data folder, and ask again; what runs goes on, and `boltseal stop` \
                         and `rm` work meanwhile";

/// Whether something failed for want of room.
fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let full = [std::io::ErrorKind::StorageFull, std::io::ErrorKind::QuotaExceeded];
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes
        .any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|error| full.contains(&error.kind())))
}

impl Error {
    /// What to do, where that is known.
    fn next(&self) -> Option<String> {
        match self {
            Self::Denied { next, .. } => next.clone(),
            _ if self.is_full() => Some(MAKE_ROOM.to_owned()),
            _ => None,
        }
    }

    fn is_full(&self) -> bool {
        matches!(self, Self::Full(_)) || is_full(self)
    }

    pub(crate) fn io(what: impl std::fmt::Display) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.to_string();
        move |source| Self::Io { what, source }
    }
}
