//! One folder, its files, and an `fsync` that callers at the same time share.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, OwnedFd},
    path::{Path, PathBuf},
    sync::{Condvar, Mutex, PoisonError},
};

use rustix::{
    fs::{AtFlags, CWD, Mode, OFlags},
    io::Errno,
};

use crate::Error;

const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

/// An open folder: files are named relative to it, so that nobody can exchange it under us.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    handle: OwnedFd,
    sync: GroupSync,
}

impl Folder {
    pub(super) fn open(path: &Path) -> Result<Self, Error> {
        let failed = |e: io::Error| Error::file("open", path, e);
        let fresh = !path.is_dir();
        std::fs::create_dir_all(path).map_err(failed)?;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = rustix::fs::open(path, flags, Mode::empty()).map_err(|e| failed(e.into()))?;
        if fresh {
            // The folder's own name must survive too, up to the data folder that the user made.
            for parent in path.ancestors().skip(1).take(3).filter(|p| !p.as_os_str().is_empty()) {
                File::open(parent).and_then(|f| f.sync_all()).map_err(failed)?;
            }
        }
        Ok(Self { path: path.to_owned(), handle, sync: GroupSync::default() })
    }

    /// For messages.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(super) fn size(&self, name: &str) -> Result<Option<u64>, Error> {
        match rustix::fs::statat(&self.handle, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(u64::try_from(stat.st_size).unwrap_or(0))),
            Err(Errno::NOENT) => Ok(None),
            Err(e) => Err(self.failed("stat", name, e)),
        }
    }

    pub(super) fn read(&self, name: &str) -> Result<Option<(File, u64)>, Error> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let file = match rustix::fs::openat(&self.handle, name, flags, Mode::empty()) {
            Ok(handle) => File::from(handle),
            Err(Errno::NOENT) => return Ok(None),
            Err(e) => return Err(self.failed("open", name, e)),
        };
        let size = file.metadata().map_err(|e| Error::file("stat", self.path(name), e))?.len();
        Ok(Some((file, size)))
    }

    /// A named file for reading and writing; `fresh` refuses one that exists.
    pub(super) fn write(&self, name: &str, fresh: bool) -> Result<File, Error> {
        let created = if fresh { OFlags::CREATE | OFlags::EXCL } else { OFlags::empty() };
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | created;
        let opened = rustix::fs::openat(&self.handle, name, flags, PRIVATE);
        opened.map(File::from).map_err(|e| self.failed("open", name, e))
    }

    /// A file without a name, which vanishes with the process. `None` where the file system has no such thing.
    pub(super) fn nameless(&self) -> Result<Option<File>, Error> {
        let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::TMPFILE;
        match rustix::fs::openat(&self.handle, ".", flags, PRIVATE) {
            Ok(handle) => Ok(Some(File::from(handle))),
            Err(Errno::OPNOTSUPP | Errno::ISDIR | Errno::NOENT | Errno::INVAL) => Ok(None),
            Err(e) => Err(self.failed("create", ".", e)),
        }
    }

    /// Gives a nameless file its name. A file that has the name already has the same bytes: that is fine.
    pub(super) fn link_nameless(&self, file: &File, name: &str) -> Result<(), Error> {
        use std::os::fd::AsRawFd as _;
        let itself = format!("/proc/self/fd/{}", file.as_raw_fd());
        let linked = rustix::fs::linkat(CWD, itself, &self.handle, name, AtFlags::SYMLINK_FOLLOW).or_else(
            |e| match e {
                Errno::NOENT => rustix::fs::linkat(file.as_fd(), "", &self.handle, name, AtFlags::EMPTY_PATH),
                other => Err(other),
            },
        );
        self.linked(name, linked)
    }

    /// Gives a file of another folder a second name here.
    pub(super) fn link_from(&self, other: &Self, old: &str, name: &str) -> Result<(), Error> {
        let linked = rustix::fs::linkat(&other.handle, old, &self.handle, name, AtFlags::empty());
        self.linked(name, linked)
    }

    fn linked(&self, name: &str, linked: Result<(), Errno>) -> Result<(), Error> {
        match linked {
            Ok(()) | Err(Errno::EXIST) => self.sync(),
            Err(e) => Err(self.failed("link", name, e)),
        }
    }

    /// Removes a file; it may be gone already. Not synced: one that comes back after a power cut is only litter.
    pub(super) fn remove(&self, name: &str) -> Result<(), Error> {
        match rustix::fs::unlinkat(&self.handle, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(self.failed("remove", name, e)),
        }
    }

    /// Every name in it.
    pub(super) fn names(&self) -> Result<Vec<String>, Error> {
        let failed = |e: io::Error| Error::file("list", &self.path, e);
        let entries = std::fs::read_dir(&self.path).map_err(failed)?;
        entries.map(|e| Ok(e.map_err(failed)?.file_name().to_string_lossy().into_owned())).collect()
    }

    /// Makes the names in this folder durable.
    pub(super) fn sync(&self) -> Result<(), Error> {
        self.sync.run(|| rustix::fs::fsync(&self.handle)).map_err(|e| self.failed("sync", ".", e))
    }

    fn failed(&self, what: &'static str, name: &str, source: Errno) -> Error {
        Error::file(what, self.path(name), io::Error::from(source))
    }
}

/// Lets callers that come while one `fsync` runs share the next.
#[derive(Debug, Default)]
struct GroupSync {
    state: Mutex<Rounds>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct Rounds {
    running: bool,
    started: u64,
    done: u64,
}

impl GroupSync {
    /// Returns when a round of `work` that began after this call has succeeded; its error if this call led it.
    fn run<E>(&self, work: impl Fn() -> Result<(), E>) -> Result<(), E> {
        let mut rounds = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = rounds.started + 1;
        loop {
            if rounds.done >= wanted {
                return Ok(());
            }
            if rounds.running {
                rounds = self.ended.wait(rounds).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            rounds.running = true;
            rounds.started += 1;
            let this = rounds.started;
            drop(rounds);
            let result = work();
            rounds = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            rounds.running = false;
            if result.is_ok() {
                rounds.done = this;
            }
            self.ended.notify_all();
            result?;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn many_share_few_rounds_and_none_returns_early() {
        let (sync, rounds, begun) = (GroupSync::default(), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| {
                    let before = begun.load(Ordering::SeqCst);
                    sync.run(|| {
                        begun.fetch_add(1, Ordering::SeqCst);
                        std::thread::sleep(std::time::Duration::from_millis(5));
                        rounds.fetch_add(1, Ordering::SeqCst);
                        Ok::<_, ()>(())
                    })
                    .unwrap();
                    assert!(
                        rounds.load(Ordering::SeqCst) > before,
                        "returned before a round that began after the call"
                    );
                });
            }
        });
        let rounds = rounds.load(Ordering::SeqCst);
        assert!((1..32).contains(&rounds), "{rounds} rounds for 32 callers");
    }

    #[test]
    fn a_failed_round_is_the_leaders_error() {
        let sync = GroupSync::default();
        assert_eq!(sync.run(|| Err("disk")), Err("disk"));
        assert_eq!(sync.run(|| Ok::<_, &str>(())), Ok(()));
    }
}
