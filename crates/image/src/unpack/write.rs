//! Entries of an archive, written beneath a root.
//!
//! The rules are those of [`crate::overlay`], so that what runs is what was scanned; here they end in files of overlayfs: a
//! whiteout is a character device 0:0, a folder that hides what is below it has `trusted.overlay.opaque`.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    os::{
        fd::AsFd,
        unix::fs::{FileTypeExt as _, MetadataExt as _},
    },
    path::Path,
};

use boltseal_model::Digest;
use boltseal_sys::{Beneath, Place};
use rustix::{
    fs::{FileType, Gid, Mode, Timespec, Timestamps, Uid},
    io::Errno,
};

use super::{Executable, content::Copier};
use crate::{
    At, Error, LayerName, Limits,
    error::shown,
    tar::{Entry, Kind, Source, Walker},
};

const WHITEOUT: &str = ".wh.";

/// Writes one layer.
pub struct Writer<'a> {
    pub(super) limits: &'a Limits,
    pub(super) name: &'a LayerName,
    pub(super) beneath: Beneath,
    pub(super) copier: Copier,
    /// The folder of the entry before, by its path as written: entries mostly come folder by folder.
    pub(super) parent: Option<(String, Place)>,
    /// When folders were changed; set at the end, since what is put into them changes it.
    pub(super) folders: BTreeMap<String, (i64, u32)>,
    pub(super) implied: BTreeSet<String>,
    /// By path: inode, hash, bytes.
    pub(super) executables: BTreeMap<String, (u64, Digest, u64)>,
    /// Bytes of their paths and of those of folders.
    pub(super) names: u64,
    pub(super) counts: Counts,
}

/// What was left out or happened to the whole.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub entries: u64,
    pub devices: u64,
    pub lost: u64,
    pub renamed: u64,
    pub hides_all: bool,
    /// Bytes that files will have, holes included.
    pub bytes: u64,
}

/// What was written.
pub struct Written {
    pub counts: Counts,
    pub implied: Vec<String>,
    pub executables: Vec<Executable>,
}

impl<'a> Writer<'a> {
    /// Into the empty folder `root`.
    pub fn new(root: &Path, name: &'a LayerName, limits: &'a Limits) -> io::Result<Self> {
        Ok(Self {
            limits,
            name,
            beneath: Beneath::new(root)?,
            copier: Copier::new(),
            parent: None,
            folders: BTreeMap::new(),
            implied: BTreeSet::from([String::new()]),
            executables: BTreeMap::new(),
            names: 0,
            counts: Counts::default(),
        })
    }

    /// Writes all entries of `walker`; `before` headers were read of other layers.
    pub fn write<S: Source>(mut self, walker: &mut Walker<'_, S>, before: u64) -> Result<Written, Error> {
        while let Some(mut entry) = walker.next().map_err(|error| error.of_layer(self.name))? {
            if before + walker.headers() > self.limits.entries {
                return Err(self.limit("entries in the image", self.limits.entries, &entry.path));
            }
            if self.beneath.steps > self.limits.steps {
                return Err(self.limit(
                    "names looked at to find the place of entries",
                    self.limits.steps,
                    &entry.path,
                ));
            }
            self.counts.entries += 1;
            self.counts.renamed += u64::from(entry.path.contains(char::REPLACEMENT_CHARACTER));
            self.entry(walker, &mut entry)?;
        }
        self.finish()
    }

