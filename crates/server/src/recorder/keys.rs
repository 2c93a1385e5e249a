//! The keys that sign checkpoints, ours and as a witness, in files that only their owner may read.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
};

use boltseal_audit::log::{Cosigner, KeyError, Signer};
use zeroize::Zeroizing;

use super::Error;

/// A name, a line end and a PKCS#8 key of 83 bytes; a larger file is something else.
const MAX_FILE: u64 = 4096;

/// Reads the log's key at `path`.
pub(super) fn read(path: &Path) -> Result<Option<Signer>, Error> {
    read_as(path, Signer::from_pkcs8)
}

/// Makes a key and keeps it at `path`, on disk before anything is signed with it.
pub(super) fn make(path: &Path, origin: &str) -> Result<Signer, Error> {
    make_as(path, origin, Signer::generate, Signer::to_pkcs8)
}

/// Reads the key at `path` that cosigns other logs, or makes one.
pub(crate) fn cosigner(path: &Path, name: &str) -> Result<Cosigner, Error> {
    match read_as(path, Cosigner::from_pkcs8)? {
        Some(cosigner) => Ok(cosigner),
        None => make_as(path, name, Cosigner::generate, Cosigner::to_pkcs8),
    }
}

/// A key's name stands in the first line, its PKCS#8 document after it.
fn read_as<K>(
    path: &Path,
    read: impl FnOnce(&str, &[u8]) -> Result<K, KeyError>,
) -> Result<Option<K>, Error> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(wrong) => return Err(Error::file(path, wrong)),
    };
    let mut bytes = Zeroizing::new(Vec::new());
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|wrong| Error::file(path, wrong))?;
    let damaged =
        || Error::file(path, io::Error::new(io::ErrorKind::InvalidData, "this is not the key of a log"));
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(damaged)?;
    let (name, key) = bytes.split_at_checked(end).ok_or_else(damaged)?;
    let name = std::str::from_utf8(name).map_err(|_| damaged())?;
    let key = key.get(1..).unwrap_or_default();
    read(name, key).map(Some).map_err(|source| Error::Key { path: path.to_owned(), source })
}

fn make_as<K>(
    path: &Path,
    name: &str,
    generate: impl FnOnce(&str) -> Result<K, KeyError>,
    export: impl FnOnce(&K) -> Result<Zeroizing<Vec<u8>>, KeyError>,
) -> Result<K, Error> {
    let wrong = |source| Error::Key { path: path.to_owned(), source };
    let key = generate(name).map_err(wrong)?;
    let mut bytes = Zeroizing::new(format!("{name}\n").into_bytes());
    bytes.extend_from_slice(&export(&key).map_err(wrong)?);
    write_private(path, &bytes).map_err(|wrong| Error::file(path, wrong))?;
    Ok(key)
}

/// Writes a file that only its owner may read, whole or not at all.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let fresh = path.with_extension("new");
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&fresh, path)?;
    File::open(folder)?.sync_all()
}
