//! Where blobs come from: the one seam between reading images and storing them.

use std::{io::Read, ops::Range};

use boltseal_model::{Digest, Hasher};

use crate::Error;

/// Hands out blobs by digest. Implemented by layouts, archives, registries, and by whoever stores images.
///
/// What comes out is not trusted: every byte is hashed by the reader.
pub trait Blobs: Sync {
    /// The blob named `digest`, from its first byte.
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error>;

    /// The bytes `range` of the blob named `digest`, which lie inside of it; `None` where only whole blobs are to be had.
    fn stretch(
        &self,
        digest: &Digest,
        range: Range<u64>,
    ) -> Result<Option<Box<dyn Read + Send + '_>>, Error> {
        let _ = (digest, range);
        Ok(None)
    }

    /// The manifest or index named `digest`. Registries keep these apart from other blobs.
    fn manifest(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        self.blob(digest)
    }
}

/// Reads a whole small document and checks its digest.
pub(crate) fn document(reader: impl Read, digest: &Digest, kind: &str, limit: u64) -> Result<Vec<u8>, Error> {
    let what = || format!("{kind} {digest}");
    let bytes = bounded(reader, limit, &what())?;
    let mut hasher = Hasher::new(digest.algorithm());
    hasher.update(&bytes);
    let found = hasher.finish();
    if found == *digest {
        Ok(bytes)
    } else {
        Err(Error::Digest { what: what(), expected: digest.clone(), found })
    }
}

/// Reads at most `limit` bytes; one more is an error.
pub(crate) fn bounded(reader: impl Read, limit: u64, what: &str) -> Result<Vec<u8>, Error> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(|source| Error::io(what, source))?;
    if bytes.len() as u64 > limit {
        return Err(Error::malformed(what, format!("larger than {limit} bytes")));
    }
    Ok(bytes)
}
