//! PID 1 of a container.
//!
//! It is sealed like the workload, before that exists: it has no capability, may open nothing that the workload may not, and
//! holds four descriptors from outside: two files for the log, one for the status, and the signals it gets.
//!
//! - What the workload writes, it copies into the log. Where the disk is full, what is written is lost, not waited for.
//! - Whatever ends, it reaps; when the workload ends, all others are ended too, and it writes how.
//! - Signals go on to the workload.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    os::{
        fd::{AsFd as _, AsRawFd as _, OwnedFd},
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    process::{Command, ExitStatus},
    sync::Arc,
};

use boltseal_model::Timestamp;
use boltseal_sys::{Forked, Signals};
use rustix::{
    event::{PollFd, PollFlags},
    pipe::PipeFlags,
    process::{DumpableBehavior, Pid, Signal, WaitOptions},
};

use super::{
    log::{Segments, Stream, Writer},
    status::Status,
};

/// Bytes that are read of a pipe at once: as many as it holds.
const CHUNK: usize = 64 << 10;
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
}

/// Runs the workload to its end, with variables beside those of this process. Comes back only where it could not be started at all.
///
/// # Errors
/// As fork(2) and pipe(2).
pub(super) fn run(first: &First, command: &[String], env: &[(String, String)]) -> io::Result<()> {
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    rustix::thread::set_name(NAME)?;
    let signals = Signals::of_this_process()?;
    let (out, out_in) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    let (err, err_in) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    match boltseal_sys::fork()? {
        Forked::Child => {
            signals.let_through()?;
            rustix::stdio::dup2_stdout(&out_in)?;
            rustix::stdio::dup2_stderr(&err_in)?;
            std::process::exit(execute(command, env))
        }
        Forked::Parent(workload) => {
            drop((out_in, err_in));
            let kept = [
                out.as_fd(),
                err.as_fd(),
                signals.as_fd(),
                first.status.as_fd(),
                first.segments.files()[0].as_fd(),
                first.segments.files()[1].as_fd(),
            ];
            boltseal_sys::keep_only(&kept.map(|descriptor| descriptor.as_raw_fd()))?;
            let status = watch(first, signals, [out, err], workload)?;
            // Nobody reads an error of this process; without a status it counts as killed, which is what it looks like.
            let _ = status.write(&first.status);
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

fn watch(first: &First, mut signals: Signals, pipes: [OwnedFd; 2], workload: i32) -> io::Result<Status> {
    let mut writer = first.segments.writer()?;
    let mut pipes = pipes.map(|pipe| Some(File::from(pipe)));
    let mut ended = None;
    // Programs that the workload left behind hold the pipes until they are gone, so nothing is waited for after that.
    while ended.is_none() || pipes.iter().any(Option::is_some) {
        let mut watched = vec![PollFd::new(&signals, PollFlags::IN)];
        watched.extend(pipes.iter().flatten().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match rustix::event::poll(&mut watched, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = watched.iter().map(|one| !one.revents().is_empty()).collect();
        drop(watched);
        let mut ready = ready.into_iter();
        if ready.next() == Some(true) {
            while let Some(signal) = signals.take()? {
                if signal != CHILD {
                    pass_on(signal, workload);
                }
            }
            reap(workload, &mut ended)?;
        }
        for (pipe, stream) in pipes.iter_mut().zip([Stream::Stdout, Stream::Stderr]) {
            if pipe.is_some() && ready.next() == Some(true) && copy(pipe, stream, &mut writer) == 0 {
                *pipe = None;
            }
        }
    }
    let _ = writer.end(Timestamp::now());
    let mut status = Status::of(ended.unwrap_or_else(|| ExitStatus::from_raw(9)));
    status.at = Some(Timestamp::now());
    Ok(status)
}

/// Copies what waits in a pipe; gives how much that was.
fn copy(pipe: &mut Option<File>, stream: Stream, writer: &mut Writer<'_>) -> usize {
    let mut chunk = vec![0; CHUNK];
    let read = pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(&mut chunk));
    let read = match read {
        Ok(read) => read,
        Err(error) if error.kind() == io::ErrorKind::Interrupted => return CHUNK,
        Err(_) => 0,
    };
    // A full disk is no reason for a workload to stand still.
    let _ = writer.take(stream, chunk.get(..read).unwrap_or_default(), Timestamp::now());
    read
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
