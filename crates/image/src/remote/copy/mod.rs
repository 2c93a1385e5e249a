//! Copies of images: between registries, from and into OCI image layouts, byte for byte.
//!
//! Blobs come before the manifests that name them, the images of an index before the index, a subject before what
//! refers to it: whoever interrupts a copy leaves nothing broken behind, and a second one sends only what is missing.

mod blobs;
mod layout;
mod place;
mod walk;

use boltseal_model::{Digest, Platform};

use self::walk::Walk;
use super::Error;

pub use self::layout::Layout;
pub use self::place::{Label, Place, Store};

/// Blobs on their way at once, if nobody says otherwise: what Docker does.
const PARALLEL: usize = 3;

/// What to carry along.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CopyOptions {
    /// Which images of an index.
    pub platforms: Platforms,
    /// Signatures, SBOMs and whatever else refers to the image, and to its parts, and to those; also under the tags
    /// that cosign used before there were referrers.
    pub referrers: bool,
    /// After a part that failed, the others are still tried.
    pub keep_going: bool,
    /// Blobs on their way at once, at least one.
    pub parallel: usize,
}

impl Default for CopyOptions {
    fn default() -> Self {
        Self { platforms: Platforms::All, referrers: false, keep_going: false, parallel: PARALLEL }
    }
}

/// Which images of an index are copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Platforms {
    /// All of them, and the index.
    All,
    /// One, and it stands in the place of the index.
    One(Platform),
    /// These, and the index as it is. Registries that want every image of an index refuse it.
    Only(Vec<Platform>),
}

/// Hears how far a copy is. Called from several threads at a time.
pub trait Progress: Sync {
    /// So many more bytes of blobs belong to the copy.
    fn plan(&self, bytes: u64);
    /// So many of them are there.
    fn advance(&self, bytes: u64);
}

/// Nobody listens.
impl Progress for () {
    fn plan(&self, _: u64) {}

    fn advance(&self, _: u64) {}
}

/// What a copy did.
#[derive(Debug)]
pub struct Copied {
    /// Of the image or index that was named.
    pub digest: Digest,
    /// Manifests sent.
    pub manifests: u64,
    /// Manifests that were there.
    pub manifests_there: u64,
    /// Blobs sent.
    pub blobs: u64,
    /// Blobs that the registry had in another repository.
    pub mounted: u64,
    /// Blobs that were there.
    pub blobs_there: u64,
    /// Bytes of blobs sent.
    pub bytes: u64,
    /// Signatures and other referrers among the manifests, sent or there.
    pub referrers: u64,
    /// What could not be copied, with [`CopyOptions::keep_going`]. If there is anything, the copy is not whole.
    pub failed: Vec<(Digest, Error)>,
}

/// Copies the image at `source` to `destination`.
pub fn copy(
    source: &Place,
    destination: &Place,
    options: &CopyOptions,
    progress: &dyn Progress,
) -> Result<Copied, Error> {
    let root = source.resolve(&options.platforms)?;
    if let Some(Label::Digest(expected)) = &destination.label
        && *expected != root.digest
    {
        return Err(Error::digest("the image to copy", expected, root.digest));
    }
    destination.store.prepare()?;
    let tag = match &destination.label {
        Some(Label::Tag(tag)) => Some(tag.as_str()),
        _ => None,
    };
    let mut walk = Walk::new(&source.store, &destination.store, options, progress, root.digest.clone());
    match walk.root(&root, tag) {
        Err(error) if options.keep_going => walk.copied.failed.push((root.digest, error)),
        other => other?,
    }
    Ok(walk.copied)
}
