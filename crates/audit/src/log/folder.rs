//! A log in a folder: its files lie at their paths, so any web server can serve them.

use std::{
    collections::BTreeSet,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read as _, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use super::{bundle::MAX_BUNDLE, note::MAX_NOTE, storage::Storage};

/// Nothing a log writes is larger; a file that is was not written by us.
const MAX_FILE: usize = if MAX_BUNDLE > MAX_NOTE { MAX_BUNDLE } else { MAX_NOTE };
/// Only the server's own user reads the log from disk; others ask the server, which asks who they are.
const FOLDER_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// With more files than this the whole file system is waited for, twice, instead of each file and folder. That also waits
/// for what others are writing, so it is only worth it for batches, whose files would be waited for one by one.
const MANY: usize = 4;
/// Ends the name of a file that is not complete yet. No path of a log ends so.
const UNFINISHED: &str = ".new";

/// Files below one folder, with private modes, each on disk (`fsync`) and complete before it has its name.
#[derive(Clone, Debug)]
pub struct Folder {
    root: PathBuf,
}

impl Folder {
    /// Opens the folder, which is made if it is missing; the one around it must exist.
    pub fn open(root: &Path) -> io::Result<Self> {
        let mut changed = BTreeSet::new();
        make(root, &mut changed)?;
        sync(&changed)?;
        Ok(Self { root: root.to_owned() })
    }

    /// The place of `path`, which may only name something below the root.
    fn place(&self, path: &str) -> io::Result<PathBuf> {
        let plain = |part: &str| {
            part.bytes().next().is_some_and(|first| first != b'.')
                && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
        };
        if !path.split('/').all(plain) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is no path of a log")));
        }
        Ok(self.root.join(path))
    }

    /// Writes the bytes beside the place they are for and waits until they are on disk.
    fn prepare(&self, path: &str, bytes: &[u8], changed: &mut BTreeSet<PathBuf>) -> io::Result<Prepared> {
        let place = self.place(path)?;
        let folder = place.parent().unwrap_or(&self.root);
        make(folder, changed)?;
        changed.insert(folder.to_owned());
        let mut unfinished = place.clone().into_os_string();
        unfinished.push(UNFINISHED);
        let unfinished = PathBuf::from(unfinished);
        let mut file = create(&unfinished)?;
        file.write_all(bytes)?;
        Ok(Prepared { file, unfinished, place })
    }

    fn write_each<'a>(&self, files: impl Iterator<Item = (&'a str, &'a [u8])>) -> io::Result<()> {
        let mut changed = BTreeSet::new();
        let prepared: Vec<Prepared> =
            files.map(|(path, bytes)| self.prepare(path, bytes, &mut changed)).collect::<io::Result<_>>()?;
        let rename = || prepared.iter().try_for_each(|one| fs::rename(&one.unfinished, &one.place));
        if let Some(first) = prepared.first().filter(|_| prepared.len() > MANY) {
            rustix::fs::syncfs(&first.file)?;
            rename()?;
            return Ok(rustix::fs::syncfs(&first.file)?);
        }
        // All bytes are on their way before the first wait, and each folder is waited for once.
        prepared.iter().try_for_each(|one| one.file.sync_data())?;
        rename()?;
        sync(&changed)
    }
}

struct Prepared {
    file: File,
    unfinished: PathBuf,
    place: PathBuf,
}

impl Storage for Folder {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        let file = match File::open(self.place(path)?) {
            Ok(file) => file,
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(error),
        };
        let expected = file.metadata()?.len();
        let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0).min(MAX_FILE));
        let limit = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
        file.take(limit + 1).read_to_end(&mut bytes)?;
        if bytes.len() > MAX_FILE {
            let text = format!("{path} has more than {MAX_FILE} bytes; no file of a log has");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        Ok(Some(bytes))
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.write_each(std::iter::once((path, bytes)))
    }

    fn write_all(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        self.write_each(files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice())))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let place = self.place(path)?;
        let removed = match fs::symlink_metadata(&place) {
            Ok(meta) if meta.is_dir() => fs::remove_dir_all(&place),
            Ok(_) => fs::remove_file(&place),
            Err(error) => Err(error),
        };
        match removed {
            Err(error) if is_missing(&error) => Ok(()),
            result => result,
        }
    }
}

/// Makes a file of our own. One that is there already is what a crash left; it is not written to, whatever it is.
fn create(path: &Path) -> io::Result<File> {
    let create_new = || OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path);
    match create_new() {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            create_new()
        }
        result => result,
    }
}

/// Nothing there, also where a part of the path is a file and not a folder.
fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Makes a folder and those around it, and notes in which folders names appeared.
fn make(folder: &Path, changed: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    let make_one = || DirBuilder::new().mode(FOLDER_MODE).create(folder);
    let made = match make_one() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if let Some(around) = folder.parent() {
                make(around, changed)?;
            }
            make_one()
        }
        result => result,
    };
    match made {
        Ok(()) => {
            changed
                .extend(folder.parent().filter(|around| !around.as_os_str().is_empty()).map(Path::to_owned));
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && folder.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Waits until the names in these folders are on disk.
fn sync(folders: &BTreeSet<PathBuf>) -> io::Result<()> {
    folders.iter().try_for_each(|folder| File::open(folder)?.sync_all())
}
