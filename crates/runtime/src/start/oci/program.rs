//! The command line of `runc`, which other runtimes share, and what a runtime says that it can do (`features`).
//!
//! <https://github.com/opencontainers/runtime-spec/blob/v1.2.0/features.md>

use std::{
    fs,
    io::{self, Read as _},
    os::{
        fd::BorrowedFd,
        unix::process::{CommandExt as _, ExitStatusExt as _},
    },
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Output, Stdio},
};

use boltseal_sys::Forked;
use oci_spec::runtime::{Arch, Features, LinuxNamespaceType, LinuxSeccompAction};
use rustix::process::{Pid, Signal, WaitOptions};
use serde::Deserialize;

use super::super::Error;
use crate::host::{Cgroups, Host};

/// Bytes of what a runtime says.
const MAX_SAID: u64 = 1 << 20;
/// What the copy of this process ends with that could not become the runtime.
const NOT_RUN: i32 = 127;
/// Options of mounts without which what can be written to could be executed, or what must not change could be changed.
const MOUNT_OPTIONS: [&str; 5] = ["bind", "nodev", "noexec", "nosuid", "ro"];

/// A runtime, and where it keeps the state of one container.
#[derive(Clone, Debug)]
pub struct Runtime {
    /// The program.
    pub(super) program: PathBuf,
    /// The folder.
    pub(super) state: PathBuf,
}

/// What a runtime cannot do.
#[derive(Debug, thiserror::Error)]
pub enum Lacks {
    /// It cannot be asked.
    #[error("{program} cannot be run: {source}")]
    Program {
        /// The program.
        program: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It does not answer.
    #[error("{program} does not say what it can do (`features`, as runc does since 1.1): {said}")]
    Features {
        /// The program.
        program: PathBuf,
        /// What it said instead.
        said: String,
    },
    /// It lacks something that plans say holds.
    #[error("{program} cannot do what plans say: it has no {what}")]
    Something {
        /// The program.
        program: PathBuf,
        /// `filter of system calls, no user namespace`
        what: String,
    },
}

/// `state` of a container (`runtime.md`).
#[derive(Deserialize)]
struct State {
    status: String,
    #[serde(default)]
    pid: i32,
}

impl Runtime {
    /// Asks the program whether it can do what every plan says; on a machine as `host` is.
    ///
    /// # Errors
    /// Where it cannot, or does not say so.
    pub fn check(program: &Path, host: &Host) -> Result<(), Lacks> {
        let owned = || program.to_owned();
        let mut command = Command::new(program);
        let asked = command.arg("features").env_clear().stdin(Stdio::null()).output();
        let output = asked.map_err(|source| Lacks::Program { program: owned(), source })?;
        let read = serde_json::from_slice::<Features>(&output.stdout);
        match read.ok().filter(|_| output.status.success()) {
            Some(features) => {
                let what = lacks(&features, host).join(", no ");
                if what.is_empty() { Ok(()) } else { Err(Lacks::Something { program: owned(), what }) }
            }
            None => Err(Lacks::Features { program: owned(), said: said(&output) }),
        }
    }

