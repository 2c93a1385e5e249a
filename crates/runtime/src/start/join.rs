//! One more program in a container that runs, as sealed as the first.
//!
//! All namespaces are entered at once, by the descriptor of the container's first process (`setns(2)` with a pidfd), so that
//! a number that another process has by now cannot be meant. The user namespace is among them: the library that makes
//! containers leaves that one out when something joins, and what joined would be root of the machine in there.

use std::{
    io,
    os::{
        fd::{AsFd as _, AsRawFd, IntoRawFd as _, OwnedFd},
        unix::{net::UnixStream, process::ExitStatusExt as _},
    },
    process::ExitStatus,
};

use boltseal_sys::Forked;
use libcontainer::{
    capabilities,
    container::Container,
    oci_spec::runtime::{LinuxCapabilities, Spec},
    syscall::syscall::create_syscall,
    tty,
    workload::Executor as _,
};
use rustix::{
    fs::Uid,
    process::{DumpableBehavior, Pid, PidfdFlags, Signal, WaitOptions},
    thread::ThreadNameSpaceType,
};

use super::{Error, Join, Started, cgroup, files, oci, runs, seal::Sealing};
use crate::start::status::Status;

/// What a program that could not be made is said to have ended with, as in other runtimes.
const NOT_MADE: i32 = 126;

/// Runs it to its end; gives the code to exit with.
pub(super) fn join(wanted: &Join) -> Result<i32, Error> {
    let state = wanted.state.join(&wanted.id);
    let bundle = match oci::Made::of(&state) {
        Some(made) => made.bundle,
        None => Container::load(state)?.bundle().clone(),
    };
    let path = bundle.join("config.json");
    let mut specification =
        Spec::load(&path).map_err(|source| Error::Specification { path: path.clone(), source })?;
    differ(&mut specification, wanted);
    files::raise(&specification)?;
    let first = first(&wanted.first)?;
    cgroup::enter(wanted.first.pid).map_err(Error::io("the container's control groups"))?;
    let terminal = match &wanted.terminal {
        Some(path) => Some(UnixStream::connect(path).map_err(Error::io(path.display().to_string()))?),
        None => None,
    };
    // From here on, processes of the container could look at this one.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable).map_err(Error::io("hiding"))?;
    let kept: Vec<i32> = terminal.iter().map(AsRawFd::as_raw_fd).chain([first.as_raw_fd()]).collect();
    boltseal_sys::keep_only(&kept).map_err(Error::io("closing what is not needed"))?;
    rustix::thread::move_into_thread_name_spaces(first.as_fd(), ALL)
        .map_err(Error::io("the container's namespaces"))?;
    drop(first);
    match boltseal_sys::fork().map_err(Error::io("a process"))? {
        Forked::Child => {
            let error = become_it(&specification, terminal);
            // Standard error is whoever asked.
            let _ = io::Write::write_all(&mut io::stderr(), format!("boltseal: {error}\n").as_bytes());
            std::process::exit(NOT_MADE)
        }
        Forked::Parent(child) => {
            drop(terminal);
            wait(child)
        }
    }
}

const ALL: ThreadNameSpaceType = ThreadNameSpaceType::USER
    .union(ThreadNameSpaceType::MOUNT)
    .union(ThreadNameSpaceType::PROCESS_ID)
    .union(ThreadNameSpaceType::NETWORK)
    .union(ThreadNameSpaceType::INTER_PROCESS_COMMUNICATION)
    .union(ThreadNameSpaceType::HOST_NAME_AND_NIS_DOMAIN_NAME)
    .union(ThreadNameSpaceType::CONTROL_GROUP);

/// The container's first process; not one that got its number later.
fn first(wanted: &Started) -> Result<OwnedFd, Error> {
    let gone = || Error::io::<io::Error>("the container")(io::Error::other("it does not run any more"));
    let pid = Pid::from_raw(wanted.pid).ok_or_else(gone)?;
    let opened = rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|_| gone())?;
    // Looked at after it was opened: as long as the descriptor is held and these agree, it is that process.
    if runs(wanted) { Ok(opened) } else { Err(gone()) }
}

