//! Signatures and attestations of our own: put beside the image in its registry, where cosign 3 and notation look for them.

use std::collections::BTreeMap;

use boltseal_image::remote::{Attached, Blob, Name, Repository};
use boltseal_model::{Digest, Timestamp};
use boltseal_trust::{BUNDLE_TYPE, Form, notary::SIGNATURE_TYPE};
use serde_json::json;

use crate::Error;

const CREATED: &str = "org.opencontainers.image.created";
/// SHA-256 of each certificate of a signature of Notary Project, leaf first ("OCI signature manifest").
const THUMBPRINTS: &str = "io.cncf.notary.x509chain.thumbprint#S256";
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
        created(now),
        (CONTENT.0.to_owned(), CONTENT.1.to_owned()),
        (PREDICATE_TYPE.to_owned(), predicate_type.to_owned()),
    ]);
    let blob = Blob { artifact_type: BUNDLE_TYPE, media_type: BUNDLE_TYPE, bytes: bundle, annotations };
    Ok(repository.attach_blob(Name::Digest(image), &blob)?)
}

/// Adds an envelope of Notary Project in this form, whose certificates have these thumbprints.
pub fn attach_envelope(
    repository: &Repository,
    image: &Digest,
    envelope: &[u8],
    form: Form,
    thumbprints: &[String],
    now: Timestamp,
) -> Result<Attached, Error> {
    let annotations =
        BTreeMap::from([created(now), (THUMBPRINTS.to_owned(), json!(thumbprints).to_string())]);
    let blob =
        Blob { artifact_type: SIGNATURE_TYPE, media_type: form.media_type(), bytes: envelope, annotations };
    Ok(repository.attach_blob(Name::Digest(image), &blob)?)
}

fn created(now: Timestamp) -> (String, String) {
    (CREATED.to_owned(), now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}