    /// Has a container made that waits to be started, and leaves these descriptors to its first process, as 3, 4 and so on.
    /// Sends the other side of its terminal to the socket `console`. Gives that process.
    pub(super) fn create(
        &self,
        bundle: &Path,
        id: &str,
        left: &[BorrowedFd<'_>],
        console: Option<&Path>,
    ) -> Result<i32, Error> {
        let mut command = self.command();
        let pid = self.state.join("pid");
        command.arg("create").arg("--bundle").arg(bundle).arg("--pid-file").arg(&pid);
        if let Some(console) = console {
            command.arg("--console-socket").arg(console);
        }
        command.arg("--preserve-fds").arg(left.len().to_string()).arg(id);
        self.ask(command, left)?;
        let text = fs::read_to_string(&pid).map_err(Error::io(pid.display().to_string()))?;
        text.trim().parse().map_err(|_| Error::Runtime(format!("{} is no process", text.trim())))
    }

    /// Has it run.
    pub(super) fn start(&self, id: &str) -> Result<(), Error> {
        let mut command = self.command();
        command.args(["start", id]);
        self.ask(command, &[])
    }

    /// Ends it at once, and forgets it.
    pub(super) fn delete(&self, id: &str) -> Result<(), Error> {
        let mut command = self.command();
        command.args(["delete", "--force", id]);
        self.ask(command, &[])
    }

    /// Its first process, where it was started and did not end.
    pub(super) fn running(&self, id: &str) -> Option<i32> {
        let output = self.command().args(["state", id]).stdin(Stdio::null()).output().ok()?;
        let state: State = serde_json::from_slice(&output.stdout).ok()?;
        (output.status.success() && state.status == "running" && state.pid > 0).then_some(state.pid)
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.env_clear().arg("--root").arg(&self.state);
        command.arg("--log").arg(self.log()).args(["--log-format", "json"]);
        command
    }

    fn log(&self) -> PathBuf {
        self.state.join("log")
    }

    /// Runs it to its end. It ends with this process, so that nobody is at a container whom its lock does not show.
    fn ask(&self, command: Command, left: &[BorrowedFd<'_>]) -> Result<(), Error> {
        let what = || self.program.display().to_string();
        // Of another command.
        let _ = fs::remove_file(self.log());
        let parent = rustix::process::getpid();
        match boltseal_sys::fork().map_err(Error::io(what()))? {
            Forked::Child => {
                let _why = become_it(command, left, parent);
                std::process::exit(NOT_RUN)
            }
            Forked::Parent(child) => {
                let ended = wait(child).map_err(Error::io(what()))?;
                if ended.success() {
                    return Ok(());
                }
                Err(Error::Runtime(format!("{} ended with {}", what(), self.why(ended))))
            }
        }
    }

    /// What it says in its log, or else how it ended.
    fn why(&self, ended: ExitStatus) -> String {
        #[derive(Deserialize)]
        struct Line {
            msg: String,
        }
        let mut text = String::new();
        let read = fs::File::open(self.log()).and_then(|log| log.take(MAX_SAID).read_to_string(&mut text));
        let mut lines = text.lines().filter_map(|line| serde_json::from_str::<Line>(line).ok());
        match lines.next_back().filter(|_| read.is_ok()) {
            Some(line) => format!("{}: {}", ended.code().unwrap_or(NOT_RUN), line.msg),
            None if ended.code() == Some(NOT_RUN) => format!("{NOT_RUN}: it cannot be run"),
            None => ended.to_string(),
        }
    }
}

/// In the copy of the process: becomes the runtime, whose streams are the container's and lead nowhere. Comes back with the reason
/// alone.
fn become_it(mut command: Command, left: &[BorrowedFd<'_>], parent: Pid) -> io::Error {
    let done = || -> io::Result<()> {
        rustix::process::set_parent_process_death_signal(Some(Signal::KILL))?;
        if rustix::process::getppid() != Some(parent) {
            return Err(io::Error::other("whoever asked is gone"));
        }
        let nothing = fs::File::options().read(true).write(true).open("/dev/null")?;
        rustix::stdio::dup2_stdin(&nothing)?;
        rustix::stdio::dup2_stdout(&nothing)?;
        rustix::stdio::dup2_stderr(&nothing)?;
        // Nobody closes what the next call closes.
        drop(nothing);
        boltseal_sys::hand_on(left)
    };
    match done() {
        Ok(()) => command.exec(),
        Err(error) => error,
    }
}

fn wait(child: i32) -> io::Result<ExitStatus> {
    loop {
        match rustix::process::waitpid(Pid::from_raw(child), WaitOptions::empty()) {
            Ok(Some((_, ended))) if ended.exited() || ended.signaled() => {
                return Ok(ExitStatus::from_raw(ended.as_raw()));
            }
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// What of it every plan needs, and it does not say that it has.
fn lacks(features: &Features, host: &Host) -> Vec<&'static str> {
    use LinuxNamespaceType::{Cgroup, Ipc, Mount, Network, Pid, User, Uts};
    let linux = features.linux().clone().unwrap_or_default();
    let seccomp = linux.seccomp().clone().unwrap_or_default();
    let groups = linux.cgroup().clone().unwrap_or_default();
    let namespaces = linux.namespaces().clone().unwrap_or_default();
    let options = features.mount_options().clone().unwrap_or_default();
    let of_version = if host.controllers.values().any(|version| *version == Cgroups::V1) {
        (groups.v1(), "control groups of version 1")
    } else {
        (groups.v2(), "control groups of version 2")
    };
    let filters = seccomp.enabled() == &Some(true)
        && seccomp.actions().iter().flatten().any(|action| *action == LinuxSeccompAction::ScmpActErrno)
        && seccomp.archs().iter().flatten().any(|arch| *arch == ARCH);
    let named = |wanted: &[LinuxNamespaceType]| wanted.iter().all(|kind| namespaces.contains(kind));
    [
        (named(&[User]), "user namespace"),
        (named(&[Pid, Ipc, Uts, Mount, Network, Cgroup]), "namespaces of its own for everything"),
        (filters, "filter of system calls"),
        (*of_version.0 == Some(true), of_version.1),
        (
            MOUNT_OPTIONS.iter().all(|wanted| options.iter().any(|option| option == wanted)),
            "mounts that nothing is executed on",
        ),
    ]
    .into_iter()
    .filter_map(|(has, what)| (!has).then_some(what))
    .collect()
}

#[cfg(target_arch = "x86_64")]
const ARCH: Arch = Arch::ScmpArchX86_64;
#[cfg(target_arch = "aarch64")]
const ARCH: Arch = Arch::ScmpArchAarch64;

/// What a program said that did not do what it was asked.
fn said(output: &Output) -> String {
    let text = if output.stderr.is_empty() { &output.stdout } else { &output.stderr };
    let text = String::from_utf8_lossy(text);
    text.lines().next().map_or_else(|| output.status.to_string(), |line| line.chars().take(200).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(change: impl FnOnce(&mut serde_json::Value)) -> String {
        let mut told = json!({
            "ociVersionMin": "1.0.0", "ociVersionMax": "1.0.2-dev",
            "mountOptions": ["bind", "nodev", "noexec", "nosuid", "ro", "rw"],
            "linux": {
                "namespaces": ["cgroup", "ipc", "mount", "network", "pid", "user", "uts"],
                "cgroup": { "v1": true, "v2": true, "systemd": true },
                "seccomp": {
                    "enabled": true, "actions": ["SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"], "operators": [],
                    "archs": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
                },
            },
        });
        change(&mut told);
        let host = Host { controllers: [("memory".to_owned(), Cgroups::V1)].into(), ..Host::default() };
        lacks(&serde_json::from_value(told).unwrap(), &host).join(", no ")
    }

    #[test]
    fn what_a_runtime_says_that_it_lacks() {
        assert_eq!(check(|_| {}), "");
        assert_eq!(
            check(|told| told["linux"]["seccomp"]["enabled"] = false.into()),
            "filter of system calls"
        );
        assert_eq!(check(|told| told["linux"]["seccomp"]["archs"] = json!([])), "filter of system calls");
        assert_eq!(check(|told| told["linux"]["cgroup"]["v1"] = false.into()), "control groups of version 1");
        assert_eq!(check(|told| told["linux"]["cgroup"]["v2"] = false.into()), "");
        assert_eq!(
            check(|told| told["mountOptions"] = json!(["bind", "ro"])),
            "mounts that nothing is executed on"
        );
        let all = check(|told| told["linux"] = json!({}));
        assert!(all.starts_with("user namespace, no namespaces of its own"), "{all}");
    }
}
