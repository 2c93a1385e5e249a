//! A copy of a layer that belongs to other users, where the kernel cannot have one folder belong to several.

use std::{
    collections::HashMap,
    fs::{self, DirBuilder, File},
    io,
    os::{fd::AsFd, unix::fs::DirBuilderExt as _},
    path::{Path, PathBuf},
};

use boltseal_sys::{Beneath, Place};
use rustix::{
    fs::{
        AtFlags, Dir, FileType, FlockOperation, Gid, Mode, OFlags, Stat, Timespec, Timestamps, Uid,
        XattrFlags,
    },
    io::Errno,
};

use super::Error;
use crate::plan::Users;

/// Attributes that are copied. Layers have no others.
const HIDES: &str = "trusted.overlay.opaque";
const CAPABILITY: &str = "security.capability";
/// Bytes of either.
const MAX_ATTRIBUTE: usize = 64;
/// `struct vfs_ns_cap_data` of linux/capability.h: version 2 has 20 bytes, version 3 the root user of a namespace besides.
const VERSION_2: usize = 20;
const VERSION_3: u32 = 0x0300_0000;
const VERSION_BITS: u32 = 0xff00_0000;

/// The copy of the layer at `from` for `users`, made where it is missing. It lies beside the layer, and goes with it.
pub fn shifted(from: &Path, users: Users) -> Result<PathBuf, Error> {
    let told = |source: io::Error| Error::io(format!("copying {}", from.display()), source);
    let Some(beside) = from.parent() else { return Err(told(io::ErrorKind::InvalidInput.into())) };
    let to = beside.join(format!("users-{}-{}", users.first, users.count));
    let lock = File::open(beside).map_err(told)?;
    // The kernel takes the lock back from whoever dies.
    rustix::fs::flock(&lock, FlockOperation::LockExclusive).map_err(|error| told(error.into()))?;
    if to.exists() {
        return Ok(to);
    }
    let unfinished = beside.join("users-unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(told)?;
    }
    DirBuilder::new().mode(0o700).create(&unfinished).map_err(told)?;
    let copied = Copy::new(from, &unfinished, users).and_then(Copy::all);
    let finished = copied.and_then(|()| {
        rustix::fs::syncfs(File::open(&unfinished)?)?;
        fs::rename(&unfinished, &to)?;
        lock.sync_all()
    });
    if finished.is_err() {
        // What is left is removed by the next one too.
        let _ = fs::remove_dir_all(&unfinished);
    }
    finished.map_err(told)?;
    Ok(to)
}

struct Copy {
    from: Beneath,
    to: Beneath,
    users: Users,
    /// Files with several names, by their inode, and the first name.
    linked: HashMap<u64, String>,
}

impl Copy {
    fn new(from: &Path, to: &Path, users: Users) -> io::Result<Self> {
        Ok(Self { from: Beneath::new(from)?, to: Beneath::new(to)?, users, linked: HashMap::new() })
    }

