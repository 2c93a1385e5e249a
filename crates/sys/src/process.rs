//! Processes: a copy of this one, its signals as a descriptor, and namespaces of its own: fork(2), signalfd(2), setns(2).
#![expect(
    unsafe_code,
    reason = "fork(2), sigprocmask(2) and signalfd(2) are C functions whose safety depends on the whole process: the \
              libraries we use offer them as unsafe functions, or not at all"
)]

use std::{
    fs,
    io::{self, Read as _},
    mem::{MaybeUninit, size_of},
    os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd},
};

use rustix::thread::LinkNameSpaceType;

/// Which of the two processes goes on after [`fork`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forked {
    /// The one that called; the other one's number.
    Parent(i32),
    /// The new one.
    Child,
}

/// Copies this process.
///
/// # Errors
/// Where it has more than one thread: the copy would have only this one, and whatever lock another one holds would never be
/// given back there. And where the kernel refuses: too many processes, too little memory.
pub fn fork() -> io::Result<Forked> {
    one_thread("a process with other threads cannot be copied")?;
    // SAFETY: there is one thread, and nobody else can start one meanwhile; so no lock is held by a thread that the copy
    // lacks, and both may go on as ordinary programs.
    match unsafe { libc::fork() } {
        0 => Ok(Forked::Child),
        child if child > 0 => Ok(Forked::Parent(child)),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Every signal that is sent to this process, as something that can be read.
#[derive(Debug)]
pub struct Signals(fs::File);

impl Signals {
    /// From now on no signal does anything by itself, and each can be read here; but for those that cannot be held up
    /// (`SIGKILL`, `SIGSTOP`). Programs that are started from here inherit that: see [`Signals::let_through`].
    ///
    /// # Errors
    /// Where this process has other threads, which would get them instead; and as signalfd(2).
    pub fn of_this_process() -> io::Result<Self> {
        one_thread("signals of a process with other threads cannot be read")?;
        let mut all = MaybeUninit::uninit();
        // SAFETY: sigfillset initialises the set that it is given and cannot fail for a valid pointer; the others read it.
        let descriptor = unsafe {
            libc::sigfillset(all.as_mut_ptr());
            if libc::sigprocmask(libc::SIG_SETMASK, all.as_ptr(), std::ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            libc::signalfd(-1, all.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK)
        };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just gave it to us, and nobody else knows it.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(descriptor) }.into()))
    }

    /// Lets signals do what they do again, in a process that is about to become another program.
    ///
    /// # Errors
    /// As sigprocmask(2).
    pub fn let_through(self) -> io::Result<()> {
        let mut none = MaybeUninit::uninit();
        // SAFETY: sigemptyset initialises the set that it is given and cannot fail for a valid pointer; the other reads it.
        let refused = unsafe {
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut())
        };
        if refused == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    /// The next signal's number; nothing where none waits.
    ///
    /// # Errors
    /// As read(2).
    pub fn take(&mut self) -> io::Result<Option<i32>> {
        let mut information = [0_u8; size_of::<libc::signalfd_siginfo>()];
        match self.0.read(&mut information) {
            // The first field is the number (signalfd(2)).
            Ok(_) => Ok(information
                .first_chunk()
                .map(|number| i32::try_from(u32::from_ne_bytes(*number)).unwrap_or(0))),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Moves this thread into a network namespace.
///
/// # Errors
/// As setns(2).
pub fn enter_network(namespace: BorrowedFd<'_>) -> io::Result<()> {
    Ok(rustix::thread::move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?)
}

/// Closes every descriptor of this process but the standard three and those in `kept`. For processes that are about to do one
/// thing until they end, so that nothing they were made with stays within reach.
///
/// # Errors
/// As `close_range(2)`.
pub fn keep_only(kept: &[i32]) -> io::Result<()> {
    let mut kept = kept.to_vec();
    kept.sort_unstable();
    let mut from = 3;
    for next in kept.into_iter().map(|kept| u32::try_from(kept).unwrap_or(0)).chain([u32::MAX]) {
        // The last one is no descriptor: up to and with it, all are closed.
        let to = if next == u32::MAX { next } else { next.saturating_sub(1) };
        if from <= to && next >= from {
            // SAFETY: owners of the closed descriptors are on the stack of a process that never goes back there, which is
            // what this function is for; whoever does would see "bad file descriptor", or a file that was opened since.
            if unsafe { libc::syscall(libc::SYS_close_range, from, to, 0) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        from = from.max(next.saturating_add(1));
    }
    Ok(())
}

/// Ends every process that this one may send a signal to, but itself: as PID 1 of a namespace, all of that.
///
/// # Errors
/// Anywhere but as PID 1, where it would end what is not meant; and as kill(2).
pub fn end_all_others() -> io::Result<()> {
    if std::process::id() != 1 {
        return Err(io::Error::other("only the first process of a namespace may end all others"));
    }
    // SAFETY: kill(2) reads nothing of this process.
    if unsafe { libc::kill(-1, libc::SIGKILL) } == 0 {
        return Ok(());
    }
    match io::Error::last_os_error() {
        // Nobody else is there.
        error if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
        error => Err(error),
    }
}

/// Fails with `why` where this process has other threads.
pub(crate) fn one_thread(why: &str) -> io::Result<()> {
    let alone = match fs::read_dir("/proc/self/task") {
        Ok(threads) => threads.count() == 1,
        // What is mounted there may belong to processes among which this one is not, after it entered their namespaces.
        // To leave one's group of threads is refused to those who have one, and does nothing otherwise (unshare(2)).
        // SAFETY: it takes nothing from this process.
        Err(_) => (unsafe { libc::unshare(libc::CLONE_THREAD) }) == 0,
    };
    if alone { Ok(()) } else { Err(io::Error::other(why)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_it_with_more_threads() {
        // Tests run in a thread beside the one that waits for them.
        let inherited = [crate::hand_on(&[]).err(), crate::handed(0).err()];
        for refused in [fork().err(), Signals::of_this_process().err()].into_iter().chain(inherited) {
            let said = refused.map(|error| error.to_string()).unwrap_or_default();
            assert!(said.contains("threads"), "{said}");
        }
        assert!(end_all_others().is_err(), "this is not PID 1");
    }
}
