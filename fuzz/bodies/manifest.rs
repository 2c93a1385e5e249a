//! Manifests and indexes: what parses respects the limits, whatever media type the source claims.

use boltseal_image::{
    MAX_INDEX,
    manifest::{Document, OCI_INDEX, OCI_MANIFEST, parse},
};

/// Panics where one document is two things, or larger than it may be.
pub fn body(bytes: &[u8]) {
    if let Ok(Document::Index(index)) = parse(bytes, None) {
        assert!(index.manifests.len() <= MAX_INDEX);
    }
    let index = parse(bytes, Some(OCI_INDEX)).is_ok();
    assert!(!index || parse(bytes, Some(OCI_MANIFEST)).is_err(), "an index and an image at once");
}
