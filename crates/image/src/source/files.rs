//! Named files, in a folder or in an archive: what layouts are made of.

use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use crate::{Error, blobs::bounded};

/// A file being read, and its length.
pub type Opened<'f> = (Box<dyn Read + Send + 'f>, u64);

/// Opens files by name.
pub trait Files: Sync {
    /// The file `name` and its length, or `None` if there is none.
    fn open(&self, name: &str) -> Result<Option<Opened<'_>>, Error>;

    /// For messages.
    fn place(&self) -> String;

    /// The whole of the small file `name`.
    fn document(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, Error> {
        let what = format!("{} of {}", crate::error::shown(name), self.place());
        self.open(name)?.map(|(reader, _)| bounded(reader, limit, &what)).transpose()
    }
}

/// Files in a folder.
pub struct Folder(pub PathBuf);

impl Files for Folder {
    fn open(&self, name: &str) -> Result<Option<Opened<'_>>, Error> {
        Ok(open_regular(&self.0.join(name))?.map(|(file, length)| (Box::new(file) as Box<_>, length)))
    }

    fn place(&self) -> String {
        self.0.display().to_string()
    }
}

/// Opens a regular file; a pipe in its place would make us wait for ever.
pub fn open_regular(path: &Path) -> Result<Option<(File, u64)>, Error> {
    let failed = |source| Error::io(path.display().to_string(), source);
    match path.metadata() {
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(failed(error)),
        Ok(meta) if !meta.is_file() => {
            return Err(Error::malformed(path.display().to_string(), "is not a regular file"));
        }
        Ok(_) => {}
    }
    let file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    Ok(Some((file, length)))
}
