//! Where the files of a log lie.

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, PoisonError, RwLock},
};

/// A place for files under relative paths with `/` between the parts. One log writes to it; anybody may read.
pub trait Storage: Send + Sync {
    /// The bytes of a file; `None` where there is none.
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>>;

    /// Writes a file, new or in place of another. On disk when it returns; readers and crashes see the old bytes or
    /// the new ones, never a part.
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()>;

    /// Writes a file in the place of what is there, which is `old` (`None`: nothing). Where several may write, only the
    /// one who knows what is there succeeds; where one does, this is [`Storage::write`].
    fn replace(&self, path: &str, _old: Option<&[u8]>, bytes: &[u8]) -> io::Result<()> {
        self.write(path, bytes)
    }

    /// Writes several files, in any order. All are on disk when it returns.
    fn write_all(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        files.iter().try_for_each(|(path, bytes)| self.write(path, bytes))
    }

    /// Removes a file, or everything below a folder. Nothing there is fine. Need not survive a crash.
    fn remove(&self, path: &str) -> io::Result<()>;
}

impl<S: Storage + ?Sized> Storage for &S {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        (**self).read(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).write(path, bytes)
    }
    fn replace(&self, path: &str, old: Option<&[u8]>, bytes: &[u8]) -> io::Result<()> {
        (**self).replace(path, old, bytes)
    }
    fn write_all(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        (**self).write_all(files)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        (**self).remove(path)
    }
}

impl<S: Storage + ?Sized> Storage for Arc<S> {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        (**self).read(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        (**self).write(path, bytes)
    }
    fn replace(&self, path: &str, old: Option<&[u8]>, bytes: &[u8]) -> io::Result<()> {
        (**self).replace(path, old, bytes)
    }
    fn write_all(&self, files: &[(String, Vec<u8>)]) -> io::Result<()> {
        (**self).write_all(files)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        (**self).remove(path)
    }
}

/// A log in memory, for tests and for proofs about logs that were fetched.
#[derive(Debug, Default)]
pub struct Memory {
    files: RwLock<BTreeMap<String, Vec<u8>>>,
}

impl Memory {
    /// The paths of all files, sorted.
    pub fn paths(&self) -> Vec<String> {
        self.files.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }
}

impl Clone for Memory {
    fn clone(&self) -> Self {
        let files = self.files.read().unwrap_or_else(PoisonError::into_inner).clone();
        Self { files: RwLock::new(files) }
    }
}

impl Storage for Memory {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        Ok(self.files.read().unwrap_or_else(PoisonError::into_inner).get(path).cloned())
    }

    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        files.insert(path.to_owned(), bytes.to_vec());
        Ok(())
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let mut files = self.files.write().unwrap_or_else(PoisonError::into_inner);
        let below = format!("{path}/");
        files.retain(|name, _| name != path && !name.starts_with(&below));
        Ok(())
    }
}
