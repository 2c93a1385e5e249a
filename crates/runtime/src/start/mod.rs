//! Starting what was planned: the half of this crate that acts.
//!
//! ```text
//! agent ──Request──▶ boltseal __runtime ──▶ libcontainer ──▶ PID 1: init ──▶ the workload, sealed
//!       ◀──Answer───                                           └ log, status
//! ```
//!
//! Making a container means to copy a process and to change it bit by bit into one that may do nothing, which only a process
//! with one thread can do safely. So the agent never does it: it starts this program again as `__runtime`, tells it one
//! [`Request`] and gets one [`Answer`]. What the container needs of mounts is made in there, in a mount namespace that nobody
//! else has, so that none of them is ever left behind on the machine.
//!
//! | module | what it has |
//! |---|---|
//! | `create` | a container made and started |
//! | `join`, `cgroup` | one more program in a container that runs |
//! | `find` | one that was made by a process that is gone |
//! | `files` | as many open files as it may have |
//! | `lock` | one at a time for each container |
//! | `memory_files` | that the kernel executes no file in memory |
//! | `devices` | which devices it may open, where control groups are of version 2 |
//! | `end` | what is left of one, removed |
//! | [`seal`] | Landlock and the filter of system calls, the last thing before the workload |
//! | [`init`] | PID 1: what is written goes to the log, what ends is reaped, the status is kept |
//! | [`attend`], `streams` | its terminal or pipes, and whoever sits at the container |
//! | [`oci`] | one that another runtime makes, over the same bundle |
//! | [`inside`] | this program as what a container of another runtime starts with |
//! | [`log`] | what the workload wrote, bounded, in the format of Kubernetes' runtimes |
//! | [`status`] | how it ended |
//!
//! It must not know: groups, networks, images, who asks.

pub mod attend;
mod cgroup;
mod create;
mod devices;
mod end;
mod files;
mod find;
pub mod init;
pub mod inside;
mod join;
mod lock;
pub mod log;
mod memory_files;
pub mod oci;
pub mod seal;
pub mod status;
mod streams;

use std::{io, path::PathBuf};

pub use cgroup::{out_of_memory, processes, remove as remove_cgroup};
pub use devices::is_there as has_device_programs;
pub use find::found;
pub use lock::settled;
pub use memory_files::SETTING as MEMFD_NOEXEC;

use serde::{Deserialize, Serialize};

use crate::plan::Users;

/// One thing that `__runtime` is asked to do.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Request {
    /// Make a container and start it.
    Start(Start),
    /// Run one more program in it, with standard input, output and error of whoever asks. There is no answer but the
    /// program's own exit code.
    Join(Join),
    /// End it at once and remove what is left.
    End(End),
}

/// A container to make and start.
#[derive(Debug, Serialize, Deserialize)]
pub struct Start {
    /// Its name on this machine: letters, digits, `_`, `-`, `.`.
    pub id: String,
    /// Folder of the states of all containers.
    pub state: PathBuf,
    /// Folder with its `config.json`, made by [`bundle`](crate::bundle).
    pub bundle: PathBuf,
    /// The network namespace that it shall be in. None leaves that to the specification.
    pub network: Option<PathBuf>,
    /// Its root, if it is to be put together out of layers; else the specification's is there already.
    pub root: Option<Stacked>,
    /// Two files for its log.
    pub logs: [PathBuf; 2],
    /// Bytes that each of them may have.
    pub log_limit: u64,
    /// A file for how it ended.
    pub status: PathBuf,
    /// How somebody can sit at it, by [`attend::socket`] of the bundle; without it nobody can.
    #[serde(default)]
    pub attended: Option<attend::Attended>,
    /// The OCI runtime that makes it; without one, this program does.
    #[serde(default)]
    pub runtime: Option<PathBuf>,
}

/// A root out of layers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Stacked {
    /// The base first.
    pub layers: Vec<Layer>,
    /// Whom users within are outside.
    pub users: Users,
    /// An existing folder, in which it is put together.
    pub place: PathBuf,
}

/// A layer as a folder ([`root::Layer`](crate::root::Layer)).
#[derive(Debug, Serialize, Deserialize)]
pub struct Layer {
    /// The folder.
    pub folder: PathBuf,
    /// Folders in it whose owner and mode are those of the layers below.
    pub implied: Vec<String>,
    /// Whether nothing of the layers below is to be seen.
    pub hides_all: bool,
}

