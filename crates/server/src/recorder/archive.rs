//! Retention: bundles of old entries are moved out of the log's folder, whole, and nothing is ever written anew.
//!
//! The hashes of all entries stay, so the tree is the same, old proofs hold, and verification says how many entries it
//! could not read. What was moved lies at the same paths in `audit-archive/`, and can be checked against the log at any
//! time; those files may be taken elsewhere. The file `first` beside them stays: it says what is not to be missed.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
    sync::PoisonError,
    sync::atomic::Ordering,
};

use boltseal_audit::{
    Record,
    log::{Kind, TILE_WIDTH, Tile},
};

use super::{Error, Inner, Recorder, write_private};

/// The archive's folder in the data folder.
const FOLDER: &str = "audit-archive";
/// In it: the first entry that was not archived, and whether moving is under way.
const FIRST: &str = "first";
/// Ends the file while bundles are being moved.
const MOVING: &str = "moving";
/// Bytes of that file: a number and a word.
const MAX_MARK: u64 = 64;
/// Entries of a bundle.
const BUNDLE: u64 = TILE_WIDTH as u64;

/// What the archive says of itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// The first entry that was not archived.
    pub(super) first: u64,
    /// Whether a crash may have left bundles to be moved.
    pub(super) moving: bool,
}

/// Reads the mark in the data folder.
pub(super) fn mark(data: &Path) -> Result<Mark, Error> {
    let path = data.join(FOLDER).join(FIRST);
    let mut text = String::new();
    match File::open(&path) {
        Ok(file) => file.take(MAX_MARK).read_to_string(&mut text),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Mark::default()),
        Err(wrong) => Err(wrong),
    }
    .map_err(|wrong| Error::file(&path, wrong))?;
    let (number, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let first = number.parse().ok().filter(|first| first % BUNDLE == 0);
    let damaged =
        || Error::file(&path, io::Error::new(io::ErrorKind::InvalidData, "no number of a bundle's entry"));
    Ok(Mark { first: first.ok_or_else(damaged)?, moving: rest == MOVING })
}

impl Recorder {
    /// The first entry that is still kept here; those before it were archived.
    pub fn archived(&self) -> u64 {
        self.0.archived.load(Ordering::Acquire)
    }

    /// Archives the entries before `before`, as far as they fill bundles and are sealed, and says which is the first
    /// that is left. `record` tells of it, and is durable before anything is moved.
    pub(crate) async fn archive(&self, before: u64, record: Record) -> Result<u64, Error> {
        let first = before.min(self.size()) / BUNDLE * BUNDLE;
        let known = self.archived();
        if first <= known {
            return Ok(known);
        }
        let record = record.detail("before", first).detail("archived_before", known);
        self.0.facts.append(vec![record.entry()]).await.map_err(Error::facts)?;
        self.blocking("archiving", move |this| this.0.move_before(first)).await
    }

    /// Moves what a crash left.
    pub(super) fn finish_archiving(&self, mark: Mark) -> Result<(), Error> {
        if mark.moving { self.0.move_before(mark.first).map(drop) } else { Ok(()) }
    }
}

impl Inner {
    fn move_before(&self, first: u64) -> Result<u64, Error> {
        let _one_at_a_time = self.archiving.lock().unwrap_or_else(PoisonError::into_inner);
        let archive = self.folder.with_file_name(FOLDER);
        let mark = archive.join(FIRST);
        let note =
            |text: String| write_private(&mark, text.as_bytes()).map_err(|wrong| Error::file(&mark, wrong));
        // From here on nobody misses them, wherever they are.
        note(format!("{first} {MOVING}\n"))?;
        self.archived.fetch_max(first, Ordering::AcqRel);
        let mut changed = BTreeSet::new();
        for number in 0..first / BUNDLE {
            let tile = Tile { kind: Kind::Entries, index: number, width: TILE_WIDTH }.to_string();
            let (from, to) = (self.folder.join(&tile), archive.join(&tile));
            shift(&from, &to, &mut changed).map_err(|wrong| Error::file(&from, wrong))?;
        }
        for folder in changed {
            File::open(&folder)
                .and_then(|folder| folder.sync_all())
                .map_err(|wrong| Error::file(&folder, wrong))?;
        }
        note(format!("{first}\n"))?;
        Ok(first)
    }
}

/// Moves a file, also to another disk. One that was moved before is fine.
fn shift(from: &Path, to: &Path, changed: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let folders = [from.parent(), to.parent()].into_iter().flatten();
    if let Some(folder) = to.parent()
        && !changed.contains(folder)
    {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match fs::rename(from, to) {
        Ok(()) => {}
        Err(missing) if missing.kind() == io::ErrorKind::NotFound && to.exists() => return Ok(()),
        Err(other) if other.kind() == io::ErrorKind::CrossesDevices => {
            let bytes = fs::read(from)?;
            write_private(to, &bytes)?;
            fs::remove_file(from)?;
        }
        Err(wrong) => return Err(wrong),
    }
    changed.extend(folders.map(Path::to_owned));
    Ok(())
}
