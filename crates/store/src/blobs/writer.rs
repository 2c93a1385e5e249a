//! One blob, written and hashed as it streams by, that appears only when all of it is there.

use boltseal_model::Digest;

use super::{local, objects};
use crate::{Error, Stored};

/// A blob on its way in. Dropped before [`Writer::finish`], it leaves nothing.
#[derive(Debug)]
pub struct Writer(Backend);

#[derive(Debug)]
enum Backend {
    Local(Box<local::Writer>),
    Objects(Box<objects::Writer>),
}

impl Writer {
    pub(super) fn local(writer: local::Writer) -> Self {
        Self(Backend::Local(Box::new(writer)))
    }

    pub(super) fn objects(writer: objects::Writer) -> Self {
        Self(Backend::Objects(Box::new(writer)))
    }

    /// Adds the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.0 {
            Backend::Local(writer) => writer.write(bytes),
            Backend::Objects(writer) => writer.write(bytes),
        }
    }

    /// Checks the digest and makes the blob durable; visible under it once the facts know where it is.
    pub fn finish(self, announced: &Digest) -> Result<Stored, Error> {
        match self.0 {
            Backend::Local(writer) => writer.finish(announced),
            Backend::Objects(writer) => writer.finish(announced),
        }
    }
}
