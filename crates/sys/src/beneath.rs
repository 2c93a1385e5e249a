//! A folder that no path leads out of.
//!
//! Every path is opened by the kernel relative to the root's descriptor, with `RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS`
//! (`openat2(2)`): whatever somebody has put there, and whatever names say, an `open` that would leave the root fails. Links
//! that are meant to be followed are followed here, by their text, and the result is opened in the same way.

use std::{
    fs::File,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::Path,
    rc::Rc,
};

use rustix::{
    fs::{Mode, OFlags, ResolveFlags},
    io::Errno,
};

/// Symbolic links followed for one name, as Linux does (`MAXSYMLINKS`).
const MAX_LINKS: usize = 40;
/// How many looks at a name in memory cost as much as one at a disk's.
const LOOKS: u64 = 10;

/// A root, and what is below it: every path is opened by the kernel, and none leads out.
#[derive(Debug)]
pub struct Beneath {
    root: OwnedFd,
    /// Looks at names so far, a measure of the work that names have caused.
    pub steps: u64,
}

/// A folder below a root.
#[derive(Clone, Debug)]
pub struct Place {
    /// Its path, without links.
    pub path: String,
    folder: Rc<OwnedFd>,
}

impl AsFd for Place {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

impl Place {
    /// Another descriptor of it.
    pub fn as_owned(&self) -> io::Result<OwnedFd> {
        self.folder.try_clone()
    }

    /// The path of `name` in it.
    pub fn join(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}/{name}", self.path) }
    }
}

impl Beneath {
    /// Below the folder `root`, whose own path is trusted and may have links on its way.
    pub fn new(root: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        Ok(Self { root: rustix::fs::open(root, flags, Mode::empty())?, steps: 0 })
    }

    /// The folder at `path`, which has no links in it. `Errno::LOOP`: it has.
    pub fn folder(&mut self, path: &str) -> Result<Place, Errno> {
        let folder = self.open(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        Ok(Place { path: path.to_owned(), folder: Rc::new(folder) })
    }

    /// What is at `path`, for looking at it only; a link is not followed. `Errno::LOOP`: a link is on the way.
    pub fn file(&mut self, path: &str) -> Result<File, Errno> {
        self.open(path, OFlags::PATH | OFlags::NOFOLLOW).map(File::from)
    }

    fn open(&mut self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        self.steps += LOOKS * (1 + path.len() as u64 / 64);
        let path = if path.is_empty() { "." } else { path };
        let stay = ResolveFlags::BENEATH
            | ResolveFlags::NO_SYMLINKS
            | ResolveFlags::NO_MAGICLINKS
            | ResolveFlags::NO_XDEV;
        rustix::fs::openat2(&self.root, path, flags | OFlags::CLOEXEC, Mode::empty(), stay)
    }

    /// `path` with its links replaced by what they say, never leaving the root; `None` when they lead in circles or too far.
    /// What does not exist is taken for a folder to come. `max` bounds the length of paths, `steps` the looks.
    pub fn followed(&mut self, path: &str, max: usize, steps: u64) -> Result<Option<String>, Errno> {
        let mut todo: Vec<String> = path.rsplit('/').map(str::to_owned).collect();
        let mut done = String::new();
        let mut followed = 0;
        while let Some(part) = todo.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.truncate(done.rfind('/').unwrap_or(0));
                    continue;
                }
                name => {
                    if !done.is_empty() {
                        done.push('/');
                    }
                    done.push_str(name);
                }
            }
            if done.len() > max || self.steps > steps {
                return Ok(None);
            }
            let Some(target) = self.link(&done)? else { continue };
            followed += 1;
            if followed > MAX_LINKS {
                return Ok(None);
            }
            if target.starts_with('/') {
                done.clear();
            } else {
                done.truncate(done.rfind('/').unwrap_or(0));
            }
            todo.extend(target.rsplit('/').map(str::to_owned));
        }
        Ok(Some(done))
    }

    /// What the link at `path` says, if there is one.
    fn link(&mut self, path: &str) -> Result<Option<String>, Errno> {
        let file = match self.open(path, OFlags::PATH | OFlags::NOFOLLOW) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::NOTDIR) => return Ok(None),
            Err(error) => return Err(error),
        };
        match rustix::fs::readlinkat(&file, "", Vec::new()) {
            // What is not UTF-8 leads nowhere, like a wrong name.
            Ok(target) => Ok(Some(target.to_string_lossy().into_owned())),
            Err(Errno::INVAL | Errno::NOENT) => Ok(None), // no link
            Err(error) => Err(error),
        }
    }
}
