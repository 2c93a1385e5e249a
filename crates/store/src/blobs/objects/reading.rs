//! An object, read in windows: small at first, as many readers want the beginning only; then larger, with the next on
//! its way.

use std::{
    fmt,
    io::{self, Read},
    sync::{Arc, mpsc},
};

use bytes::{Buf as _, Bytes};

use super::Objects;
use crate::Error;

/// The first window after the beginning or a jump.
const FIRST: u64 = 256 << 10;
/// The largest. With the one on its way, a reader has twice as much in memory.
const LARGEST: u64 = 4 << 20;

/// The bytes of one object.
pub(in crate::blobs) struct Reading {
    objects: Objects,
    place: String,
    size: u64,
    /// Where the window begins.
    at: u64,
    window: Bytes,
    /// How large the next one is.
    step: u64,
    ahead: Option<Ahead>,
}

/// A window on its way.
struct Ahead {
    start: u64,
    bytes: mpsc::Receiver<Result<Bytes, Error>>,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("place", &self.place).field("at", &self.at).finish_non_exhaustive()
    }
}

impl Reading {
    pub(super) const fn new(objects: Objects, place: String, size: u64) -> Self {
        Self { objects, place, size, at: 0, window: Bytes::new(), step: FIRST, ahead: None }
    }

    pub(in crate::blobs) fn skip_to(&mut self, start: u64) {
        self.at = start.min(self.size);
        self.window = Bytes::new();
        self.step = FIRST;
        self.ahead = None;
    }

    fn next(&mut self) -> Result<Bytes, Error> {
        let first = self.step == FIRST;
        let bytes = match self.ahead.take().filter(|ahead| ahead.start == self.at) {
            Some(ahead) => ahead.bytes.recv().map_err(|_| Error::Closed)??,
            None => self.ask(self.at).recv().map_err(|_| Error::Closed)??,
        };
        self.step = (self.step * 4).min(LARGEST);
        let start = self.at + bytes.len() as u64;
        if !first && start < self.size {
            self.ahead = Some(Ahead { start, bytes: self.ask(start) });
        }
        Ok(bytes)
    }

    fn ask(&self, start: u64) -> mpsc::Receiver<Result<Bytes, Error>> {
        let range = start..self.size.min(start + self.step);
        let (inner, place) = (Arc::clone(&self.objects.0), self.place.clone());
        self.objects.start(async move { inner.get(&place, range).await })
    }
}

impl Read for Reading {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.window.is_empty() && self.at < self.size {
            self.window = self.next().map_err(io::Error::other)?;
        }
        let taken = buffer.len().min(self.window.len());
        self.window.copy_to_slice(buffer.get_mut(..taken).unwrap_or_default());
        self.at += taken as u64;
        Ok(taken)
    }
}