    fn all(mut self) -> io::Result<()> {
        let mut todo = vec![String::new()];
        let mut done = Vec::new();
        while let Some(path) = todo.pop() {
            let (from, to) = (self.from.folder(&path)?, self.to.folder(&path)?);
            for entry in Dir::read_from(&from)? {
                let entry = entry?;
                let name = entry.file_name().to_str().map_err(io::Error::other)?;
                if matches!(name, "." | "..") {
                    continue;
                }
                let stat = rustix::fs::statat(&from, name, AtFlags::SYMLINK_NOFOLLOW)?;
                if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
                    rustix::fs::mkdirat(&to, name, Mode::from_raw_mode(0o700))?;
                    todo.push(from.join(name));
                } else {
                    self.one(&from, &to, name, &stat)?;
                }
            }
            done.push(path);
        }
        // What is put into a folder changes its time, so folders come last.
        for path in done.iter().rev() {
            let (from, to) = (self.from.folder(path)?, self.to.folder(path)?);
            let stat = rustix::fs::fstat(&from)?;
            if attribute(&from, HIDES)?.is_some() {
                rustix::fs::fsetxattr(&to, HIDES, b"y", XattrFlags::empty())?;
            }
            self.own(&to, &stat)?;
        }
        Ok(())
    }

    /// Everything that is no folder.
    fn one(&mut self, from: &Place, to: &Place, name: &str, stat: &Stat) -> io::Result<()> {
        if stat.st_nlink > 1 {
            let path = from.join(name);
            if let Some(first) = self.linked.get(&stat.st_ino) {
                let (dir, base) = first.rsplit_once('/').unwrap_or(("", first));
                return Ok(rustix::fs::linkat(self.to.folder(dir)?, base, to, name, AtFlags::empty())?);
            }
            self.linked.insert(stat.st_ino, path);
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => self.file(from, to, name, stat),
            FileType::Symlink => {
                let target = rustix::fs::readlinkat(from, name, Vec::new())?;
                rustix::fs::symlinkat(target.as_c_str(), to, name)?;
                let (owner, group) = self.owner(stat);
                rustix::fs::chownat(to, name, Some(owner), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
                Ok(rustix::fs::utimensat(to, name, &times(stat), AtFlags::SYMLINK_NOFOLLOW)?)
            }
            // A whiteout; layers have no other devices.
            FileType::CharacterDevice if stat.st_rdev == 0 => {
                Ok(rustix::fs::mknodat(to, name, FileType::CharacterDevice, Mode::empty(), 0)?)
            }
            _ => Err(io::Error::other(format!("{} is no file of a layer", from.join(name)))),
        }
    }

    fn file(&self, from: &Place, to: &Place, name: &str, stat: &Stat) -> io::Result<()> {
        let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mut source = File::from(rustix::fs::openat(from, name, flags | OFlags::RDONLY, Mode::empty())?);
        let create = flags | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut copy = File::from(rustix::fs::openat(to, name, create, Mode::from_raw_mode(0o600))?);
        // Where the file system can, both share their blocks from now on.
        if rustix::fs::ioctl_ficlone(&copy, &source).is_err() {
            io::copy(&mut source, &mut copy)?;
        }
        self.own_file(&copy, &source, stat)
    }

    fn own_file(&self, copy: &File, source: &File, stat: &Stat) -> io::Result<()> {
        let (owner, group) = self.owner(stat);
        rustix::fs::fchown(copy, Some(owner), Some(group))?;
        rustix::fs::fchmod(copy, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
        if let Some(capability) = attribute(source, CAPABILITY)? {
            rustix::fs::fsetxattr(copy, CAPABILITY, &self.capability(&capability), XattrFlags::empty())?;
        }
        Ok(rustix::fs::futimens(copy, &times(stat))?)
    }

    fn own(&self, to: &Place, stat: &Stat) -> io::Result<()> {
        let (owner, group) = self.owner(stat);
        rustix::fs::fchown(to, Some(owner), Some(group))?;
        rustix::fs::fchmod(to, Mode::from_raw_mode(stat.st_mode & 0o7777))?;
        Ok(rustix::fs::futimens(to, &times(stat))?)
    }

    fn owner(&self, stat: &Stat) -> (Uid, Gid) {
        (Uid::from_raw(self.user(stat.st_uid)), Gid::from_raw(self.user(stat.st_gid)))
    }

    /// Who somebody is outside. Those beyond the range become the last one, whom no container starts as.
    fn user(&self, inside: u32) -> u32 {
        let Users { first, count } = self.users;
        first.saturating_add(inside.min(count.saturating_sub(1)))
    }

    /// A capability that holds only in namespaces whose root is the container's.
    fn capability(&self, value: &[u8]) -> Vec<u8> {
        let mut value = value.to_vec();
        if let (VERSION_2, Some((head, _))) = (value.len(), value.split_first_chunk_mut::<4>()) {
            *head = ((u32::from_le_bytes(*head) & !VERSION_BITS) | VERSION_3).to_le_bytes();
            value.extend(self.users.first.to_le_bytes());
        }
        value
    }
}

fn times(stat: &Stat) -> Timestamps {
    let time = Timespec { tv_sec: stat.st_mtime, tv_nsec: i64::try_from(stat.st_mtime_nsec).unwrap_or(0) };
    Timestamps { last_access: time, last_modification: time }
}

fn attribute(file: impl AsFd, name: &str) -> io::Result<Option<Vec<u8>>> {
    let mut value = vec![0; MAX_ATTRIBUTE];
    match rustix::fs::fgetxattr(file, name, &mut value[..]) {
        Ok(length) => {
            value.truncate(length);
            Ok(Some(value))
        }
        Err(Errno::NODATA | Errno::NOTSUP) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
