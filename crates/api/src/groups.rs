//! Container groups on one node: what its agent is asked by a socket, and answers.
//!
//! | request | body | answer |
//! |---|---|---|
//! | `POST /v1/groups` | [`Run`] | [`Group`] |
//! | `GET /v1/groups`, `GET /v1/groups/NAME` | | [`Group`]s, or one |
//! | `POST /v1/groups/NAME/stop`, `…/start` | [`Stop`] | [`Group`] |
//! | `POST /v1/groups/NAME/secrets` | values in base64 by `VOLUME/FILE` | [`Group`] |
//! | `POST /v1/rollouts` | [`Rollout`] | [`Rolled`] |
//! | `POST /v1/groups/NAME/rollback` | [`Rollback`] | [`Rolled`] |
//! | `DELETE /v1/groups/NAME` | | nothing |
//! | `GET /v1/groups/NAME/CONTAINER/log` | | lines of the log, one JSON value each |
//! | `GET /v1/groups/NAME/CONTAINER/processes` | | [`Process`]es |
//! | `POST /v1/groups/NAME/CONTAINER/exec` | [`Exec`] | what `boltseal exec` is to start |
//! | `POST /v1/groups/NAME/CONTAINER/attend` | | [`Seat`] |
//! | `GET /v1/findings`, `GET /v1/where?what=` | | what is wrong with what runs, and who has something: types of the agent |
//! | `GET /v1/outdated` | | what runs and has something newer: types of the agent |
//! | `GET /v1/events` | | [`Event`]s, one JSON value each, as they happen |

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A group to run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Run {
    /// The file's name, for messages.
    pub file: String,
    /// What stands in it: a container group as Azure has it.
    pub definition: String,
    /// Where images are taken from instead of the registry in their names: `oci:FOLDER`, `docker-archive:FILE`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
    /// Values of secrets that do not stand in the definition, by `CONTAINER/VARIABLE` or `VOLUME/FILE`, in base64.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Run images that nobody allowed, and have that in the log.
    #[serde(default)]
    pub allow_unverified: bool,
    /// Refuse where a control is partial or unavailable on this node.
    #[serde(default)]
    pub strict: bool,
    /// Let registries speak HTTP without TLS.
    #[serde(default)]
    pub plain_http: bool,
    /// How somebody can sit at its container; for a group of one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attended: Option<Attended>,
}

/// How somebody can sit at a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attended {
    /// It has a terminal of its own, with so many rows and columns at first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub terminal: Option<(u16, u16)>,
    /// What is typed goes to it.
    #[serde(default)]
    pub input: bool,
    /// It is theirs who run it: it begins when they sit there, and what they type ends when they leave, where it has no terminal.
    #[serde(default)]
    pub held: bool,
}

/// Where one sits at a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// The socket. It is there once the container is made.
    pub socket: String,
    /// It has a terminal.
    pub terminal: bool,
    /// What is typed goes to it.
    pub input: bool,
}

/// How a group is stopped.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Stop {
    /// Seconds between `SIGTERM` and `SIGKILL`.
    #[serde(default)]
    pub grace: Option<u32>,
}

/// A group in place of the one of its name.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Rollout {
    /// The new one.
    pub run: Run,
    /// What becomes of the old one.
    #[serde(default)]
    pub strategy: Strategy,
    /// Seconds in which the new one has to become ready.
    #[serde(default)]
    pub wait: Option<u32>,
    /// Seconds in which the old one may end its conversations.
    #[serde(default)]
    pub drain: Option<u32>,
}

/// The group that served before, in place of the one that serves.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Rollback {
    /// What becomes of the one that serves.
    #[serde(default)]
    pub strategy: Strategy,
    /// Seconds in which it has to become ready.
    #[serde(default)]
    pub wait: Option<u32>,
    /// Seconds in which the one that serves may end its conversations.
    #[serde(default)]
    pub drain: Option<u32>,
}