/// One more program in a container.
#[derive(Debug, Serialize, Deserialize)]
pub struct Join {
    /// The container.
    pub id: String,
    /// Folder of the states of all containers.
    pub state: PathBuf,
    /// Its first process, as it was told when it started.
    pub first: Started,
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables beside those of the container.
    pub env: Vec<(String, String)>,
    /// Where it starts, if not where the container did.
    pub folder: Option<String>,
    /// As whom, by number, if not as the container's own user.
    pub user: Option<(u32, u32)>,
    /// A socket that is sent the other side of a terminal; without one there is none.
    pub terminal: Option<PathBuf>,
}

/// A container to end.
#[derive(Debug, Serialize, Deserialize)]
pub struct End {
    /// Its name.
    pub id: String,
    /// Folder of the states of all containers.
    pub state: PathBuf,
    /// Its control group, as in `/proc/PID/cgroup`: whoever is in there is of this container.
    pub cgroup: String,
}

/// What came of a request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It runs.
    Started(Started),
    /// Nothing of it is left.
    Ended,
    /// It was not done, and nothing of it is left.
    Refused(String),
}

/// A container that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Started {
    /// Its first process, as the machine counts them.
    pub pid: i32,
    /// When that started, in clock ticks since the machine did: with the number it names one process for ever.
    pub since: u64,
}

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or a call to the kernel.
    #[error("{what}: {source}")]
    Io {
        /// What was tried.
        what: String,
        /// What the kernel said.
        source: io::Error,
    },
    /// Another runtime refuses.
    #[error("{0}")]
    Runtime(String),
    /// The container could not be made.
    #[error("{0}")]
    Container(#[from] libcontainer::error::LibcontainerError),
    /// Its root could not be put together.
    #[error("its root: {0}")]
    Root(#[from] crate::root::Error),
    /// The bundle's specification is not one.
    #[error("{path}: {source}")]
    Specification {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: oci_spec::OciSpecError,
    },
}

impl Error {
    pub(crate) fn io<E: Into<io::Error>>(what: impl Into<String>) -> impl FnOnce(E) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source: source.into() }
    }

    /// All of it in one line: libraries hide the cause behind "failed to create container".
    pub fn whole(&self) -> String {
        let mut said = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let text = error.to_string();
            if !said.contains(&text) {
                said = format!("{said}: {text}");
            }
            cause = error.source();
        }
        said
    }
}

/// What `__runtime` does with one request. Must be called in a process with one thread, that ends afterwards.
///
/// # Errors
/// As the request says. What was begun is taken back.
pub fn serve(request: &Request) -> Result<Served, Error> {
    let _alone = match request {
        Request::Start(Start { state, id, .. }) | Request::End(End { state, id, .. }) => {
            Some(lock::take(state, id).map_err(Error::io(format!("the lock of {id}")))?)
        }
        Request::Join(_) => None,
    };
    match request {
        Request::Start(start) => create::start(start).map(|started| Served::Answer(Answer::Started(started))),
        Request::Join(join) => join::join(join).map(Served::Exit),
        Request::End(end) => end::end(end).map(|()| Served::Answer(Answer::Ended)),
    }
}

/// What came of it.
#[derive(Debug)]
pub enum Served {
    /// To be told.
    Answer(Answer),
    /// To end with.
    Exit(i32),
}

/// When a process started, in clock ticks since the machine did (`proc_pid_stat(5)`, the 22nd field). None where there is no
/// such process.
pub fn since(pid: i32) -> Option<u64> {
    stat(pid).map(|(_, since)| since)
}

/// Whether a first process is there and runs. One that ended may be there for long: who has it now may be slow to notice, as the
/// first processes of some machines are.
pub fn runs(started: &Started) -> bool {
    stat(started.pid).is_some_and(|(state, since)| since == started.since && !matches!(state, 'Z' | 'X'))
}

/// The state of a process, and when it started.
fn stat(pid: i32) -> Option<(char, u64)> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program is in brackets and may have any character in it; the third field follows the last bracket.
    let mut fields = stat.rsplit_once(") ")?.1.split(' ');
    Some((fields.next()?.chars().next()?, fields.nth(18)?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

    use super::*;

    #[test]
    fn what_ended_does_not_run_although_it_is_there() {
        let mut child = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let started = Started { pid, since: since(pid).unwrap() };
        assert!(runs(&started) && !runs(&Started { since: started.since + 1, ..started }));
        drop(child.stdin.take());
        let left = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        waitid(WaitId::Pid(Pid::from_child(&child)), left).unwrap();
        assert_eq!((since(pid), runs(&started)), (Some(started.since), false));
        child.wait().unwrap();
        assert_eq!((since(pid), runs(&started)), (None, false));
    }
}
