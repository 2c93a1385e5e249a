//! Where the files of the log are: in a folder of this server, or in the facts, where several servers share them.
//!
//! A shared log has one server that seals, and others that may take over at any moment, also while the first one is still
//! writing. Both write the same: the facts say which entries come in which order, so files of the same path have the same
//! bytes. What decides is the checkpoint, which only takes the place of the one that its writer knows; whoever is late
//! fails there, reads the log again and finds its entries sealed.

use std::{io, path::Path};

use boltseal_audit::log::{Folder, Storage};
use boltseal_store::Facts;
use tokio::runtime::Handle;

/// The files of a log.
#[derive(Clone, Debug)]
pub enum Place {
    /// In a folder.
    Folder(Folder),
    /// In the facts.
    Shared(Box<Shared>),
}

/// Files in the facts, for callers that may block.
#[derive(Clone, Debug)]
pub struct Shared {
    facts: Facts,
    runtime: Handle,
}

impl Place {
    /// The log of `facts`, if several servers share those; otherwise the one in `folder`.
    pub(super) fn open(folder: &Path, facts: &Facts) -> io::Result<Self> {
        if facts.is_shared() {
            let (facts, runtime) = (facts.clone(), Handle::current());
            return Ok(Self::Shared(Box::new(Shared { facts, runtime })));
        }
        Folder::open(folder).map(Self::Folder)
    }
}

impl Shared {
    /// Waits on a thread that may block, or that makes room for others while it does.
    fn wait<T>(&self, work: impl Future<Output = Result<T, boltseal_store::Error>>) -> io::Result<T> {
        tokio::task::block_in_place(|| self.runtime.block_on(work)).map_err(io::Error::other)
    }
}

impl Storage for Place {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        match self {
            Self::Folder(folder) => folder.read(path),
            Self::Shared(shared) => shared.wait(shared.facts.log_file(path)),
        }
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.write(path, bytes),
            Self::Shared(shared) => {
                shared.wait(shared.facts.write_log_files(vec![(path.to_owned(), bytes.to_vec())]))
            }
        }
    }

    fn replace(&self, path: &str, old: Option<&[u8]>, bytes: &[u8]) -> io::Result<()> {
        let Self::Shared(shared) = self else { return self.write(path, bytes) };
        let swapped = shared.facts.swap_log_file(path, old.map(<[u8]>::to_vec), bytes.to_vec());
        if shared.wait(swapped)? {
            return Ok(());
        }
        Err(io::Error::other("another server has sealed the log meanwhile"))
    }

    fn write_all(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.write_all(files),
            Self::Shared(shared) => shared.wait(shared.facts.write_log_files(files.to_vec())),
        }
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        match self {
            Self::Folder(folder) => folder.remove(path),
            Self::Shared(shared) => shared.wait(shared.facts.remove_log_files(path)),
        }
    }
}
