//! A container made by another OCI runtime, over the same bundle: `runc`, and what is called as it is.
//!
//! ```text
//! agent ──Request──▶ boltseal __runtime ──▶ runc create, start ──▶ /dev/boltseal/boltseal __init ──▶ the workload, sealed
//! ```
//!
//! What a plan says holds as it does without one: the runtime makes namespaces, mounts, limits and the filter of system calls, and
//! starts this program, bound into the container ([`inside`](super::inside)), which has Landlock hold, keeps log and status, and
//! is PID 1. What joins later needs no runtime: [`join`](super::join) takes a process and a specification, whoever made the one.
//!
//! | module | what it has |
//! |---|---|
//! | [`program`] | the runtime's command line, and what it says it can do |
//! | [`specification`] | the bundle, changed so that it starts with this program |
//! | [`first`] | this program inside, before it is PID 1 as in any other container |
//!
//! A container's state has the same folder as that of others, with a file that says which runtime made it, so that an agent
//! which was told of another one, or of none, still finds and ends it.
//!
//! It must not know: what of a plan a runtime may leave out. [`Runtime::check`] refuses one that says that it lacks something.

pub mod first;
mod program;
mod specification;

use std::{
    fs,
    os::fd::{AsFd as _, AsRawFd as _},
    path::{Path, PathBuf},
};

use oci_spec::runtime::Spec;
use serde::{Deserialize, Serialize};

pub use program::{Lacks, Runtime};

use super::{Error, Start, Started, attend, cgroup, create, init::First, since};

/// File of a state that says who made it.
const MADE: &str = "runtime";
/// Bytes of that file.
const MAX_MADE: u64 = 64 << 10;

/// Who made a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Made {
    /// The runtime.
    pub program: PathBuf,
    /// The bundle that it was asked for, as it was before the runtime got its own.
    pub bundle: PathBuf,
}

impl Made {
    /// Of a container whose state this is; none where no other runtime made it.
    pub fn of(state: &Path) -> Option<Self> {
        use std::io::Read as _;
        let mut text = Vec::new();
        fs::File::open(state.join(MADE)).ok()?.take(MAX_MADE).read_to_end(&mut text).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// The runtime, at the state of this container.
    fn runtime(&self, state: &Path) -> Runtime {
        Runtime { program: self.program.clone(), state: state.to_owned() }
    }
}

/// The specification that `program` is to be given.
pub(super) fn changed(specification: &Spec, wanted: &Start) -> Result<Spec, Error> {
    specification::changed(specification, wanted)
}

/// Makes it of `specification`, whose root is there, and lets it run.
pub(super) fn start(
    wanted: &Start,
    program: &Path,
    specification: &Spec,
    first: &First,
) -> Result<Started, Error> {
    let state = wanted.state.join(&wanted.id);
    let bundle = state.join("bundle");
    fs::create_dir_all(&bundle).map_err(Error::io(bundle.display().to_string()))?;
    let made = Made { program: program.to_owned(), bundle: wanted.bundle.clone() };
    write(&state.join(MADE), &made)?;
    write(&bundle.join("config.json"), specification)?;
    let runtime = made.runtime(&state);
    let files = first.segments.files();
    let mut left = vec![files[0].as_fd(), files[1].as_fd(), first.status.as_fd()];
    left.extend(first.door.iter().map(|door| door.listener.as_fd()));
    let console = first.door.as_ref().and_then(|door| door.console.as_ref());
    left.extend(console.map(|console| console.as_fd()));
    // By a path short enough for the address of a socket.
    let folder = fs::File::open(&wanted.bundle).map_err(Error::io(wanted.bundle.display().to_string()))?;
    let near = format!("/proc/{}/fd/{}", std::process::id(), folder.as_raw_fd());
    let console = console.map(|_| attend::console(Path::new(&near)));
    let pid = runtime.create(&bundle, &wanted.id, &left, console.as_deref())?;
    let gone = || Error::io::<std::io::Error>("the first process")(std::io::ErrorKind::NotFound.into());
    let started = Started { pid, since: since(pid).ok_or_else(gone)? };
    create::confine(started)?;
    runtime.start(&wanted.id)?;
    Ok(started)
}

/// The first process of a container that another runtime made, where it was started and runs, in its own control group.
pub(super) fn found(made: &Made, state: &Path, id: &str, cgroup: &str) -> Option<Started> {
    let pid = made.runtime(state).running(id)?;
    let since = since(pid)?;
    cgroup::is_in(pid, cgroup).then_some(Started { pid, since })
}

/// Has the runtime forget a container that has no process any more. What it leaves is removed with the state.
pub(super) fn forget(made: &Made, state: &Path, id: &str) {
    let _ = made.runtime(state).delete(id);
}

fn write(path: &Path, value: &impl Serialize) -> Result<(), Error> {
    let what = || path.display().to_string();
    let text =
        serde_json::to_vec(value).map_err(|error| Error::io::<std::io::Error>(what())(error.into()))?;
    fs::write(path, text).map_err(Error::io(what()))
}
