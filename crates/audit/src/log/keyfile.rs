//! Keys in files that only their owner may read: the name in the first line, the PKCS#8 document after it.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use super::key::{Cosigner, KeyError, Signer};

/// A name, a line end and a PKCS#8 key of 83 bytes; a larger file is something else.
const MAX_FILE: u64 = 4096;

/// Why a file has no key.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It cannot be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What is in it is no key, or none could be made.
    #[error("{path}: {source}")]
    Key {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyError,
    },
}

impl KeyFileError {
    fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    fn key(path: &Path) -> impl FnOnce(KeyError) -> Self {
        move |source| Self::Key { path: path.to_owned(), source }
    }
}

impl Signer {
    /// Reads the key at `path`; `None` where there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyFileError> {
        read(path, Self::from_pkcs8)
    }

    /// Makes a key and keeps it at `path`, on disk before anything is signed with it.
    pub fn make(path: &Path, name: &str) -> Result<Self, KeyFileError> {
        let key = Self::generate(name).map_err(KeyFileError::key(path))?;
        write(path, name, &key.to_pkcs8().map_err(KeyFileError::key(path))?)?;
        Ok(key)
    }
}

impl Cosigner {
    /// Reads the key at `path`, or makes one and keeps it there.
    pub fn read_or_make(path: &Path, name: &str) -> Result<Self, KeyFileError> {
        if let Some(key) = read(path, Self::from_pkcs8)? {
            return Ok(key);
        }
        let key = Self::generate(name).map_err(KeyFileError::key(path))?;
        write(path, name, &key.to_pkcs8().map_err(KeyFileError::key(path))?)?;
        Ok(key)
    }
}

/// Writes a file that only its owner may read, whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let fresh = path.with_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}

fn read<K>(
    path: &Path,
    key: impl FnOnce(&str, &[u8]) -> Result<K, KeyError>,
) -> Result<Option<K>, KeyFileError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(wrong) => return Err(KeyFileError::io(path)(wrong)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(KeyFileError::io(path))?;
    let damaged =
        || KeyFileError::io(path)(io::Error::new(io::ErrorKind::InvalidData, "this is not the key of a log"));
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
    let (name, document) = bytes.split_at_checked(end).ok_or_else(damaged)?;
    let name = std::str::from_utf8(name).map_err(|_| damaged())?;
    key(name, document.get(1..).unwrap_or_default()).map(Some).map_err(KeyFileError::key(path))
}

fn write(path: &Path, name: &str, document: &[u8]) -> Result<(), KeyFileError> {
    let mut bytes = Zeroizing::new(format!("{name}\n").into_bytes());
    bytes.extend_from_slice(document);
    write_private(path, &bytes).map_err(KeyFileError::io(path))
}
