//! Archives: each regular file in them is a document.

use std::io::{BufRead, Read, Seek};

use super::{Each, Found, directory, opened, peek, stem};
use crate::{Error, limits};

/// Every file of a zip archive, in the order of its directory.
pub(super) fn zip(name: &str, group: &str, mut file: impl Read + Seek, each: Each<'_>) -> Result<(), Error> {
    let broken = |name: &str, error: zip::result::ZipError| Error::broken(name, "zip", error);
    let entries = directory::entries(&mut file).map_err(|error| Error::broken(name, "zip", error))?;
    if entries > limits::MAX_ARCHIVE_ENTRIES {
        return Err(Error::limit(
            name,
            format!("its number of entries, {entries},"),
            limits::MAX_ARCHIVE_ENTRIES,
        ));
    }
    let mut archive = zip::ZipArchive::new(file).map_err(|error| broken(name, error))?;
    let mut total = 0;
    for at in 0..archive.len() {
        let entry = archive.by_index(at).map_err(|error| broken(name, error))?;
        if !entry.is_file() {
            continue;
        }
        let inner = shown(name, &String::from_utf8_lossy(entry.name_raw()));
        let (size, packed) = (entry.size(), entry.compressed_size());
        if size > limits::RATIO_FREE_BYTES && size / packed.max(1) > limits::MAX_RATIO {
            return Err(Error::limit(
                &inner,
                "the ratio of its size to its compressed size",
                limits::MAX_RATIO,
            ));
        }
        // The header may lie about the size; the reader counts for itself.
        total += document(&inner, group.to_owned(), entry, each)?;
        within(name, total)?;
    }
    Ok(())
}

/// Every file of a tar archive, in its order.
pub(super) fn tar(name: &str, group: &str, input: &mut dyn BufRead, each: Each<'_>) -> Result<(), Error> {
    let broken = |error: std::io::Error| super::bounded::of_io(name, error);
    let mut archive = tar::Archive::new(input);
    let mut total = 0;
    for (seen, entry) in archive.entries().map_err(broken)?.enumerate() {
        if seen as u64 >= limits::MAX_ARCHIVE_ENTRIES {
            return Err(Error::limit(name, "its number of entries", limits::MAX_ARCHIVE_ENTRIES));
        }
        let entry = entry.map_err(broken)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let inside = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let inside = inside.trim_start_matches("./");
        // Years divide one collection.
        let named = |folder: &&str| !folder.bytes().all(|byte| byte.is_ascii_digit());
        let folder =
            inside.split_once('/').map(|(folder, _)| folder).filter(named).unwrap_or(group).to_owned();
        total += document(&shown(name, inside), folder, entry, each)?;
        within(name, total)?;
    }
    Ok(())
}

/// Hands one entry on, and says how many bytes it had.
fn document(name: &str, group: String, entry: impl Read, each: Each<'_>) -> Result<u64, Error> {
    let (mut entry, count) = {
        let counted = super::bounded::Counted::new(entry);
        let count = counted.count();
        (counted, count)
    };
    {
        let (head, mut input) = peek(name, opened(name, &mut entry, limits::MAX_DOCUMENT_BYTES)?)?;
        each(Found { group, stem: stem(name), name: name.to_owned(), head: &head, input: &mut input })?;
        // To the end, so that the checksum is looked at whatever the reader wanted.
        std::io::copy(&mut input, &mut std::io::sink())
            .map_err(|error| super::bounded::of_io(name, error))?;
    }
    Ok(count.get())
}

fn within(name: &str, total: u64) -> Result<(), Error> {
    if total > limits::MAX_ARCHIVE_BYTES {
        return Err(Error::limit(name, "its size after decompression", limits::MAX_ARCHIVE_BYTES));
    }
    Ok(())
}

fn shown(archive: &str, inside: &str) -> String {
    let inside: String =
        inside.chars().map(|c| if c.is_control() { '?' } else { c }).take(limits::MAX_NAME_BYTES).collect();
    format!("{archive}/{inside}")
}
