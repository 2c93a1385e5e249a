//! For tests of the inside: a registry over a fresh folder, in which nothing runs and nobody judges.

use std::sync::Arc;

use boltseal_identity::{Authority, Directory, Keys, RootKey, token::Revoked};
use boltseal_model::Digest;
use boltseal_store::{Blobs, Facts, Outcome};

use crate::{Again, Basis, Config, Judge, Registry, Request};

struct Nobody;

impl Judge for Nobody {
    fn judge(&self, _: &Request<'_>) -> Outcome {
        Outcome::Failed { error: "nobody judges here".to_owned() }
    }

    fn rejudge(&self, _: Vec<Again>, _: &dyn boltseal_image::Blobs) -> Vec<(Digest, Outcome)> {
        Vec::new()
    }

    fn basis(&self) -> Basis {
        Basis { snapshot: None, policy: Digest::of(b"policy") }
    }
}

/// One of them; the folder goes when it is dropped.
pub(crate) async fn bare() -> (Registry, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let facts = Facts::open(folder.path()).await.unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let keys = Keys::new(&RootKey::generate().unwrap(), None).unwrap();
    let authority = Authority::new(Directory::empty().unwrap(), keys, "boltseal", Revoked::new());
    (Registry::new(facts, blobs, authority, Arc::new(Nobody), Config::default()), folder)
}
