//! The folder of layers: who may touch what, and what is left of those who died.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io,
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use boltseal_model::Digest;
use rustix::fs::FlockOperation;

use super::{Index, Unpacked};
use crate::Error;

/// Layers that are listed. Ten thousand images share most of theirs.
const MAX_LAYERS: usize = 1_000_000;

/// See the [module](super).
#[derive(Debug)]
pub struct Layers {
    folder: PathBuf,
}

/// A lock on a layer, or on the place where one is unpacked.
#[derive(Debug)]
pub struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing the file is not enough: a process that was forked meanwhile has it too, until it executes something.
        let _ = rustix::fs::flock(&self.0, FlockOperation::Unlock);
    }
}

impl Lock {
    /// Remembers that what it is of is used now.
    fn used(&self) -> io::Result<()> {
        self.0.set_modified(SystemTime::now())
    }
}

impl Layers {
    /// Opens the store in `folder`, made where it is missing, and removes what processes left there that died.
    ///
    /// # Errors
    /// For anybody but root: files get the owners that images say.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        let failed = |source| Error::io(format!("the store of layers {}", folder.display()), source);
        if !boltseal_sys::is_root() {
            let why = "only root can give files the owners that images say";
            return Err(failed(io::Error::new(io::ErrorKind::PermissionDenied, why)));
        }
        let store = Self { folder: folder.to_owned() };
        // Nobody else may get in: setuid files of images would be setuid files of this machine.
        for path in [folder.to_owned(), store.locks(), store.unfinished("")] {
            DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(failed)?;
        }
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700)).map_err(failed)?;
        store.clean().map_err(failed)?;
        Ok(store)
    }

    /// The layer, if it is there. It stays as long as the answer lives.
    pub fn get(&self, diff_id: &Digest) -> Result<Option<Unpacked>, Error> {
        let failed = |source| Error::io(format!("layer {diff_id} in {}", self.folder.display()), source);
        let Some(hold) = self.lock(&name(diff_id), FlockOperation::LockShared).map_err(failed)? else {
            return Ok(None);
        };
        if !self.has(diff_id) {
            return Ok(None);
        }
        let index = Index::read(&self.home(diff_id))?;
        hold.used().map_err(failed)?;
        Ok(Some(Unpacked {
            diff_id: diff_id.clone(),
            path: self.root(diff_id),
            index,
            is_new: false,
            _hold: hold,
        }))
    }

    /// All layers there are, in the order of their digests.
    pub fn list(&self) -> Result<Vec<Digest>, Error> {
        let mut found = Vec::new();
        for algorithm in ["sha256", "sha512"] {
            let names = match names(&self.folder.join(algorithm)) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                names => names.map_err(|source| Error::io(self.folder.display().to_string(), source))?,
            };
            found.extend(names.iter().filter_map(|name| format!("{algorithm}:{name}").parse().ok()));
        }
        found.sort();
        Ok(found)
    }

    /// The layers that somebody holds: an [`Unpacked`] lives, in this process or another.
    pub fn in_use(&self) -> Result<Vec<Digest>, Error> {
        let mut held = Vec::new();
        for diff_id in self.list()? {
            let lock = self.lock(&name(&diff_id), FlockOperation::NonBlockingLockExclusive);
            if lock.map_err(|source| Error::io(format!("layer {diff_id}"), source))?.is_none() {
                held.push(diff_id);
            }
        }
        Ok(held)
    }

    /// Removes all layers but those of `keep` and those that are held; gives what was removed.
    ///
    /// Containers outlive who started them, and read their layers as long as they run: `keep` must have the layers of all.
    pub fn prune(&self, keep: &[Digest]) -> Result<Vec<Digest>, Error> {
        let mut removed = Vec::new();
        for diff_id in self.list()?.into_iter().filter(|diff_id| !keep.contains(diff_id)) {
            if self
                .remove(&diff_id)
                .map_err(|source| Error::io(format!("removing layer {diff_id}"), source))?
            {
                removed.push(diff_id);
            }
        }
        Ok(removed)
    }

    /// Removes layers that nobody has held for as long as `idle`; gives what was removed.
    ///
    /// Those that are held now count as used now, so that this knows the last use as exactly as it is called often.
    /// Containers outlive who started them: it must not be called before all that run are held again.
    pub fn prune_idle(&self, idle: Duration) -> Result<Vec<Digest>, Error> {
        let held = self.in_use()?;
        let used_since = |diff_id: &Digest| -> io::Result<bool> {
            let lock = match OpenOptions::new().write(true).open(self.locks().join(name(diff_id))) {
                // Somebody else is removing it.
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
                lock => lock?,
            };
            if held.contains(diff_id) {
                lock.set_modified(SystemTime::now())?;
            }
            // A clock that was put back makes it younger.
            Ok(lock.metadata()?.modified()?.elapsed().unwrap_or_default() < idle)
        };
        let mut keep = held.clone();
        for diff_id in self.list()? {
            if used_since(&diff_id).map_err(|source| Error::io(format!("layer {diff_id}"), source))? {
                keep.push(diff_id);
            }
        }
        self.prune(&keep)
    }

    fn remove(&self, diff_id: &Digest) -> io::Result<bool> {
        let name = name(diff_id);
        let Some(_lock) = self.lock(&name, FlockOperation::NonBlockingLockExclusive)? else {
            return Ok(false);
        };
        if !self.has(diff_id) {
            return Ok(false);
        }
        let gone = self.unfinished(&name);
        remove_all(&gone)?;
        // Out of sight at once: nobody ever sees half a layer.
        fs::rename(self.home(diff_id), &gone)?;
        remove_all(&gone)?;
        fs::remove_file(self.locks().join(&name))?;
        Ok(true)
    }

    /// Removes what nobody works on any more. Whoever works on something holds its lock; the kernel lets go of locks of
    /// processes that die, however they do.
    fn clean(&self) -> io::Result<()> {
        for name in names(&self.unfinished(""))? {
            if let Some(_lock) = self.lock(&name, FlockOperation::NonBlockingLockExclusive)? {
                remove_all(&self.unfinished(&name))?;
            }
        }
        for name in names(&self.locks())? {
            let home = name.split_once('-').map(|(algorithm, hex)| self.folder.join(algorithm).join(hex));
            if home.is_some_and(|home| home.exists()) {
                continue;
            }
            if let Some(_lock) = self.lock(&name, FlockOperation::NonBlockingLockExclusive)? {
                fs::remove_file(self.locks().join(&name))?;
            }
        }
        Ok(())
    }

    /// Locks `name`; `None` where somebody else has it and `how` does not wait.
    pub(super) fn lock(&self, name: &str, how: FlockOperation) -> io::Result<Option<Lock>> {
        let path = self.locks().join(name);
        loop {
            let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path)?;
            match rustix::fs::flock(&file, how) {
                Ok(()) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => return Ok(None),
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            // Whoever had it may have removed it: a lock on a file without a name keeps nobody out.
            if file.metadata()?.nlink() > 0 {
                return Ok(Some(Lock(file)));
            }
        }
    }

    /// An empty folder to unpack into, under the lock `name`.
    pub(super) fn begin(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.unfinished(name);
        remove_all(&folder)?;
        DirBuilder::new().mode(0o700).create(&folder)?;
        DirBuilder::new().mode(0o755).create(folder.join("root"))?;
        Ok(folder)
    }

    /// Makes what was unpacked in `folder` a layer of the store, for good.
    pub(super) fn finish(&self, folder: &Path, index: &Index) -> io::Result<()> {
        index.write(folder)?;
        // One call for the thousands of files; what others have written meanwhile goes along.
        rustix::fs::syncfs(File::open(folder)?)?;
        let home = self.home(&index.diff_id);
        let parent = self.folder.join(index.diff_id.algorithm().name());
        DirBuilder::new().recursive(true).mode(0o700).create(&parent)?;
        fs::rename(folder, home)?;
        File::open(parent)?.sync_all()?;
        File::open(&self.folder)?.sync_all()
    }

    pub(super) fn has(&self, diff_id: &Digest) -> bool {
        self.home(diff_id).exists()
    }

    pub(super) fn unfinished(&self, name: &str) -> PathBuf {
        self.folder.join("unfinished").join(name)
    }

    fn locks(&self) -> PathBuf {
        self.folder.join("locks")
    }

    fn home(&self, diff_id: &Digest) -> PathBuf {
        self.folder.join(diff_id.algorithm().name()).join(diff_id.hex())
    }

    fn root(&self, diff_id: &Digest) -> PathBuf {
        self.home(diff_id).join("root")
    }
}

/// What the lock of a layer is called, and the folder it is unpacked in.
pub(super) fn name(diff_id: &Digest) -> String {
    format!("{}-{}", diff_id.algorithm().name(), diff_id.hex())
}

/// Removes a folder, if there is one.
pub(super) fn remove_all(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = fs::read_dir(folder)?.take(MAX_LAYERS);
    entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect()
}
