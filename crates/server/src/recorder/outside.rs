//! A log as whoever may read the data folder sees it: nothing is written, and a server may be running on the folder.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use boltseal_audit::log::{Anchor, Folder, Reader, Rollback, Signer, Verifier};

use super::{Error, archive, check};

/// A log that is only looked at.
#[derive(Debug)]
pub struct Outside {
    reader: Reader<Folder>,
    anchor: PathBuf,
}

impl Outside {
    /// The log in the data folder `data`, whose anchor is in `anchors`. The public key comes from the private one beside
    /// the log, unless it is given. `None` where there is no log, or no key for it.
    pub fn open(data: &Path, anchors: &Path, key: Option<Verifier>) -> Result<Option<Self>, Error> {
        let folder = data.join(check::FOLDER);
        // `Folder::open` makes what is missing.
        if !folder.is_dir() {
            return Ok(None);
        }
        let key = match key {
            Some(key) => Some(key),
            None => Signer::read(&data.join("keys").join("audit"))?.map(|signer| signer.verifier().clone()),
        };
        let Some(key) = key else { return Ok(None) };
        let anchor = check::anchor(anchors, &key);
        let storage = Folder::open(&folder).map_err(|wrong| Error::file(&folder, wrong))?;
        Ok(Some(Self { reader: Reader::new(storage, key).archived(archive::mark(data)?.first), anchor }))
    }

    /// Reads what is sealed.
    pub const fn reader(&self) -> &Reader<Folder> {
        &self.reader
    }

    /// Whether the log continues what is remembered of it, and how many entries that were; `None` where nothing is
    /// remembered.
    pub fn check_anchor(&self) -> Result<Option<u64>, Error> {
        let bytes = match fs::read(&self.anchor) {
            Ok(bytes) => bytes,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(wrong) => return Err(Error::file(&self.anchor, wrong)),
        };
        let anchor = Anchor::open(&bytes, self.reader.verifier())
            .map_err(|wrong| Error::Broken(format!("{}: {wrong}", self.anchor.display())))?;
        match anchor.check(&self.reader) {
            Ok(()) => Ok(Some(anchor.checkpoint().size)),
            Err(source @ (Rollback::Inconsistent(_) | Rollback::Unreadable(_))) => {
                Err(Error::Rollback { anchor: self.anchor.clone(), source })
            }
        }
    }
}
