//! The registry of Docker and Debian, which knows no referrers.

use boltseal_image::remote::{Access, Name, Remote};
use boltseal_testkit::{Distribution, image::Built};

/// A running registry.
pub struct Peer {
    running: Distribution,
}

impl Peer {
    /// `None` where it is not installed, after saying so.
    pub fn start(login: bool) -> Option<Self> {
        Some(Self { running: Distribution::start(login)? })
    }

    pub fn address(&self) -> &str {
        self.running.address()
    }

    pub fn remote(&self) -> Remote {
        let mut access = Access::default();
        access.anonymous = true;
        Remote::connect(self.address(), &access).unwrap()
    }

    /// Stores an image under a tag, part by part.
    pub fn push(&self, repository: &str, tag: &str, built: &Built) {
        let repository = self.remote().repository(repository).unwrap();
        for (digest, bytes) in built.blobs.iter().filter(|(digest, _)| **digest != built.manifest) {
            assert_eq!(repository.put_blob(bytes).unwrap(), *digest);
        }
        let stored =
            repository.put_manifest(Name::Tag(tag), built.media_type, built.manifest_bytes()).unwrap();
        assert_eq!((stored.digest, stored.listed), (built.manifest.clone(), false));
    }
}
