//! Bytes that are not what their digest says: not served, and said so.

use boltseal_model::{Digest, Hasher};
use boltseal_store::{Blobs, Error as StoreError};

use super::{blobs, blocking, manifests};
use crate::{
    Inner,
    failure::{Code, Failure},
    route::Named,
};

impl Inner {
    /// The bytes of a manifest, if they are what its digest says.
    pub(super) async fn whole(&self, digest: &Digest, size: u64) -> Result<Option<Vec<u8>>, Failure> {
        let (blobs, digest) = (self.blobs.clone(), digest.clone());
        blocking(move || whole(&blobs, &digest, size)).await
    }

    /// Why a blob is not served that a repository may have.
    pub(super) async fn no_blob(&self, repository: &str, digest: &Digest) -> Result<Failure, Failure> {
        let held = self.facts.held_blob(repository, digest).await?;
        Ok(match held.and_then(|held| held.rotten) {
            Some(why) => damaged(Code::BlobUnknown, &format!("blob {digest}"), &why),
            None => blobs::unknown(repository, digest),
        })
    }

    /// Why a manifest is not served that a repository may have.
    pub(super) async fn no_manifest(&self, repository: &str, reference: &Named) -> Result<Failure, Failure> {
        let digest = match reference {
            Named::Digest(digest) => Some(digest.clone()),
            Named::Tag(tag) => self.facts.tag(repository, tag).await?,
        };
        if let Some(digest) = digest
            && self.facts.manifest(repository, &digest).await?.is_some()
        {
            let why = self.facts.contents(&digest).await?.and_then(|contents| contents.rotten);
            let why = why.unwrap_or_else(|| "they are not what the digest says".to_owned());
            return Ok(damaged(Code::ManifestUnknown, &format!("manifest {digest}"), &why));
        }
        Ok(manifests::unknown(repository, reference))
    }
}

fn whole(blobs: &Blobs, digest: &Digest, size: u64) -> Result<Option<Vec<u8>>, StoreError> {
    let bytes = match blobs.content(digest, size) {
        Ok(bytes) => bytes,
        Err(StoreError::NoBlob(_) | StoreError::TooLarge { .. }) => {
            tracing::error!(%digest, "the bytes of a manifest are missing or too many");
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut hasher = Hasher::new(digest.algorithm());
    hasher.update(&bytes);
    let actual = hasher.finish();
    if actual == *digest {
        return Ok(Some(bytes));
    }
    tracing::error!(%digest, %actual, "the bytes of a manifest are damaged");
    Ok(None)
}

/// A 404, since trying again does not help, and a mirror may have it whole.
fn damaged(code: Code, what: &str, why: &str) -> Failure {
    Failure::new(
        code,
        format!("{what} is damaged in the registry's storage ({why}): push it again to repair it"),
    )
}