    fn entry<S: Source>(&mut self, walker: &mut Walker<'_, S>, entry: &mut Entry) -> Result<(), Error> {
        let path = std::mem::take(&mut entry.path);
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", &path));
        let failed = |source: Errno| io_at(self.name, &path, source.into());
        if name.is_empty() {
            let root = self.beneath.folder("").map_err(failed)?;
            return self
                .describe_folder(&root, entry, String::new())
                .map_err(|error| io_at(self.name, "/", error));
        }
        let Some(place) = self.place(dir).map_err(|error| io_at(self.name, &path, error))? else {
            self.counts.lost += 1;
            return Ok(());
        };
        if let Some(hidden) = name.strip_prefix(WHITEOUT) {
            return self.whiteout(&place, name, hidden);
        }
        let layer = self.name;
        let told = |error| io_at(layer, &path, error);
        match entry.kind {
            Kind::Directory => self.folder(&place, name, entry).map_err(told),
            Kind::File => self.file(walker, &place, name, entry, &path),
            Kind::HardLink => self.hard_link(&place, name, entry),
            Kind::Symlink => self.symlink(&place, name, entry).map_err(told),
            Kind::Other => {
                self.counts.devices += 1;
                self.clear(&place, name).and_then(|_| hide(&place, name)).map_err(told)
            }
        }
    }

    fn finish(mut self) -> Result<Written, Error> {
        for (path, modified) in self.folders.iter().rev() {
            let set =
                self.beneath.folder(path).and_then(|place| rustix::fs::futimens(place, &times(*modified)));
            set.map_err(|error| io_at(self.name, path, error.into()))?;
        }
        let mut executables = Vec::with_capacity(self.executables.len());
        for (path, (inode, sha256, size)) in self.executables {
            // Links change the time, so it is read when all is done.
            let file = self.beneath.file(&path).map_err(|error| io_at(self.name, &path, error.into()))?;
            let meta = file.metadata().map_err(|error| io_at(self.name, &path, error))?;
            if meta.ino() != inode || meta.file_type().is_char_device() {
                continue;
            }
            let changed = (meta.ctime(), u32::try_from(meta.ctime_nsec()).unwrap_or(0));
            executables.push(Executable { path, inode, changed, sha256, size });
        }
        Ok(Written { counts: self.counts, implied: self.implied.into_iter().collect(), executables })
    }

    /// Counts the bytes of a name that is remembered.
    pub(super) fn note_name(&mut self, path: &str) -> io::Result<()> {
        self.names += path.len() as u64;
        if self.names > self.limits.names {
            let why = format!("more than {} bytes of names of folders and executables", self.limits.names);
            return Err(io::Error::other(why));
        }
        Ok(())
    }

    pub(super) fn limit(&self, what: &'static str, limit: u64, path: &str) -> Error {
        Error::Limit { layer: self.name.clone(), at: At::Entry(path.to_owned()), what, limit }
    }
}

/// Gives a file or folder its owner and mode, in this order: a change of owner takes setuid bits away.
///
/// Setuid bits are kept, so that an image is what it says. They do no harm: nobody but root gets into the store, and
/// containers mount layers `nosuid` with `no_new_privs` set.
pub(super) fn own(file: impl AsFd, entry: &Entry) -> io::Result<()> {
    let (owner, group) = owner(entry);
    rustix::fs::fchown(&file, Some(owner), Some(group))?;
    Ok(rustix::fs::fchmod(&file, Mode::from_raw_mode(entry.meta.mode & 0o7777))?)
}

pub(super) fn owner(entry: &Entry) -> (Uid, Gid) {
    (Uid::from_raw(entry.meta.uid), Gid::from_raw(entry.meta.gid))
}

pub(super) fn times((seconds, nanoseconds): (i64, u32)) -> Timestamps {
    let time = Timespec { tv_sec: seconds, tv_nsec: nanoseconds.into() };
    Timestamps { last_access: time, last_modification: time }
}

/// Hides what the layers below have at `name`.
pub(super) fn hide(place: &Place, name: &str) -> io::Result<()> {
    Ok(rustix::fs::mknodat(place, name, FileType::CharacterDevice, Mode::empty(), 0)?)
}

/// What the system says, with the place.
pub fn io_at(layer: &LayerName, path: &str, source: io::Error) -> Error {
    Error::io(format!("layer {layer}, entry {}", shown(path)), source)
}
