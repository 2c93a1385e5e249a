//! Each kind of entry, written.

use std::{
    fs::File,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
};

use boltseal_model::{Algorithm, Digest, Hasher};
use boltseal_sys::Place;
use rustix::{
    fs::{AtFlags, FileType, Mode, OFlags, XattrFlags},
    io::Errno,
};

use super::{
    places::HIDES,
    write::{Writer, hide, io_at, own, owner, times},
};
use crate::{
    At, Error,
    error::shown,
    tar::{Entry, Source, Walker},
};

const OPAQUE: &str = ".wh..wh..opq";
/// Files of the union file system aufs that say nothing about the image.
const AUFS: &str = ".wh..wh.";
/// Executables of one layer. An image from a system that has no x bit marks every file; the largest seen has 300,000.
const MAX_EXECUTABLES: usize = 1_000_000;

impl Writer<'_> {
    pub(super) fn folder(&mut self, parent: &Place, name: &str, entry: &Entry) -> io::Result<()> {
        let path = parent.join(name);
        let place = match self.beneath.folder(&path) {
            Ok(place) => place,
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {
                let hides = self.clear(parent, name)?;
                self.make_folder(parent, name, hides)?
            }
            Err(error) => return Err(error.into()),
        };
        self.describe_folder(&place, entry, path)
    }

    pub(super) fn describe_folder(&mut self, place: &Place, entry: &Entry, path: String) -> io::Result<()> {
        own(place, entry)?;
        self.implied.remove(&path);
        self.note_name(&path)?;
        self.folders.insert(path, entry.attributes.modified);
        Ok(())
    }

    pub(super) fn file<S: Source>(
        &mut self,
        walker: &mut Walker<'_, S>,
        place: &Place,
        name: &str,
        entry: &mut Entry,
        path: &str,
    ) -> Result<(), Error> {
        let layer = self.name;
        let told = |error| io_at(layer, path, error);
        self.count_bytes(entry.meta.size, path)?;
        if entry.is_sparse() && entry.meta.mode & 0o111 != 0 && entry.meta.size > self.limits.executable {
            return Err(self.limit("bytes of an executable with holes", self.limits.executable, path));
        }
        self.clear(place, name).map_err(told)?;
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file = rustix::fs::openat(place, name, flags, Mode::from_raw_mode(0o600));
        let file = File::from(file.map_err(|error| told(error.into()))?);
        let sha256 = self.copier.copy(walker, entry, &file, layer, path)?;
        own(&file, entry).map_err(told)?;
        attribute(&file, entry).map_err(told)?;
        let Some(sha256) = sha256 else { return Ok(()) };
        let inode = file.metadata().map_err(told)?.ino();
        self.note_executable(place.join(name), (inode, sha256, entry.meta.size))
    }

    fn count_bytes(&mut self, bytes: u64, path: &str) -> Result<(), Error> {
        self.counts.bytes = self.counts.bytes.saturating_add(bytes);
        if self.counts.bytes > self.limits.bytes {
            return Err(self.limit("bytes of files in a layer", self.limits.bytes, path));
        }
        Ok(())
    }

    /// Remembers an executable: inode, hash, bytes.
    fn note_executable(&mut self, path: String, one: (u64, Digest, u64)) -> Result<(), Error> {
        self.note_name(&path).map_err(|error| io_at(self.name, &path, error))?;
        if self.executables.len() >= MAX_EXECUTABLES {
            return Err(self.limit("executables in a layer", MAX_EXECUTABLES as u64, &path));
        }
        self.executables.insert(path, one);
        Ok(())
    }

    pub(super) fn hard_link(&mut self, place: &Place, name: &str, entry: &Entry) -> Result<(), Error> {
        let (path, layer) = (place.join(name), self.name);
        let told = |error: io::Error| io_at(layer, &path, error);
        let target = entry.target.as_str();
        let broken = |why: &str| {
            let why = format!("a hard link to {}, {why}", shown(target));
            Error::Layer { layer: layer.clone(), at: At::Entry(path.clone()), why }
        };
        let (dir, base) = target.rsplit_once('/').unwrap_or(("", target));
        let (max, steps) = (self.limits.path, self.limits.steps);
        let dir = self.beneath.followed(dir, max, steps).map_err(|error| told(error.into()))?;
        let found = dir.and_then(|dir| self.beneath.folder(&dir).ok());
        let Some(from) = found.filter(|_| !base.is_empty()) else {
            return Err(broken("which is not in this layer"));
        };
        let real = from.join(base);
        let kind = match self.beneath.file(&real) {
            Ok(file) => file.metadata().map_err(told)?.file_type(),
            Err(_) => return Err(broken("which is not in this layer")),
        };
        if !kind.is_file() && !kind.is_symlink() {
            return Err(broken("which is no file"));
        }
        if real == path {
            return Ok(());
        }
        self.clear(place, name).map_err(told)?;
        rustix::fs::linkat(&from, base, place, name, AtFlags::empty()).map_err(|error| told(error.into()))?;
        if kind.is_file() { self.describe_link(place, name, entry, &real) } else { Ok(()) }
    }

    /// Gives the file that a link is another name of the owner, mode and time that the link says: it is what Docker, podman and
    /// containerd do, and what the scanner tells.
    fn describe_link(&mut self, place: &Place, name: &str, entry: &Entry, target: &str) -> Result<(), Error> {
        let (path, layer) = (place.join(name), self.name);
        let told = |error: io::Error| io_at(layer, &path, error);
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let file =
            rustix::fs::openat(place, name, flags, Mode::empty()).map_err(|error| told(error.into()))?;
        let mut file = File::from(file);
        let meta = file.metadata().map_err(told)?;
        if (meta.uid(), meta.gid(), meta.mode() & 0o7777)
            != (entry.meta.uid, entry.meta.gid, entry.meta.mode & 0o7777)
        {
            own(&file, entry).map_err(told)?;
        }
        attribute(&file, entry).map_err(told)?;
        let mut known = self.executables.get(target).cloned();
        if known.is_none() && entry.meta.mode & 0o111 != 0 {
            // It was no executable by its own entry. What is read again counts again.
            self.count_bytes(meta.len(), &path)?;
            let sha256 = hash(&mut file).map_err(told)?;
            let one = (meta.ino(), sha256, meta.len());
            self.note_executable(target.to_owned(), one.clone())?;
            known = Some(one);
        }
        known.map_or(Ok(()), |one| self.note_executable(path, one))
    }

    pub(super) fn symlink(&mut self, place: &Place, name: &str, entry: &Entry) -> io::Result<()> {
        self.clear(place, name)?;
        rustix::fs::symlinkat(entry.target.as_str(), place, name)?;
        let (owner, group) = owner(entry);
        rustix::fs::chownat(place, name, Some(owner), Some(group), AtFlags::SYMLINK_NOFOLLOW)?;
        let times = times(entry.attributes.modified);
        Ok(rustix::fs::utimensat(place, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
    }

    pub(super) fn whiteout(&mut self, place: &Place, name: &str, hidden: &str) -> Result<(), Error> {
        let path = place.join(name);
        let told = |error: io::Error| io_at(self.name, &path, error);
        if name == OPAQUE {
            // overlayfs never looks at the attribute of a layer's root: whoever stacks layers has to.
            self.counts.hides_all |= place.path.is_empty();
            let set = rustix::fs::fsetxattr(place, HIDES, b"y", XattrFlags::empty());
            return set.map_err(|error| told(error.into()));
        }
        if name.starts_with(AUFS) {
            return Ok(());
        }
        if matches!(hidden, "" | "." | "..") {
            let why = "a whiteout that hides nothing nameable".to_owned();
            return Err(Error::Layer { layer: self.name.clone(), at: At::Entry(path), why });
        }
        match rustix::fs::statat(place, hidden, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => hide(place, hidden).map_err(told),
            // What this layer has of that name stays, and hides what is below it.
            Ok(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let set = rustix::fs::openat(place, hidden, flags, Mode::empty())
                    .and_then(|folder| rustix::fs::fsetxattr(folder, HIDES, b"y", XattrFlags::empty()));
                set.map_err(|error| told(error.into()))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(told(error.into())),
        }
    }
}

/// What comes after owner and mode, whose change takes capabilities away.
fn attribute(file: &File, entry: &Entry) -> io::Result<()> {
    if let Some(capability) = &entry.attributes.capability {
        rustix::fs::fsetxattr(file, "security.capability", capability, XattrFlags::empty())?;
    }
    Ok(rustix::fs::futimens(file, &times(entry.attributes.modified))?)
}

/// The SHA-256 of all of a file.
fn hash(file: &mut File) -> io::Result<Digest> {
    let mut sum = Hasher::new(Algorithm::Sha256);
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(sum.finish()),
            read => sum.update(buffer.get(..read).unwrap_or_default()),
        }
    }
}
