//! Vulnerability data in a folder: raw feeds as publishers made them, and the one snapshot built from all of them.
//!
//! ```text
//! DATA/feeds/raw/…      what was imported and fetched; a snapshot can always be built from it again
//! DATA/feeds/snapshot   what scans are matched with; only ever replaced whole, by a checked one
//! DATA/feeds/pulled/…   what somebody else published, as chunks
//! DATA/feeds/lock       held while feeds change
//! ```
//!
//! [`Feeds::publish`] puts what a snapshot is built from on a [`Shelf`], signed; [`Feeds::pull`] takes it from there and
//! fetches only what changed.

use std::{
    fs::{self, File, TryLockError},
    io::{self, BufWriter},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use boltseal_feed::{Fetched, Progress, Report as Imports, Sink, Stored, Update};
use boltseal_model::{Advisory, Enrichment, FeedInfo, SnapshotInfo, Timestamp};
use boltseal_scan::{
    Builder, Snapshot,
    pack::{PackError, Packer},
};

use crate::Error;

mod note;
mod publish;
mod pull;
mod shelf;

pub use note::AnnouncementError;
pub use publish::Published;
pub use pull::{Pull, Pulled};
pub use shelf::{ARTIFACT_TYPE, Artifact, Folder, Press, Shelf, ShelfError};

/// The feeds of one data folder.
#[derive(Clone, Debug)]
pub struct Feeds {
    folder: PathBuf,
}

/// What is in the folder.
#[derive(Debug)]
pub struct Status {
    /// The snapshot in use, if there is one.
    pub snapshot: Option<SnapshotInfo>,
    /// Raw feeds, built into the snapshot or not yet.
    pub stored: Vec<Stored>,
}

/// What building a snapshot gave.
#[derive(Clone, Debug)]
pub struct Built {
    /// The snapshot that is now in use.
    pub snapshot: SnapshotInfo,
    /// Its size.
    pub bytes: u64,
    /// Records that made no sense: what, and why. The first few; [`Built::rejected`] counts all.
    pub examples: Vec<(String, String)>,
    /// How many records made no sense.
    pub rejected: u64,
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
            Ok(file) => Self::map(&file, &self.snapshot()).map(Some),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(io_error("cannot open", &self.snapshot())(source)),
        }
    }

    /// Changes whenever another snapshot is installed.
    pub fn stamp(&self) -> Option<Stamp> {
        let meta = fs::metadata(self.snapshot()).ok()?;
        Some(Stamp { inode: meta.ino(), changed: (meta.mtime(), meta.mtime_nsec()) })
    }

    /// Checks and keeps the feeds at `paths`. [`Feeds::build`] puts them to use.
    pub fn import(
        &self,
        paths: &[PathBuf],
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Imports, Error> {
        self.create()?;
        Ok(boltseal_feed::import(&self.raw(), paths, now, progress)?)
    }

    /// Fetches public feeds. [`Feeds::build`] puts them to use.
    pub fn update(
        &self,
        update: &Update,
        now: Timestamp,
        progress: &dyn Progress,
    ) -> Result<Vec<Fetched>, Error> {
        self.create()?;
        Ok(boltseal_feed::update(&self.raw(), update, now, progress)?)
    }

    /// What is there.
    pub fn status(&self) -> Result<Status, Error> {
        let snapshot = self.open()?.map(|snapshot| snapshot.info().clone());
        Ok(Status { snapshot, stored: boltseal_feed::list(&self.raw())? })
    }

    /// Makes a snapshot of all feeds, raw and pulled, and puts it to use: built beside the old one, checked, on disk,
    /// then renamed over it. Whatever goes wrong, the old one stays.
    pub fn build(&self, now: Timestamp) -> Result<Built, Error> {
        self.create()?;
        let _lock = self.lock()?;
        Ok(self.link(now, None, |records| self.fill(records))?.0)
    }

    /// Everything that is here.
    fn fill(&self, records: &mut Records) -> Result<(), Error> {
        boltseal_feed::read_all(&self.raw(), records)?;
        self.read_pulled(records)
    }

    /// Makes a snapshot of what `bring` brings and puts it to use. The caller holds the lock.
    fn link(
        &self,
        built: Timestamp,
        packer: Option<Packer>,
        bring: impl FnOnce(&mut Records) -> Result<(), Error>,
    ) -> Result<(Built, Option<Packer>), Error> {
        let path = self.folder.join("snapshot.new"); // left by a crash, it is overwritten: the lock is ours
        let mut records =
            Records::new(Builder::in_folder(&self.folder).map_err(Self::broken(&path))?, packer);
        bring(&mut records)?;
        match records.failure {
            Some(Failure::Snapshot(source)) => return Err(Self::broken(&path)(source)),
            Some(Failure::Pack(source)) => {
                return Err(Error::Pack { place: path.display().to_string(), source });
            }
            None => {}
        }
        if records.feeds == 0 {
            return Err(Error::NoFeeds { path: self.raw() });
        }
        let file = File::create(&path).map_err(io_error("cannot create", &path))?;
        let mut out = BufWriter::with_capacity(1 << 20, file);
        records.builder.finish(built, &mut out).map_err(Self::broken(&path))?;
        let file = out.into_inner().map_err(|wrong| io_error("cannot write", &path)(wrong.into_error()))?;
        file.sync_all().map_err(io_error("cannot write", &path))?;
        let snapshot = self.install(&path)?;
        let bytes = file.metadata().map_err(io_error("cannot read", &path))?.len();
        let built = Built { snapshot, bytes, examples: records.examples, rejected: records.rejected };
        Ok((built, records.packer))
    }

    /// Checks every hash of the snapshot at `path` and puts it to use, unless something is wrong with it.
    fn install(&self, path: &Path) -> Result<SnapshotInfo, Error> {
        let file = File::open(path).map_err(io_error("cannot open", path))?;
        let snapshot = Self::map(&file, path)?;
        snapshot.verify().map_err(Self::broken(path))?;
        fs::rename(path, self.snapshot()).map_err(io_error("cannot install", path))?;
        let folder = File::open(&self.folder).map_err(io_error("cannot open", &self.folder))?;
        folder.sync_all().map_err(io_error("cannot write", &self.folder))?;
        Ok(snapshot.info().clone())
    }

    fn map(file: &File, path: &Path) -> Result<Snapshot, Error> {
        let map = boltseal_sys::map(file).map_err(io_error("cannot map", path))?;
        Snapshot::open(map).map_err(Self::broken(path))
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

    fn broken(path: &Path) -> impl Fn(boltseal_scan::Error) -> Error + use<> {
        let path = path.to_owned();
        move |source| Error::Snapshot { path: path.clone(), source }
    }
}

/// Hands records on to a builder, and to a packer if there is one, and remembers what was wrong.
struct Records {
    builder: Builder,
    packer: Option<Packer>,
    feeds: usize,
    rejected: u64,
    examples: Vec<(String, String)>,
    failure: Option<Failure>,
}

enum Failure {
    Snapshot(boltseal_scan::Error),
    Pack(PackError),
}

impl Records {
    /// Rejected records that are worth naming; thousands tell no more.
    const EXAMPLES: usize = 10;

    fn new(builder: Builder, packer: Option<Packer>) -> Self {
        Self { builder, packer, feeds: 0, rejected: 0, examples: Vec::new(), failure: None }
    }

    fn take(&mut self, advisory: Advisory) {
        if self.failure.is_some() {
            return;
        }
        if let Some(packer) = &mut self.packer {
            self.failure = packer.advisory(advisory.clone()).err().map(Failure::Pack);
        }
        let added = self.builder.advisory(advisory).err().map(Failure::Snapshot);
        self.failure = self.failure.take().or(added);
    }

    fn enrich(&mut self, enrichment: Enrichment) {
        if let Some(packer) = &mut self.packer {
            let added = packer.enrichment(enrichment.clone()).err().map(Failure::Pack);
            self.failure = self.failure.take().or(added);
        }
        self.builder.enrichment(enrichment);
    }

    fn begin(&mut self, mut feed: FeedInfo) {
        self.feeds += 1;
        if let Some(packer) = &mut self.packer {
            // In which folder the publisher keeps a file is nobody else's business.
            if let Some(name) = Path::new(&feed.source).file_name().filter(|_| feed.source.starts_with('/')) {
                feed.source = name.to_string_lossy().into_owned();
            }
            packer.feed(feed.clone());
        }
        self.builder.feed(feed);
    }
}

impl Sink for Records {
    fn advisory(&mut self, advisory: Advisory) {
        self.take(advisory);
    }

    fn enrichment(&mut self, enrichment: Enrichment) {
        self.enrich(enrichment);
    }

    fn feed(&mut self, feed: FeedInfo) {
        self.begin(feed);
    }

    fn rejected(&mut self, what: &str, why: &str) {
        self.rejected += 1;
        if self.examples.len() < Self::EXAMPLES {
            self.examples.push((what.to_owned(), why.to_owned()));
        }
    }
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl Fn(io::Error) -> Error + 'a {
    move |source| Error::Io { what, path: path.to_owned(), source }
}
