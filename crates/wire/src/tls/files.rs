//! Private files, and the note that says when the server's certificate ends.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};

use super::Error;

/// Beside the certificate, so that nothing needs to parse it.
#[derive(Debug, Serialize, Deserialize)]
struct Note {
    names: Vec<String>,
    /// Seconds since 1970.
    ends: u64,
}

/// Creates a folder that only its owner can enter.
pub(super) fn private_folder(folder: &Path) -> Result<(), Error> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|source| failed("create", folder, source))
}

/// A text file; `None` when it does not exist.
pub(super) fn read(path: &Path) -> Result<Option<String>, Error> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(failed("read", path, source)),
    }
}

/// Writes a file that only its owner can read: all of it or nothing, also after a power cut.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Error> {
    let part = path.with_extension("part");
    let written = (|| {
        let _left_by_a_crash = fs::remove_file(&part);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&part, path)?;
        path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    })();
    written.map_err(|source| failed("write", path, source))
}

/// Writes down for whom the certificate is and when it ends.
pub(super) fn note(folder: &Path, names: &[String], life: Duration) -> Result<(), Error> {
    let path = folder.join("server.json");
    let note = Note { names: names.to_vec(), ends: seconds(SystemTime::now() + life) };
    let text = serde_json::to_string(&note).map_err(|e| failed("write", &path, e.into()))?;
    write(&path, &text)
}

/// Whether the certificate is for exactly these names and lasts at least `margin` longer.
pub(super) fn still_good(folder: &Path, names: &[String], margin: Duration) -> bool {
    let note = read(&folder.join("server.json")).ok().flatten();
    let note: Option<Note> = note.and_then(|text| serde_json::from_str(&text).ok());
    note.is_some_and(|note| note.names == names && note.ends > seconds(SystemTime::now() + margin))
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// 128 random bits, positive: browsers remember serial numbers, and two certificates must never share one.
pub(super) fn serial() -> [u8; 16] {
    let mut serial = [0; 16];
    if aws_lc_rs::rand::fill(&mut serial).is_err() {
        serial.copy_from_slice(
            &SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_nanos()).to_be_bytes(),
        );
    }
    serial[0] &= 0x7f;
    serial
}

fn failed(what: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File { what, path: path.to_owned(), source }
}
