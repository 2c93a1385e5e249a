//! Layers on top of each other.

use std::{
    ffi::CString,
    fs::{self, File},
    io,
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::fs::PermissionsExt as _,
    },
    path::{Path, PathBuf},
};

use boltseal_sys::{Mapped, map_users, user_namespace};
use rustix::{
    fs::{CWD, Mode, OFlags},
    mount::{MountFlags, MoveMountFlags, OpenTreeFlags, UnmountFlags, mount, move_mount, open_tree, unmount},
};

use super::{Error, Layer, Root, Shift, Stack, copy, skeleton};

/// Of the folder that the skeleton and the layers' clones are in: folders and empty files, no content.
const SKELETON: &std::ffi::CStr = c"mode=0755,size=8m,nr_inodes=32k";
/// What a root is mounted with. Setuid files of images gain nobody anything, nor do devices.
const SEALED: MountFlags = MountFlags::RDONLY.union(MountFlags::NOSUID).union(MountFlags::NODEV);
/// Where the skeleton lies in that folder. Layers lie in `0`, `1`, …: five hundred names have to fit a page.
const BONES: &str = "s";

/// Mounts layers, skeleton and root in the place of `stack`, or nothing.
pub fn assemble(stack: &Stack<'_>, shift: Shift) -> Result<Root, Error> {
    let place = stack.place;
    let told = |what: &str, error: rustix::io::Errno| Error::io(format!("{what} {}", place.display()), error);
    mount("boltseal", place, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, SKELETON)
        .map_err(|error| told("mounting memory on", error))?;
    let root = fill(stack, shift);
    if root.is_err() {
        // With all that is mounted in it. The first error is the one to tell.
        let _ = unmount(place, UnmountFlags::DETACH);
    }
    root
}

fn fill(stack: &Stack<'_>, shift: Shift) -> Result<Root, Error> {
    let place = stack.place;
    let made = |name: &str| {
        let path = place.join(name);
        let made = fs::create_dir(&path)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(0o755)));
        made.map_err(|source| Error::io(path.display().to_string(), source)).map(|()| path)
    };
    let (root, bones) = (made("root")?, made(BONES)?);
    let mut layers = Vec::with_capacity(stack.layers.len());
    let users = match shift {
        Shift::Mapped => Some(users(stack)?),
        Shift::Copied => None,
    };
    for (number, layer) in stack.layers.iter().enumerate() {
        let path = match shift {
            Shift::Mapped => layer.path.to_owned(),
            Shift::Copied => copy::shifted(layer.path, stack.users)?,
        };
        clone(&path, users.as_ref(), &made(&number.to_string())?)?;
        layers.push(path);
    }
    skeleton::describe_root(stack, &bones)?;
    overlay(place, &root, stack.layers.len()).map_err(|error| match error {
        // Kernels before 5.19 lay no folders over each other whose owners they shift.
        Error::Io { source, .. } if shift == Shift::Mapped => {
            Error::Shift { what: "laying layers over each other", source }
        }
        other => other,
    })?;
    if skeleton::grow(stack, &root, &bones)? {
        // What is below an overlay must not change while it is looked at, so there is a new one. A process that another
        // thread starts has our descriptors until it is another program, and the root would be busy: it is let go of.
        unmount(&root, UnmountFlags::DETACH).map_err(|error| Error::io("unmounting the root", error))?;
        overlay(place, &root, stack.layers.len())?;
    }
    Ok(Root { path: root, layers, copied: None })
}

fn users(stack: &Stack<'_>) -> Result<OwnedFd, Error> {
    let mapped = Mapped { inside: 0, outside: stack.users.first, count: stack.users.count };
    user_namespace(&[mapped]).map_err(|source| Error::Shift { what: "a user namespace", source })
}

/// Mounts a clone of `from` on `to`, belonging to `users`.
fn clone(from: &Path, users: Option<&OwnedFd>, to: &Path) -> Result<(), Error> {
    let told = |source: io::Error| Error::io(format!("mounting {}", from.display()), source);
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_SYMLINK_NOFOLLOW;
    let tree = open_tree(CWD, from, flags).map_err(|error| told(error.into()))?;
    if let Some(users) = users {
        map_users(&tree, users).map_err(|source| Error::Shift { what: "the users of a layer", source })?;
    }
    let moved = move_mount(tree.as_fd(), "", CWD, to, MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH);
    moved.map_err(|error| told(error.into()))
}

/// Mounts `count` layers and the skeleton on `root`.
///
/// Layers are named as seen from `place`: the options of a mount have to fit a page, and absolute paths of 127 layers do not.
fn overlay(place: &Path, root: &Path, count: usize) -> Result<(), Error> {
    let told = |source: io::Error| Error::io("mounting the root", source);
    let lower: Vec<String> =
        [BONES.to_owned()].into_iter().chain((0..count).rev().map(|at| at.to_string())).collect();
    // Layers never have the attributes that redirect; inode numbers stay those of the layers, by which executables are known.
    let options = format!("lowerdir={},redirect_dir=nofollow,metacopy=off,xino=off", lower.join(":"));
    let options = CString::new(options).map_err(|error| told(error.into()))?;
    let here = File::open(".").map_err(told)?;
    let flags = OFlags::DIRECTORY | OFlags::CLOEXEC;
    let place = rustix::fs::open(place, flags, Mode::empty()).map_err(|error| told(error.into()))?;
    rustix::process::fchdir(&place).map_err(|error| told(error.into()))?;
    let mounted = mount("boltseal", root, "overlay", SEALED, options.as_c_str());
    rustix::process::fchdir(&here).map_err(|error| told(error.into()))?;
    mounted.map_err(|error| told(error.into()))
}

/// Layers of a stack, the uppermost first.
pub fn downwards<'s>(stack: &'s Stack<'_>) -> impl Iterator<Item = (PathBuf, &'s Layer<'s>)> {
    stack.layers.iter().enumerate().rev().map(|(at, layer)| (stack.place.join(at.to_string()), layer))
}
