//! Network namespaces of groups.

use std::{
    fs::{self, File},
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    os::unix::fs::MetadataExt as _,
    thread,
};

use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::{Error, netlink::Socket, settings};

/// What the kernel does for everybody in the namespace, by paths below `/proc/sys/net`.
///
/// Any port can be bound without a capability, since there are no others' ports. `ping` needs no raw socket. IPv6 is off:
/// rules, addresses and names are IPv4, and what has no rules of its own must not have a way either; a server on `[::]` is still
/// reached by IPv4. Nobody tells it of better ways: it has one.
const SETTINGS: [(&str, &str); 7] = [
    ("ipv4/ip_unprivileged_port_start", "0"),
    ("ipv4/ping_group_range", "0 2147483647"),
    ("ipv4/conf/all/accept_redirects", "0"),
    ("ipv4/conf/default/accept_redirects", "0"),
    ("ipv4/conf/all/secure_redirects", "0"),
    ("ipv6/conf/all/disable_ipv6", "1"),
    ("ipv6/conf/default/disable_ipv6", "1"),
];

/// The network namespace of a group. It belongs to the first user namespace, so nobody in a container has power over it, and
/// lives as long as this value or a process in it.
#[derive(Debug)]
pub struct Namespace(OwnedFd);

impl Namespace {
    /// A new one: its own loopback is up, and it reaches nobody.
    ///
    /// # Errors
    /// Where the process may not make one, or the kernel refuses a setting.
    pub fn create() -> Result<Self, Error> {
        let made = boltseal_sys::network_namespace()
            .map_err(|source| Error::Kernel { doing: "making a network namespace".to_owned(), source })?;
        let namespace = Self(made);
        namespace.within(|| {
            for (path, value) in SETTINGS {
                settings::set(path, value)?;
            }
            let mut socket = Socket::route().map_err(Error::kernel("asking about links"))?;
            // The loopback of a namespace is its first link, always.
            socket.set_up(1).map_err(Error::kernel("taking the loopback into use"))
        })?;
        Ok(namespace)
    }

    /// The one that a process is in: how the namespace of a group is found again.
    ///
    /// # Errors
    /// Where there is no such process, or it is in the namespace of the caller, which is nobody's group.
    pub fn of_process(process: u32) -> Result<Self, Error> {
        let path = format!("/proc/{process}/ns/net");
        let doing = || Error::kernel(format!("opening {path}"));
        let found = File::open(&path).map_err(doing())?;
        let theirs = found.metadata().map_err(doing())?;
        let ours = fs::metadata("/proc/thread-self/ns/net").map_err(doing())?;
        if (theirs.dev(), theirs.ino()) == (ours.dev(), ours.ino()) {
            return Err(Error::Same { process });
        }
        Ok(Self(OwnedFd::from(found)))
    }

    /// Does something in it, on a thread of its own.
    pub(super) fn within<T: Send>(&self, work: impl FnOnce() -> Result<T, Error> + Send) -> Result<T, Error> {
        thread::scope(|scope| {
            let there = scope.spawn(|| {
                enter(self.as_fd()).map_err(Error::kernel("entering a network namespace"))?;
                work()
            });
            let ended = || Error::Kernel {
                doing: "working in a network namespace".to_owned(),
                source: io::Error::other("its thread ended"),
            };
            there.join().unwrap_or_else(|_| Err(ended()))
        })
    }
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<OwnedFd> for Namespace {
    fn from(descriptor: OwnedFd) -> Self {
        Self(descriptor)
    }
}

/// Moves the calling thread, and what it starts from then on, into a network namespace. Sockets that it has stay where they
/// were opened.
pub fn enter(namespace: BorrowedFd<'_>) -> io::Result<()> {
    Ok(move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))?)
}
