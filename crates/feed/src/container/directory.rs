//! How many entries a zip archive says it has, before anything is allocated for them.
//!
//! Source: APPNOTE 4.3.16 (end of central directory) and 4.3.14 (its 64-bit form).

use std::io::{self, Read, Seek, SeekFrom};

/// The end record has 22 bytes and a comment of at most 65,535; before it stands the locator of the 64-bit form.
const TAIL_BYTES: u64 = 22 + 65_535 + 20;

/// The number of entries; an error where there is no end record, as in a file that was cut off.
pub(super) fn entries(file: &mut (impl Read + Seek)) -> io::Result<u64> {
    let size = file.seek(SeekFrom::End(0))?;
    let start = size.saturating_sub(TAIL_BYTES);
    file.seek(SeekFrom::Start(start))?;
    let mut tail = Vec::new();
    file.by_ref().take(TAIL_BYTES).read_to_end(&mut tail)?;
    let Some(at) =
        (0..tail.len()).rev().find(|&at| tail.get(at..).is_some_and(|end| end.starts_with(b"PK\x05\x06")))
    else {
        file.rewind()?;
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "no end of the central directory; the file is cut off",
        ));
    };
    let count = number::<2>(&tail, at + 10).unwrap_or(0);
    let mut entries = count;
    if count == 0xffff
        && let Some(locator) = at.checked_sub(20)
        && tail.get(locator..locator + 4) == Some(b"PK\x06\x07")
    {
        let offset = number::<8>(&tail, locator + 8).unwrap_or(u64::MAX);
        if offset < size {
            let mut record = Vec::new();
            file.seek(SeekFrom::Start(offset))?;
            file.by_ref().take(56).read_to_end(&mut record)?;
            entries = number::<8>(&record, 32).unwrap_or(count);
        }
    }
    file.rewind()?;
    Ok(entries)
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> Option<u64> {
    let mut wide = [0; 8];
    wide.get_mut(..N)?.copy_from_slice(bytes.get(at..at + N)?);
    Some(u64::from_le_bytes(wide))
}
