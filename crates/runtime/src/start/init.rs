//! PID 1 of a container.
//!
//! It is sealed like the workload, before that exists: it has no capability, may open nothing that the workload may not, and
//! holds few descriptors from outside: two files for the log, one for the status, the signals it gets, and where somebody sits at
//! the container, the socket by which they come ([`attend`](super::attend)).
//!
//! - What the workload writes, it copies into the log (`streams`). Where the disk is full, what is written is lost, not waited for.
//! - Whatever ends, it reaps; when the workload ends, all others are ended too, and it writes how.
//! - Signals go on to the workload.

use std::{
    fs::File,
    io::{self, Write as _},
    os::{
        fd::{AsFd as _, AsRawFd as _},
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    process::{Command, ExitStatus},
    sync::Arc,
};

use boltseal_model::Timestamp;
use boltseal_sys::{Forked, Signals};
use rustix::process::{DumpableBehavior, Pid, Signal, WaitOptions};

use super::{attend::Door, log::Segments, status::Status, streams::Streams};

/// What a shell says of a program that is not there.
pub(super) const NOT_FOUND: i32 = 127;
/// What it says of one that cannot be run.
pub(super) const NOT_RUN: i32 = 126;
/// What lists of processes call it.
const NAME: &std::ffi::CStr = c"boltseal-init";
/// `SIGCHLD`
const CHILD: i32 = 17;

/// What the first process of a container has from outside.
#[derive(Clone, Debug)]
pub struct First {
    /// Where the log goes.
    pub segments: Arc<Segments>,
    /// Where the status goes.
    pub status: Arc<File>,
    /// Where people come to sit at it.
    pub door: Option<Arc<Door>>,
}

/// Runs the workload to its end, with variables beside those of this process. Comes back only where it could not be started at all.
///
/// # Errors
/// As fork(2) and pipe(2).
pub(super) fn run(first: &First, command: &[String], env: &[(String, String)]) -> io::Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_name(NAME)?;
    let signals = Signals::of_this_process()?;
    let (mut streams, ends) = Streams::open(first.door.as_ref())?;
    streams.await_first(&signals)?;
    match boltseal_sys::fork()? {
        Forked::Child => {
            ends.take_place()?;
            signals.let_through()?;
            std::process::exit(execute(command, env))
        }
        Forked::Parent(workload) => {
            drop(ends);
            let mut kept = streams.kept();
            kept.extend([
                signals.as_fd().as_raw_fd(),
                first.status.as_raw_fd(),
                first.segments.files()[0].as_raw_fd(),
                first.segments.files()[1].as_raw_fd(),
            ]);
            boltseal_sys::keep_only(&kept)?;
            let status = watch(first, signals, &mut streams, workload)?;
            // Nobody reads an error of this process; without a status it counts as killed, which is what it looks like.
            let _ = status.write(&first.status);
            streams.part(status.code());
            std::process::exit(status.code())
        }
    }
}

/// Becomes the program. Gives the code to exit with where that cannot be.
pub(super) fn execute(command: &[String], env: &[(String, String)]) -> i32 {
    let Some((program, arguments)) = command.split_first() else { return NOT_FOUND };
    let mut becoming = Command::new(program);
    becoming.args(arguments).envs(env.iter().map(|(name, value)| (name, value)));
    refused(program, &becoming.exec())
}

/// Says why a program does not run; gives the code to exit with.
fn refused(program: &str, error: &io::Error) -> i32 {
    complain(&format!("{program} cannot be run: {error}"));
    if error.kind() == io::ErrorKind::NotFound { NOT_FOUND } else { NOT_RUN }
}

/// To whoever reads the container's standard error.
pub(super) fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "boltseal: {what}");
}

fn watch(first: &First, mut signals: Signals, streams: &mut Streams, workload: i32) -> io::Result<Status> {
    let mut writer = first.segments.writer()?;
    let mut ended = None;
    // Programs that the workload left behind hold its streams until they are gone, so nothing is waited for after that.
    while ended.is_none() || streams.are_open() {
        let came = streams.serve(&signals, &mut writer)?;
        for signal in came.sent {
            pass_on(signal, workload);
        }
        if came.signals {
            while let Some(signal) = signals.take()? {
                if signal != CHILD {
                    pass_on(signal, workload);
                }
            }
            reap(workload, &mut ended)?;
            if ended.is_some() {
                streams.end();
            }
        }
    }
    let _ = writer.end(Timestamp::now());
    let mut status = Status::of(ended.unwrap_or_else(|| ExitStatus::from_raw(9)));
    status.at = Some(Timestamp::now());
    Ok(status)
}

fn pass_on(signal: i32, workload: i32) {
    if let (Some(signal), Some(workload)) = (Signal::from_named_raw(signal), Pid::from_raw(workload)) {
        let _ = rustix::process::kill_process(workload, signal);
    }
}

/// Takes all that ended. When the workload is among them, whatever else runs is ended: nothing outlives it.
fn reap(workload: i32, ended: &mut Option<ExitStatus>) -> io::Result<()> {
    loop {
        match rustix::process::wait(WaitOptions::NOHANG) {
            Ok(Some((pid, status))) => {
                if pid.as_raw_nonzero().get() == workload && (status.exited() || status.signaled()) {
                    *ended = Some(ExitStatus::from_raw(status.as_raw()));
                    boltseal_sys::end_all_others()?;
                }
            }
            Ok(None) | Err(rustix::io::Errno::CHILD) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
