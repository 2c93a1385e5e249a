//! Mounts that nobody else sees, and whose files belong to other users: unshare(2), `mount_setattr(2)`.
#![expect(
    unsafe_code,
    reason = "no library we use has mount_setattr(2), and the one call that unshares can do other things that are unsafe"
)]

use core::ffi::{c_long, c_uint};
use std::{
    io,
    marker::PhantomData,
    os::fd::{AsFd, AsRawFd as _},
};

use rustix::{mount::MountPropagationFlags, thread::UnshareFlags};

/// `mount_setattr(2)` is 442 on every architecture.
const MOUNT_SETATTR: c_long = 442;
/// linux/fcntl.h: the descriptor itself is meant.
const AT_EMPTY_PATH: c_uint = 0x1000;
/// linux/mount.h
const MOUNT_ATTR_IDMAP: u64 = 0x0010_0000;

/// `struct mount_attr` of linux/mount.h.
#[repr(C)]
struct Attributes {
    set: u64,
    clear: u64,
    propagation: u64,
    users: u64,
}

// SAFETY: the signature is that of unistd.h.
unsafe extern "C" {
    fn syscall(number: c_long, ...) -> c_long;
}

/// That the thread has mounts of its own: what it mounts is seen by nobody but itself and what it starts, and is gone with
/// them. It cannot go to another thread, which has other mounts.
#[derive(Debug)]
pub struct PrivateMounts(PhantomData<*const ()>);

/// Gives this thread a copy of its mounts, of which nothing is passed on in either direction.
///
/// # Errors
/// Without `CAP_SYS_ADMIN`.
pub fn private_mounts() -> io::Result<PrivateMounts> {
    // SAFETY: only `CLONE_FILES` is unsafe, which takes descriptors from other threads; a namespace of mounts has none.
    unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNS) }?;
    rustix::mount::mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)?;
    Ok(PrivateMounts(PhantomData))
}

/// Has the files of `mount`, which is a clone that is mounted nowhere yet (`open_tree(2)`), belong to other users: what is
/// owned by somebody inside `users`, a user namespace, belongs to whom that is outside of it.
///
/// # Errors
/// `EINVAL` where the kernel or the file system cannot do it.
pub fn map_users(mount: impl AsFd, users: impl AsFd) -> io::Result<()> {
    let descriptor = u64::try_from(users.as_fd().as_raw_fd()).map_err(io::Error::other)?;
    let attributes = Attributes { set: MOUNT_ATTR_IDMAP, clear: 0, propagation: 0, users: descriptor };
    // SAFETY: the path is an empty string with its end, and the kernel reads as many bytes of the attributes as it is told,
    // all of which are initialised. It writes nothing, and keeps neither. Both descriptors are open as long as this lasts.
    let refused = unsafe {
        syscall(
            MOUNT_SETATTR,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            AT_EMPTY_PATH,
            &raw const attributes,
            size_of::<Attributes>(),
        )
    };
    if refused == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::MetadataExt as _, thread};

    use rustix::{
        fs::{AtFlags, CWD, statat},
        mount::{MountFlags, OpenTreeFlags, open_tree},
    };

    use super::*;
    use crate::{Mapped, is_root, user_namespace};

    fn ours() -> String {
        fs::read_to_string("/proc/thread-self/mountinfo").unwrap()
    }

    #[test]
    fn what_is_mounted_is_seen_by_nobody_else() {
        if !is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let name = folder.path().display().to_string();
        thread::scope(|scope| {
            let inside = scope.spawn(|| {
                private_mounts().unwrap();
                rustix::mount::mount("none", &name, "tmpfs", MountFlags::empty(), None::<&std::ffi::CStr>)
                    .unwrap();
                ours()
            });
            assert!(inside.join().unwrap().contains(&name));
        });
        assert!(!ours().contains(&name));
    }

    #[test]
    fn files_belong_to_others() {
        if !is_root() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let users = user_namespace(&[Mapped { inside: 0, outside: 100_000, count: 10 }]).unwrap();
        let clone = open_tree(CWD, folder.path(), OpenTreeFlags::OPEN_TREE_CLONE).unwrap();
        let owner = |folder: &rustix::fd::OwnedFd| statat(folder, "file", AtFlags::empty()).unwrap().st_uid;
        assert_eq!(owner(&clone), 0);
        map_users(&clone, &users).unwrap();
        assert_eq!(owner(&clone), 100_000);
        assert_eq!(fs::metadata(folder.path().join("file")).unwrap().uid(), 0);
    }

    #[test]
    fn only_clones_that_are_mounted_nowhere() {
        if !is_root() {
            return;
        }
        let users = user_namespace(&[Mapped { inside: 0, outside: 100_000, count: 10 }]).unwrap();
        let folder = fs::File::open("/").unwrap();
        assert!(map_users(&folder, &users).is_err(), "a folder is no mount");
        let cloned = open_tree(CWD, "/proc", OpenTreeFlags::OPEN_TREE_CLONE).unwrap();
        assert!(map_users(&cloned, &users).is_err(), "/proc cannot do it");
        assert!(map_users(&cloned, &folder).is_err(), "and a folder has no users");
    }
}
