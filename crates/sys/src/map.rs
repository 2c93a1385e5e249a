//! Files as memory, for reading only: mmap(2).
#![expect(
    unsafe_code,
    reason = "mapping a file is unsafe in Rust because another process may change it; no safe call reads \
              pages lazily and shares them between processes, which is what opens a snapshot in microseconds"
)]

use std::{fmt, fs::File, io};

/// A file as bytes. Unmapped when dropped; the file itself may be closed, renamed over or deleted meanwhile.
pub struct Map(Option<memmap2::Mmap>);

/// Maps the whole of `file`, private and read-only. An empty file gives an empty map.
///
/// The caller promises by convention what the kernel cannot enforce: files that are mapped are replaced by renaming
/// a new one over them, never written or truncated in place. Whoever breaks that can make reads return other bytes
/// (our readers check every offset, so they answer with an error) or kill the process (SIGBUS on a truncated page).
pub fn map(file: &File) -> io::Result<Map> {
    if file.metadata()?.len() == 0 {
        return Ok(Map(None)); // mmap(2) refuses a length of zero
    }
    // SAFETY: the mapping is private and read-only, so this process cannot write through it, and `Mmap` keeps it
    // alive as long as any borrow of its bytes. What remains is a foreign process changing the file in place;
    // Boltseal's own files are only ever replaced by rename(2), which leaves the mapped inode untouched.
    let map = unsafe { memmap2::MmapOptions::new().map_copy_read_only(file)? };
    Ok(Map(Some(map)))
}

impl AsRef<[u8]> for Map {
    fn as_ref(&self) -> &[u8] {
        self.0.as_deref().unwrap_or_default()
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Map({} bytes)", self.as_ref().len())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn outlives_the_file_and_its_name() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"numbered steel pin").unwrap();
        let map = map(file.as_file()).unwrap();
        file.close().unwrap();
        assert_eq!(map.as_ref(), b"numbered steel pin");
    }

    #[test]
    fn empty_files_and_folders() {
        assert!(map(&tempfile::tempfile().unwrap()).unwrap().as_ref().is_empty());
        assert!(map(&File::open(std::env::temp_dir()).unwrap()).is_err());
    }
}
