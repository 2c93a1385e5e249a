//! Network namespaces: unshare(2).
#![expect(
    unsafe_code,
    reason = "unshare(2) is a C function, and the library we use for others of its kind calls it unsafe"
)]

use std::{fs::File, io, os::fd::OwnedFd, thread};

/// linux/sched.h
const CLONE_NEWNET: core::ffi::c_int = 0x4000_0000;

// SAFETY: the signature is that of unistd.h.
unsafe extern "C" {
    fn unshare(flags: core::ffi::c_int) -> core::ffi::c_int;
}

/// A new network namespace, which lives as long as the descriptor or a process in it. It is made on a thread of its own, so
/// whoever calls stays where they are. It belongs to the user namespace of the caller: with the first one, nobody in
/// another user namespace has any power over it, even as root there.
pub fn network_namespace() -> io::Result<OwnedFd> {
    let made = thread::Builder::new().name("netns".to_owned()).spawn(|| {
        // SAFETY: unshare(2) touches no memory. With this flag alone it gives the calling thread a new network namespace and
        // changes nothing that threads share: no descriptors, no folders, no users. The thread ends right after.
        if unsafe { unshare(CLONE_NEWNET) } != 0 {
            return Err(io::Error::last_os_error());
        }
        File::open("/proc/thread-self/ns/net").map(OwnedFd::from)
    })?;
    made.join().map_err(|_| io::Error::other("the thread that makes a network namespace ended"))?
}
