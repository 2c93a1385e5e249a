//! Readers that stop before a hostile file fills memory or disk.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;

use crate::{Error, Progress, limits};

/// Tells how much of a file was read.
pub(super) struct Watched<'w> {
    pub file: File,
    pub progress: &'w dyn Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.progress.advance(read as u64);
        Ok(read)
    }
}

impl Seek for Watched<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Counts the bytes that go through.
pub(super) struct Counted<R> {
    inner: R,
    count: Rc<Cell<u64>>,
}

impl<R> Counted<R> {
    pub(super) fn new(inner: R) -> Self {
        Self { inner, count: Rc::default() }
    }

    pub(super) fn count(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.count)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count.set(self.count.get() + read as u64);
        Ok(read)
    }
}

/// Fails beyond the size of documents, or when little input turns into very much output.
pub(super) struct Bounded<R> {
    inner: R,
    name: String,
    compressed: Option<Rc<Cell<u64>>>,
    seen: u64,
    limit: u64,
}

impl<R> Bounded<R> {
    pub(super) fn of_plain(inner: R, name: String) -> Self {
        Self::up_to(inner, name, limits::MAX_DOCUMENT_BYTES)
    }

    pub(super) fn up_to(inner: R, name: String, limit: u64) -> Self {
        Self { inner, name, compressed: None, seen: 0, limit }
    }

    pub(super) fn of_compressed(inner: R, compressed: Rc<Cell<u64>>, name: String, limit: u64) -> Self {
        Self { inner, name, compressed: Some(compressed), seen: 0, limit }
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.seen += read as u64;
        if self.seen > self.limit {
            let what = "its size after decompression";
            return Err(io::Error::other(Error::limit(&self.name, what, self.limit)));
        }
        if let Some(compressed) = &self.compressed
            && self.seen > limits::RATIO_FREE_BYTES
            && self.seen / compressed.get().max(1) > limits::MAX_RATIO
        {
            let what = "the ratio of its size to its compressed size";
            return Err(io::Error::other(Error::limit(&self.name, what, limits::MAX_RATIO)));
        }
        Ok(read)
    }
}

/// The limit behind an I/O error, if it is one; otherwise the file is broken.
pub(crate) fn of_io(name: &str, error: io::Error) -> Error {
    match error.downcast::<Error>() {
        Ok(error) => error,
        Err(error) => Error::broken(name, "compressed", error),
    }
}
