//! Upload sessions: a blob that comes in several requests, and goes on after a crash where it was acknowledged.

use boltseal_model::Digest;

use super::{local, objects};
use crate::{Acknowledged, Error, Stored};

/// A session checked out by one request. Dropped, it goes back.
#[derive(Debug)]
pub struct Upload(Backend);

#[derive(Debug)]
enum Backend {
    Local(Box<local::Upload>),
    Objects(Box<objects::Upload>),
}

impl Upload {
    pub(super) fn local(upload: local::Upload) -> Self {
        Self(Backend::Local(Box::new(upload)))
    }

    pub(super) fn objects(upload: objects::Upload) -> Self {
        Self(Backend::Objects(Box::new(upload)))
    }

    /// Its id.
    pub fn id(&self) -> &str {
        match &self.0 {
            Backend::Local(upload) => upload.id(),
            Backend::Objects(upload) => upload.id(),
        }
    }

    /// Bytes it has.
    pub fn size(&self) -> u64 {
        match &self.0 {
            Backend::Local(upload) => upload.size(),
            Backend::Objects(upload) => upload.size(),
        }
    }

    /// Adds the next bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        match &mut self.0 {
            Backend::Local(upload) => upload.write(bytes),
            Backend::Objects(upload) => upload.write(bytes),
        }
    }

    /// Makes what was written durable. Acknowledge it after [`Facts::save_upload`](crate::Facts::save_upload) of what
    /// this gives, and give the session back after that.
    pub fn save(&mut self) -> Result<Acknowledged, Error> {
        match &mut self.0 {
            Backend::Local(upload) => upload.save(),
            Backend::Objects(upload) => upload.save(),
        }
    }

    /// Checks the digest and makes the blob durable; the session ends. With a wrong digest the session ends too, as the
    /// bytes are of no use; where the storage fails ([`Error::is_of_the_storage`]), it goes back. [`Facts::finish_upload`](crate::Facts::finish_upload) makes it visible.
    pub fn finish(self, announced: &Digest) -> Result<Stored, Error> {
        match self.0 {
            Backend::Local(upload) => upload.finish(announced),
            Backend::Objects(upload) => upload.finish(announced),
        }
    }

    /// Ends the session and removes its bytes.
    pub fn discard(self) -> Result<(), Error> {
        match self.0 {
            Backend::Local(upload) => upload.discard(),
            Backend::Objects(upload) => upload.discard(),
        }
    }
}
