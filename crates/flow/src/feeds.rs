//! Vulnerability data in a folder: raw feeds as publishers made them, and the one snapshot built from all of them.
//!
//! ```text
//! DATA/feeds/raw/…      what was imported and fetched; a snapshot can always be built from it again
//! DATA/feeds/snapshot   what scans are matched with; only ever replaced whole, by a checked one
//! DATA/feeds/lock       held while feeds change
//! ```

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter, Write as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use boltseal_model::SnapshotInfo;
use boltseal_scan::Snapshot;

use crate::Error;

/// The feeds of one data folder.
#[derive(Clone, Debug)]
pub struct Feeds {
    folder: PathBuf,
}

/// Tells one snapshot file from the next without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    inode: u64,
    changed: (i64, i64),
}

impl Feeds {
    /// Those below the data folder `data`, which need not exist.
    pub fn at(data: &Path) -> Self {
        Self { folder: data.join("feeds") }
    }

    /// Opens the snapshot by mapping it: microseconds, whatever its size. `None` where there is none yet.
    pub fn open(&self) -> Result<Option<Snapshot>, Error> {
        match File::open(self.snapshot()) {
            Ok(file) => self.map(&file, &self.snapshot()).map(Some),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io_error("cannot open", &self.snapshot())(source)),
        }
    }

    /// Changes whenever another snapshot is installed.
    pub fn stamp(&self) -> Option<Stamp> {
        let meta = fs::metadata(self.snapshot()).ok()?;
        Some(Stamp { inode: meta.ino(), changed: (meta.mtime(), meta.mtime_nsec()) })
    }

    /// Checks every hash of the snapshot at `path` and puts it to use, unless something is wrong with it.
    fn install(&self, path: &Path) -> Result<SnapshotInfo, Error> {
        let file = File::open(path).map_err(io_error("cannot open", path))?;
        let snapshot = self.map(&file, path)?;
        snapshot.verify().map_err(self.broken(path))?;
        fs::rename(path, self.snapshot()).map_err(io_error("cannot install", path))?;
        let folder = File::open(&self.folder).map_err(io_error("cannot open", &self.folder))?;
        folder.sync_all().map_err(io_error("cannot write", &self.folder))?;
        Ok(snapshot.info().clone())
    }

    fn map(&self, file: &File, path: &Path) -> Result<Snapshot, Error> {
        let map = boltseal_sys::map(file).map_err(io_error("cannot map", path))?;
        Snapshot::open(map).map_err(self.broken(path))
    }

    /// Held until the file is dropped, also by the kernel when the process dies.
    fn lock(&self) -> Result<File, Error> {
        let path = self.folder.join("lock");
        let file =
            File::options().append(true).create(true).open(&path).map_err(io_error("cannot open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => Err(Error::Busy { path: self.folder.clone() }),
            Err(TryLockError::Error(source)) => Err(io_error("cannot lock", &path)(source)),
        }
    }

    fn create(&self) -> Result<(), Error> {
        fs::create_dir_all(self.raw()).map_err(io_error("cannot create", &self.raw()))
    }

    fn raw(&self) -> PathBuf {
        self.folder.join("raw")
    }

    fn snapshot(&self) -> PathBuf {
        self.folder.join("snapshot")
    }

    fn broken(&self, path: &Path) -> impl Fn(boltseal_scan::Error) -> Error + use<> {
        let path = path.to_owned();
        move |source| Error::Snapshot { path: path.clone(), source }
    }
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl Fn(io::Error) -> Error + 'a {
    move |source| Error::Io { what, path: path.to_owned(), source }
}
