//! User namespaces that are made for who is whom in them, and for nothing else: clone(2).
#![expect(
    unsafe_code,
    reason = "a user namespace begins with a process, and no library we use starts one that does not execute a program"
)]

use core::ffi::{c_int, c_long, c_ulong};
use std::{
    fmt::Write as _,
    fs::File,
    io,
    os::fd::{AsRawFd as _, OwnedFd},
};

use rustix::process::{Pid, Signal, WaitOptions, kill_process, waitpid};

/// linux/sched.h
const CLONE_NEWUSER: c_ulong = 0x1000_0000;
/// asm-generic/signal.h: what the parent is told at the end.
const SIGCHLD: c_ulong = 17;

#[cfg(target_arch = "x86_64")]
mod number {
    pub const READ: i64 = 0;
    pub const CLOSE: i64 = 3;
    pub const CLONE: i64 = 56;
    pub const EXIT_GROUP: i64 = 231;
}

/// asm-generic/unistd.h, which all newer architectures share.
#[cfg(not(target_arch = "x86_64"))]
mod number {
    pub const READ: i64 = 63;
    pub const CLOSE: i64 = 57;
    pub const CLONE: i64 = 220;
    pub const EXIT_GROUP: i64 = 94;
}

// SAFETY: the signature is that of unistd.h.
unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

/// Users who are others outside of a namespace, and groups in the same way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mapped {
    /// The first one inside.
    pub inside: u32,
    /// Who that is outside.
    pub outside: u32,
    /// How many, one after the other.
    pub count: u32,
}

/// A process that waits to be ended.
struct Waiting(Pid);

impl Drop for Waiting {
    fn drop(&mut self) {
        // It may have ended by itself, and been waited for by whoever waits for all; there is nothing left to do then.
        let _ = kill_process(self.0, Signal::KILL);
        let _ = waitpid(Some(self.0), WaitOptions::empty());
    }
}

/// A namespace in which users and groups are who `mapped` says. It lives as long as the descriptor, or what uses it.
///
/// # Errors
/// Where the kernel has no user namespaces left or allowed, `mapped` overlaps, or somebody but root asks.
pub fn user_namespace(mapped: &[Mapped]) -> io::Result<OwnedFd> {
    if mapped.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a namespace without users"));
    }
    let mut lines = String::new();
    for Mapped { inside, outside, count } in mapped {
        writeln!(lines, "{inside} {outside} {count}").map_err(io::Error::other)?;
    }
    // Ends with this process, so that the child does too.
    let (theirs, ours) = io::pipe()?;
    let child = child(theirs.as_raw_fd(), ours.as_raw_fd())?;
    let pid = child.0.as_raw_nonzero();
    for what in ["uid_map", "gid_map"] {
        // The kernel takes the whole of it in one write.
        std::fs::write(format!("/proc/{pid}/{what}"), &lines)?;
    }
    Ok(File::open(format!("/proc/{pid}/ns/user"))?.into())
}

/// A process in a user namespace of its own, which does nothing until the other end of the pipe `theirs` is closed.
fn child(theirs: c_int, ours: c_int) -> io::Result<Waiting> {
    // SAFETY: without `CLONE_VM` this is fork(2): the child has a copy of the memory, and runs on from here on a copy of the
    // stack, as no stack, thread area or places for ids are given (all null). Other threads do not exist in it and may have
    // held any lock, so the child must call nothing that takes one: it makes three system calls, allocates nothing, drops
    // nothing, and never leaves this block.
    let pid = unsafe {
        let pid = syscall(number::CLONE, CLONE_NEWUSER | SIGCHLD, 0_usize, 0_usize, 0_usize, 0_usize);
        if pid == 0 {
            syscall(number::CLOSE, ours);
            let mut byte = 0_u8;
            // The byte lives on the child's stack, and no more than it is asked for.
            syscall(number::READ, theirs, &raw mut byte, 1_usize);
            loop {
                syscall(number::EXIT_GROUP, 0);
            }
        }
        pid
    };
    let refused = io::Error::last_os_error();
    i32::try_from(pid)
        .ok()
        .and_then(Pid::from_raw)
        .filter(|pid| pid.as_raw_nonzero().get() > 0)
        .map(Waiting)
        .ok_or(refused)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::is_root;

    const ONE: Mapped = Mapped { inside: 0, outside: 200_000, count: 1000 };

    #[test]
    fn who_is_nobody_or_two_at_once_is_refused() {
        if !is_root() {
            return;
        }
        assert!(user_namespace(&[ONE, Mapped { inside: 5000, outside: 7, count: 1 }]).is_ok());
        assert!(user_namespace(&[ONE, ONE]).is_err());
        assert!(user_namespace(&[]).is_err());
    }

    #[test]
    fn nothing_is_left_running() {
        if !is_root() {
            return;
        }
        let child = child_of_a_pipe();
        let path = format!("/proc/{}/status", child.0.as_raw_nonzero());
        assert!(fs::read_to_string(&path).unwrap().contains(&format!("PPid:\t{}\n", std::process::id())));
        drop(child);
        assert!(!fs::exists(&path).unwrap());
    }

    fn child_of_a_pipe() -> Waiting {
        let (theirs, ours) = io::pipe().unwrap();
        let child = child(theirs.as_raw_fd(), ours.as_raw_fd()).unwrap();
        std::mem::forget(ours);
        child
    }
}
