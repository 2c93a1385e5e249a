//! Writing one part: compressed, hashed, durable, and named by its content.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use boltseal_model::{Algorithm, Digest, Hasher};
use tempfile::NamedTempFile;

use super::{clean, folder, sync};
use crate::Error;

/// Fast, and already a fifth of the JSON.
const LEVEL: i32 = 3;

/// How names of parts begin that are still being written.
const UNFINISHED: &str = ".part-";

/// A part on its way to disk; gone when dropped.
pub(crate) struct Writer {
    encoder: zstd::Encoder<'static, Hashing>,
}

struct Hashing {
    file: BufWriter<NamedTempFile>,
    hasher: Hasher,
}

impl Write for Hashing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.encoder.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.encoder.flush()
    }
}

impl Writer {
    /// A new part of some feed in the folder `raw`.
    pub(crate) fn new(raw: &Path) -> Result<Self, Error> {
        fs::create_dir_all(raw).map_err(Error::io(raw))?;
        let file = tempfile::Builder::new().prefix(UNFINISHED).tempfile_in(raw).map_err(Error::io(raw))?;
        let hashing = Hashing { file: BufWriter::new(file), hasher: Hasher::new(Algorithm::Sha256) };
        let mut encoder = zstd::Encoder::new(hashing, LEVEL).map_err(Error::io(raw))?;
        encoder.include_checksum(true).map_err(Error::io(raw))?;
        Ok(Self { encoder })
    }

    /// Puts it durably into the folder of the feed `id`; gives its file name and digest.
    pub(crate) fn finish(self, raw: &Path, id: &str, name: &str) -> Result<(String, Digest), Error> {
        let folder = folder(raw, id);
        fs::create_dir_all(&folder).map_err(Error::io(&folder))?;
        let Hashing { file, hasher } = self.encoder.finish().map_err(Error::io(&folder))?;
        let file = file.into_inner().map_err(|error| Error::io(&folder)(error.into_error()))?;
        file.as_file().sync_all().map_err(Error::io(&folder))?;
        let digest = hasher.finish();
        let name = format!("{}-{}.zst", clean(name), digest.short());
        file.persist(folder.join(&name)).map_err(|error| Error::io(&folder)(error.error))?;
        sync(&folder)?;
        Ok((name, digest))
    }
}

/// Removes parts that nobody will finish. The caller knows that nobody is writing one.
pub(super) fn sweep(raw: &Path) {
    for entry in fs::read_dir(raw).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            // Left over it does no harm but takes room; the next job tries again.
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether a file of that name is a part.
pub(super) fn is_part(name: &str) -> bool {
    Path::new(name).extension().is_some_and(|extension| extension == "zst")
}
