//! One writer at a time. Readers wait for the moment of a commit, never for a download.

use std::fs::{self, File, TryLockError};
use std::path::Path;

use super::part;
use crate::Error;

/// Held while it lives.
pub(crate) struct Lock {
    _file: File,
}

/// For reading.
pub(crate) fn shared(raw: &Path) -> Result<Option<Lock>, Error> {
    let path = raw.join(COMMITS);
    // Where nothing was ever written there is nothing to wait for, and perhaps no right to make a file.
    let Ok(file) = File::open(&path) else { return Ok(None) };
    file.lock_shared().map_err(Error::io(&path))?;
    Ok(Some(Lock { _file: file }))
}

/// For the moment of a commit.
pub(crate) fn exclusive(raw: &Path) -> Result<Lock, Error> {
    let file = open(raw, COMMITS)?;
    file.lock().map_err(Error::io(raw))?;
    Ok(Lock { _file: file })
}

/// For a whole import or update: a second one is told to wait. What a killed one left behind is removed.
pub(crate) fn changing(raw: &Path) -> Result<Lock, Error> {
    let file = open(raw, CHANGES)?;
    match file.try_lock() {
        Ok(()) => {
            part::sweep(raw);
            Ok(Lock { _file: file })
        }
        Err(TryLockError::WouldBlock) => Err(Error::Busy { path: raw.to_owned() }),
        Err(TryLockError::Error(error)) => Err(Error::io(raw)(error)),
    }
}

const COMMITS: &str = ".lock";
const CHANGES: &str = ".change-lock";

fn open(raw: &Path, name: &str) -> Result<File, Error> {
    fs::create_dir_all(raw).map_err(Error::io(raw))?;
    let path = raw.join(name);
    File::options().create(true).truncate(false).write(true).open(&path).map_err(Error::io(&path))
}
