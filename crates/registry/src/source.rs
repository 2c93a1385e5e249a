//! The store as a source of blobs for whoever opens images.

use std::io::Read;

use boltseal_image::{Blobs, Error};
use boltseal_model::Digest;

/// Reads from the store, whatever repository a blob belongs to: what may be referenced was checked at the push.
pub(crate) struct Stored<'a>(pub(crate) &'a boltseal_store::Blobs);

impl Blobs for Stored<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send>, Error> {
        let (file, _) = self.0.read(digest).map_err(|error| Error::blob(digest, error))?;
        Ok(Box::new(file))
    }
}
