//! The key that seals tokens, and the one before it.

use std::{fs, io, path::Path};

use boltseal_identity::{Keys, RootKey};
use zeroize::Zeroizing;

use super::Error;
use crate::recorder::write_private;

/// Reads the key at `path`, or makes one. `path.old`, if it is there, still opens what it sealed.
pub(super) fn open(path: &Path) -> Result<Keys, Error> {
    let key = if let Some(key) = read(path)? {
        key
    } else {
        let key = RootKey::generate().map_err(|_| Error::Randomness)?;
        write_private(path, key.expose()).map_err(|wrong| unusable(path, &wrong))?;
        key
    };
    let old = read(&path.with_extension("old"))?;
    Keys::new(&key, old.as_ref()).map_err(|wrong| unusable(path, &wrong))
}

fn read(path: &Path) -> Result<Option<RootKey>, Error> {
    let bytes = match fs::read(path) {
        Ok(bytes) => Zeroizing::new(bytes),
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(wrong) => return Err(unusable(path, &wrong)),
    };
    let bytes =
        <[u8; 32]>::try_from(bytes.as_slice()).map_err(|_| unusable(path, &"it must have 32 bytes"))?;
    Ok(Some(RootKey::new(bytes)))
}

fn unusable(path: &Path, why: &dyn std::fmt::Display) -> Error {
    Error::Key { path: path.to_owned(), why: why.to_string() }
}
