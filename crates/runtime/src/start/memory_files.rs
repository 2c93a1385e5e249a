//! That the kernel executes no file in memory (`memfd_create(2)`), for all processes of a container.
//!
//! The filter of system calls lets none be made at all: what `execve` refuses, `ld.so` would still map as code. This is the second
//! lock on the same door, and it holds for whatever gets into the container's namespace of processes without that filter.
//!
//! It is a setting of the namespace of processes, of whoever writes it: so a process is put into the container's, as root of the
//! machine still, and writes it there before the workload exists. Nobody inside can take it back, who may not write settings.

use std::{fs, io, os::fd::AsFd as _};

use boltseal_sys::Forked;
use rustix::{
    process::{Pid, PidfdFlags, WaitOptions},
    thread::ThreadNameSpaceType,
};

/// Where that is set, since Linux 6.3.
pub const SETTING: &str = "/proc/sys/vm/memfd_noexec";
/// What is refused is a file that could be executed; what does not say is made so that it cannot.
const NONE: &str = "2";

/// Whether the kernel has it.
pub(super) fn is_there() -> bool {
    fs::exists(SETTING).unwrap_or(false)
}

/// Has it so from now on, in the namespace of processes that `first` is the first process of.
pub(super) fn forbid(first: i32) -> io::Result<()> {
    let pid = Pid::from_raw(first).ok_or(io::ErrorKind::NotFound)?;
    let first = rustix::process::pidfd_open(pid, PidfdFlags::empty())?;
    // Only what is started afterwards is in the namespace that is entered, so there are two: this process starts others.
    child(|| {
        rustix::thread::move_into_thread_name_spaces(first.as_fd(), ThreadNameSpaceType::PROCESS_ID)?;
        child(|| {
            fs::write(SETTING, NONE)?;
            let set = fs::read_to_string(SETTING)?;
            if set.trim() == NONE { Ok(()) } else { Err(io::Error::other("it is not set")) }
        })
    })
}

/// Does it in a process of its own.
fn child(does: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
    match boltseal_sys::fork()? {
        Forked::Child => {
            let code = match does() {
                Ok(()) => 0,
                // The number of the error, which the exit code has room for.
                Err(error) => error.raw_os_error().filter(|number| (1..255).contains(number)).unwrap_or(255),
            };
            std::process::exit(code)
        }
        Forked::Parent(child) => loop {
            match rustix::process::waitpid(Pid::from_raw(child), WaitOptions::empty()) {
                Ok(Some((_, ended))) if ended.exited() || ended.signaled() => {
                    return match ended.exit_status() {
                        Some(0) => Ok(()),
                        Some(number) if number < 255 => Err(io::Error::from_raw_os_error(number)),
                        _ => Err(io::Error::other("it could not be set")),
                    };
                }
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        },
    }
}
