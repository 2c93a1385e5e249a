//! Descriptors that one program leaves to the next, by their numbers: dup2(2), `close_range(2)`.
//!
//! Whoever starts a program through another one, which is not ours, can say no more about descriptors than how many there are
//! after the standard three.
#![expect(
    unsafe_code,
    reason = "a descriptor known by its number alone belongs to nobody whom the language knows of, and no library takes it"
)]

use std::{
    io,
    os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd, RawFd},
    sync::atomic::{AtomicBool, Ordering},
};

use crate::process::one_thread;

/// The first one after the standard three.
const FIRST: RawFd = 3;

/// Leaves these to the program that this process is about to become, as 3, 4, and so on; all others but the standard three are
/// closed. For processes of one thread that do nothing else any more.
///
/// # Errors
/// Where this process has other threads; as dup2(2).
pub fn hand_on(descriptors: &[BorrowedFd<'_>]) -> io::Result<()> {
    one_thread("descriptors of a process with other threads cannot be left to another program")?;
    let count = RawFd::try_from(descriptors.len()).map_err(io::Error::other)?;
    let after = FIRST.saturating_add(count);
    // Copied out of the way first, so that none is replaced before it was copied.
    let copies = descriptors
        .iter()
        .map(|descriptor| rustix::io::fcntl_dupfd_cloexec(descriptor, after).map_err(io::Error::from))
        .collect::<io::Result<Vec<OwnedFd>>>()?;
    for (number, copy) in (FIRST..after).zip(&copies) {
        // SAFETY: it touches no memory. Whoever has the number that is replaced is on the stack of a process that never goes back
        // there, which is what this function is for.
        if unsafe { libc::dup2(copy.as_raw_fd(), number) } < 0 {
            return Err(io::Error::last_os_error());
        }
    }
    drop(copies);
    close_from(after)
}

/// Those that were left to this program, as many as it was told. All others but the standard three are closed, and none is left
/// to a program that is started from here.
///
/// # Errors
/// Where there are fewer, where one is not of another program, when they were taken before, or this process has other threads.
pub fn handed(count: usize) -> io::Result<Vec<OwnedFd>> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    one_thread("what was left to a program is taken before it has other threads")?;
    if TAKEN.swap(true, Ordering::SeqCst) {
        return Err(io::Error::other("what was left to this program was taken before"));
    }
    let after = FIRST.saturating_add(RawFd::try_from(count).map_err(io::Error::other)?);
    for number in FIRST..after {
        // SAFETY: it touches no memory, and changes nothing.
        let flags = unsafe { libc::fcntl(number, libc::F_GETFD) };
        if flags < 0 {
            return Err(io::Error::last_os_error());
        }
        // What this program opened itself has the flag: libraries of this language set it always.
        if flags & libc::FD_CLOEXEC != 0 {
            return Err(io::Error::other(format!("descriptor {number} was not left to this program")));
        }
    }
    close_from(after)?;
    let taken = (FIRST..after).map(|number| {
        // SAFETY: it is open, and was so when this program began, as it lacks the flag that all others have; and nobody else took
        // it, since that is done once.
        unsafe { OwnedFd::from_raw_fd(number) }
    });
    let taken: Vec<OwnedFd> = taken.collect();
    for descriptor in &taken {
        rustix::io::fcntl_setfd(descriptor, rustix::io::FdFlags::CLOEXEC)?;
    }
    Ok(taken)
}

fn close_from(first: RawFd) -> io::Result<()> {
    // SAFETY: it touches no memory. As with `hand_on`, whoever has one of them does not go on, or does not exist: a program that has
    // just begun has opened nothing.
    if unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
