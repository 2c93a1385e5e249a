//! Signatures and attestations of our own: put beside the image in its registry, where cosign 3 looks for them.

use std::collections::BTreeMap;

use boltseal_image::remote::{Attached, Blob, Name, Repository};
use boltseal_model::{Digest, Timestamp};
use boltseal_trust::BUNDLE_TYPE;

use crate::Error;

const CREATED: &str = "org.opencontainers.image.created";
/// For whoever looks for one kind of bundle among many. Nobody may believe these; they are not signed.
const CONTENT: (&str, &str) = ("dev.sigstore.bundle.content", "dsse-envelope");
const PREDICATE_TYPE: &str = "dev.sigstore.bundle.predicateType";

/// Adds `bundle`, which says something of type `predicate_type` about `image`.
pub fn attach(
    repository: &Repository,
    image: &Digest,
    bundle: &[u8],
    predicate_type: &str,
    now: Timestamp,
) -> Result<Attached, Error> {
    let annotations = BTreeMap::from([
        (CREATED.to_owned(), now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()),
        (CONTENT.0.to_owned(), CONTENT.1.to_owned()),
        (PREDICATE_TYPE.to_owned(), predicate_type.to_owned()),
    ]);
    let blob = Blob { artifact_type: BUNDLE_TYPE, media_type: BUNDLE_TYPE, bytes: bundle, annotations };
    Ok(repository.attach_blob(Name::Digest(image), &blob)?)
}
