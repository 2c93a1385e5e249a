//! What is remembered of a layer besides its files.

use std::{
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
};

use boltseal_model::Digest;
use boltseal_sys::Beneath;
use serde::{Deserialize, Serialize};

use crate::Error;

/// The name of the file, beside the layer's root.
const NAME: &str = "index.json";
/// Bytes of it: a million executables with long names. It is written by us alone, so more is damage.
const MAX_BYTES: u64 = 1 << 30;

/// What was found while a layer was unpacked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Of the layer's archive.
    pub diff_id: Digest,
    /// Entries of the archive.
    pub entries: u64,
    /// Bytes of the archive.
    pub bytes: u64,
    /// Devices, pipes and what else is neither file, folder nor link. They are not made, and hide what is below them.
    pub devices: u64,
    /// Entries behind links that lead in circles, which no container could open either. They are left out.
    pub lost: u64,
    /// Names that are not UTF-8, and therefore written with replacement characters.
    pub renamed: u64,
    /// Whether nothing of the layers below is to be seen.
    pub hides_all: bool,
    /// Folders that the archive has no entry for: owner, mode and time are those of the layers below. The root is `""`.
    pub implied: Vec<String>,
    /// What can be executed, in the order of paths.
    pub executables: Vec<Executable>,
}

/// A regular file that has an x bit or begins as an ELF file.
///
/// Inode and time of change tell in a lookup whether a file that is executed is this one, unchanged since it was unpacked:
/// whoever writes to it, replaces it, renames it or links it changes one of them, and no call of Linux sets them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Executable {
    /// In the layer, without a slash in front.
    pub path: String,
    /// `st_ino`
    pub inode: u64,
    /// `st_ctime`: seconds since 1970, and nanoseconds.
    pub changed: (i64, u32),
    /// Of its content.
    pub sha256: Digest,
    /// Its bytes.
    pub size: u64,
}

impl Index {
    /// The same of a copy of the layer, whose files have other inodes and other times. A file that the copy lacks is an error.
    pub fn of_copy(&self, root: &Path) -> Result<Self, Error> {
        let failed = |path: &str, source| Error::io(format!("{} in {}", path, root.display()), source);
        let mut beneath = Beneath::new(root).map_err(|source| failed("the root", source))?;
        let mut copy = self.clone();
        for one in &mut copy.executables {
            let file = beneath.file(&one.path).map_err(io::Error::from);
            let meta = file.and_then(|file| file.metadata()).map_err(|source| failed(&one.path, source))?;
            one.inode = meta.ino();
            one.changed = (meta.ctime(), u32::try_from(meta.ctime_nsec()).unwrap_or(0));
        }
        Ok(copy)
    }

    /// Writes it into the folder of a layer.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let mut file = io::BufWriter::new(File::create_new(folder.join(NAME))?);
        serde_json::to_writer(&mut file, self)?;
        file.flush()
    }

    /// Reads it from there.
    pub(super) fn read(folder: &Path) -> Result<Self, Error> {
        let path = folder.join(NAME);
        let what = || path.display().to_string();
        let length = fs::metadata(&path).map_err(|source| Error::io(what(), source))?.len();
        if length > MAX_BYTES {
            return Err(Error::malformed(what(), format!("larger than {MAX_BYTES} bytes")));
        }
        let bytes = fs::read(&path).map_err(|source| Error::io(what(), source))?;
        serde_json::from_slice(&bytes).map_err(|error| Error::malformed(what(), error))
    }
}