/// What becomes of a group that is replaced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// It ends its conversations and is stopped.
    #[default]
    Rolling,
    /// It goes on running without its name and ports, so that a rollback takes no start.
    BlueGreen,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Rolled {
    /// The group that serves now.
    pub group: Group,
    /// Why that is still the old one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
}

/// A program to run in a container.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Exec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables beside the container's own.
    #[serde(default)]
    pub env: Vec<(String, String)>,
    /// Where it starts.
    #[serde(default)]
    pub folder: Option<String>,
    /// As whom, by number.
    #[serde(default)]
    pub user: Option<(u32, u32)>,
    /// Whether it gets a terminal, at this socket.
    #[serde(default)]
    pub terminal: Option<String>,
}

/// A group on a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Its name, which is its own on this node.
    pub name: String,
    /// What it is at.
    pub state: GroupState,
    /// When it was asked for.
    pub created: Timestamp,
    /// Of its plan: of what exactly is confined how.
    pub plan: String,
    /// Whether images run in it that nobody allowed.
    pub unverified: bool,
    /// Its address on this node.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// Its containers, those that initialise first.
    pub containers: Vec<Container>,
}

/// The plan of a group on a node, and what another one has to be made of to be compared with it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Planned {
    /// As `boltseal plan --format json` writes it.
    pub plan: serde_json::Value,
    /// Its place among the groups of the node, which its users outside follow from.
    pub place: u16,
    /// Where its images are, where they are not in the registries of their names.
    pub images: BTreeMap<String, String>,
}

/// What a group is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupState {
    /// Its containers that initialise are at it, or others have not started.
    Starting,
    /// All of its containers run.
    Running,
    /// It was told to stop.
    Stopping,
    /// It was stopped.
    Stopped,
    /// All ended well.
    Succeeded,
    /// One ended badly, or could not be started.
    Failed,
}

/// A container on a node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "independent answers about a container, none a state")]
pub struct Container {
    /// Its name within the group.
    pub name: String,
    /// Its image as it was named.
    pub image: String,
    /// What that was when it was looked at. This is what runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// Why it may run, in the words of every gate.
    pub verdict: String,
    /// Whether it runs before the others, to its end.
    #[serde(default)]
    pub initialises: bool,
    /// What it is at.
    pub state: State,
    /// How often it was started after the first time.
    pub restarts: u32,
    /// Whether its readiness probe passes; without one, whether it runs.
    pub ready: bool,
    /// Whether it has a terminal of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub terminal: bool,
    /// Whether what somebody types goes to it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub input: bool,
    /// How it ended the last time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// What a container is at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum State {
    /// It waits.
    Waiting {
        /// For what.
        why: String,
    },
    /// It runs.
    Running {
        /// Its first process, as the node counts them.
        pid: i32,
        /// Since when.
        since: Timestamp,
    },
    /// It does not run any more.
    Ended,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// As shells count: 128 and the signal's number where that ended it.
    pub code: i32,
    /// `ended`, `stopped`, `out of memory`, `liveness probe failed`, `killed`
    pub why: String,
    /// When.
    pub at: Timestamp,
}

/// A process in a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// As the node counts them.
    pub pid: i32,
    /// As the container does.
    pub inside: i32,
    /// Its user inside.
    pub user: u32,
    /// Bytes of memory.
    pub memory: u64,
    /// Milliseconds of processors' time.
    pub cpu: u64,
    /// The program and its arguments, as far as they are shown.
    pub command: String,
}

/// Something that happened on a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counted from one, on this node.
    pub number: u64,
    /// When.
    pub at: Timestamp,
    /// What: `group.run`, `container.start`, `container.end`, `container.exec`, `container.attend`, …
    pub what: String,
    /// The group.
    pub group: String,
    /// The container.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The rest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub details: BTreeMap<String, String>,
}

/// Why something was not done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Refused {
    /// In one sentence.
    pub error: String,
    /// What to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Whether a policy or a plan said no, rather than that it could not be done.
    #[serde(default)]
    pub denied: bool,
}
