//! One blob, written and hashed as it streams by, that appears only when all of it is there.

use boltseal_model::Digest;

use super::local;
use crate::{Error, Stored};

/// A blob on its way in. Dropped before [`Writer::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Writer(Backend);

#[derive(Debug)]
enum Backend {
    Local(local::Writer),
}

impl Writer {
    pub(super) const fn local(writer: local::Writer) -> Self {
        Self(Backend::Local(writer))
    }

    /// Adds the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.0 {
            Backend::Local(writer) => writer.write(bytes),
        }
    }

    /// Checks the digest and makes the blob durable; visible under it once the facts know where it is.
    pub fn finish(self, announced: &Digest) -> Result<Stored, Error> {
        match self.0 {
            Backend::Local(writer) => writer.finish(announced),
        }
    }
}
