//! Manifests and indexes: what parses respects the limits, whatever media type the source claims.
#![no_main]
use boltseal_image::{MAX_INDEX, manifest};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    for media_type in [None, Some(manifest::OCI_INDEX), Some(manifest::DOCKER_MANIFEST)] {
        if let Ok(manifest::Document::Index(index)) = manifest::parse(bytes, media_type) {
            assert!(index.manifests.len() <= MAX_INDEX);
        }
    }
});