/// As the container's own process, but for what is asked otherwise. More rights than that one has nobody gets.
fn differ(specification: &mut Spec, wanted: &Join) {
    let Some(process) = specification.process_mut() else { return };
    process.set_args(Some(wanted.command.clone()));
    process.set_terminal(Some(wanted.terminal.is_some()));
    let mut env = process.env().clone().unwrap_or_default();
    for (name, value) in &wanted.env {
        env.retain(|line| line.split('=').next() != Some(name));
        env.push(format!("{name}={value}"));
    }
    process.set_env(Some(env));
    if let Some(folder) = &wanted.folder {
        process.set_cwd(folder.into());
    }
    if let Some((uid, gid)) = wanted.user {
        let mut user = process.user().clone();
        user.set_uid(uid).set_gid(gid);
        process.set_user(user);
    }
}

/// In the container, and still with all rights in there: what remains to be given up, in the order in which that can be done.
/// Comes back only with an error.
fn become_it(specification: &Spec, terminal: Option<UnixStream>) -> Error {
    let done = || -> Result<(), Error> {
        let process = specification.process().as_ref().ok_or_else(|| nothing("a process"))?;
        let syscall = create_syscall();
        let refused = |what: &str, error: &dyn std::fmt::Display| {
            Error::io::<io::Error>(what)(io::Error::other(error.to_string()))
        };
        rustix::process::setsid().map_err(Error::io("a session"))?;
        for limit in process.rlimits().iter().flatten() {
            syscall.set_rlimit(limit).map_err(|error| refused("limits", &error))?;
        }
        if let Some(socket) = terminal {
            // A terminal belongs to whoever makes it, and root of the machine is nobody in there, whose it could not be given on.
            syscall.set_id(0.into(), 0.into()).map_err(|error| refused("root within", &error))?;
            // It closes the socket.
            tty::setup_console(syscall.as_ref(), socket.into_raw_fd(), false)
                .map_err(|error| refused("a terminal", &error))?;
            // Made by root within; nobody else could open it by its name.
            let owner = Uid::from_raw(process.user().uid());
            rustix::fs::fchown(rustix::stdio::stdin(), Some(owner), None)
                .map_err(Error::io("its terminal"))?;
        }
        if process.no_new_privileges() == Some(true) {
            rustix::thread::set_no_new_privs(true).map_err(Error::io("no new privileges"))?;
        }
        std::env::set_current_dir(process.cwd()).map_err(Error::io(process.cwd().display().to_string()))?;
        rustix::thread::set_thread_groups(&[]).map_err(Error::io("no other groups"))?;
        let user = process.user();
        syscall.set_id(user.uid().into(), user.gid().into()).map_err(|error| refused("its user", &error))?;
        capabilities::reset_effective(syscall.as_ref()).map_err(|error| refused("capabilities", &error))?;
        let none = LinuxCapabilities::default();
        let allowed = process.capabilities().as_ref().unwrap_or(&none);
        capabilities::drop_privileges(allowed, syscall.as_ref())
            .map_err(|error| refused("capabilities", &error))?;
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL)).map_err(Error::io("its end"))?;
        let sealing = Sealing::joined();
        let env = process.env().iter().flatten().filter_map(|line| line.split_once('='));
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        sealing.setup_envs(env).map_err(|error| refused("its variables", &error))?;
        sealing.exec(specification).map_err(|error| refused("its seal", &error))
    };
    match done() {
        Ok(()) => nothing("a program"),
        Err(error) => error,
    }
}

fn nothing(what: &str) -> Error {
    Error::io::<io::Error>(what)(io::ErrorKind::NotFound.into())
}

fn wait(child: i32) -> Result<i32, Error> {
    loop {
        match rustix::process::waitpid(Pid::from_raw(child), WaitOptions::empty()) {
            Ok(Some((_, ended))) if ended.exited() || ended.signaled() => {
                return Ok(Status::of(ExitStatus::from_raw(ended.as_raw())).code());
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(Error::io("waiting for it")(error)),
        }
    }
}
