//! One blob on its way into an object.

use std::fmt;

use boltseal_model::{Algorithm, Digest, Hasher};

use super::{
    super::{grow, same},
    Objects,
    stream::Stream,
};
use crate::{Error, Stored};

/// A blob on its way in.
pub(in crate::blobs) struct Writer {
    objects: Objects,
    stream: Stream,
    hasher: Hasher,
    size: u64,
    /// Its object is somebody else's to keep or remove.
    done: bool,
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").field("size", &self.size).finish_non_exhaustive()
    }
}

impl Writer {
    pub(super) fn new(objects: Objects, algorithm: Algorithm) -> Self {
        let stream = Stream::new(objects.clone(), None);
        Self { objects, stream, hasher: Hasher::new(algorithm), size: 0, done: false }
    }

    pub(in crate::blobs) fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size = grow(self.size, bytes.len())?;
        self.stream.push(bytes)?;
        self.hasher.update(bytes);
        Ok(())
    }

    pub(in crate::blobs) fn finish(mut self, announced: &Digest) -> Result<Stored, Error> {
        same(self.hasher.clone(), announced)?;
        let place = self.stream.finish()?;
        self.done = true;
        Ok(Stored { digest: announced.clone(), size: self.size, place })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(begun) = self.stream.begun.take().filter(|_| !self.done) {
            self.objects.abandon(vec![begun.place], self.stream.pending.take());
        }
    }
}
