//! The life of images over the API: rules about deleting, and what has grown old.

mod aging;
mod base;
mod credentials;
mod retention;
mod search;

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{About, Kind, NewManifest};

/// An image as if it had been pushed.
pub fn image(repository: &str, tag: &str, name: &str, about: About, at: Timestamp) -> NewManifest {
    NewManifest {
        repository: repository.to_owned(),
        digest: Digest::of(name.as_bytes()),
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 100,
        place: String::new(),
        content_size: 1000,
        kind: Kind::Image,
        platform: None,
        subject: None,
        artifact_type: None,
        annotations: None,
        about: Some(about),
        blobs: vec![],
        manifests: vec![],
        tags: if tag.is_empty() { vec![] } else { vec![tag.to_owned()] },
        by: None,
        at,
    }
}
