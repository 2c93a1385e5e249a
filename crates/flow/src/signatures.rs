//! Signatures of an image in a registry: where they are, and whose they are.
//!
//! | where | what |
//! |---|---|
//! | referrers of type `application/vnd.dev.sigstore.bundle…` | bundles of sigstore: signatures and attestations |
//! | the tag `sha256-HEX.sig` | cosign's older form, one layer a signature |
//! | the tag `sha256-HEX.att` | cosign's older attestations, one layer each |
//! | referrers of type `application/vnd.cncf.notary.signature` | Notary Project |
//!
//! What counts for nothing is listed, with the reason. Everything here was put there by whoever may push to the repository; only
//! [`boltseal_trust::verify`] says what it is worth.

use std::io::Read as _;

use boltseal_image::{
    manifest::{Descriptor, Document},
    remote::{Name, Repository},
};
use boltseal_model::Digest;
use boltseal_trust::{
    Authority, Evidence, Form, MAX_EVIDENCE, Refusal, Signed, notary::SIGNATURE_TYPE, verify,
};

use crate::Error;

/// Artifacts of one image that are looked at. An image that is signed at every build of a year has some hundred.
pub const MAX_ATTACHED: usize = 500;

const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";

/// One piece of evidence, and what it is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The blob of the signature, or the artifact where it has none that could be read.
    pub digest: Digest,
    /// Where it was found: a referrer, or a tag.
    pub place: String,
    /// Who signed, or why it counts for nothing.
    pub outcome: Result<Signed, Refusal>,
}

/// All that is attached to `image` in `repository` and is a signature or an attestation, judged by `authorities`.
pub fn signatures(
    repository: &Repository,
    image: &Digest,
    authorities: &[Authority],
) -> Result<Vec<Checked>, Error> {
    let mut checked = Vec::new();
    let mut referrers = repository.referrers(image, None)?;
    referrers.retain(|one| {
        one.artifact_type.as_deref().is_some_and(|kind| kind.starts_with(BUNDLE) || kind == SIGNATURE_TYPE)
    });
    if referrers.len() > MAX_ATTACHED {
        let what = format!("{repository}@{image}");
        return Err(Error::TooManySignatures { what, found: referrers.len(), limit: MAX_ATTACHED });
    }
    for referrer in referrers {
        let (digest, place) = (referrer.digest.clone(), format!("referrer {}", referrer.digest.short()));
        let artifact = Artifact { repository, image, authorities };
        artifact.check(Name::Digest(&digest), &digest, &place, &mut checked);
    }
    let artifact = Artifact { repository, image, authorities };
    let stem = format!("{}-{}", image.algorithm().name(), image.hex());
    for end in ["sig", "att"] {
        let tag = format!("{stem}.{end}");
        if let Some(digest) = there(repository, &tag)? {
            let place = format!("tag {}….{end}", short(&stem));
            artifact.check(Name::Tag(&tag), &digest, &place, &mut checked);
        }
    }
    Ok(checked)
}

fn short(stem: &str) -> &str {
    stem.get(..19).unwrap_or(stem)
}

/// The digest of what has the tag, if anything has.
fn there(repository: &Repository, tag: &str) -> Result<Option<Digest>, Error> {
    match repository.head(Name::Tag(tag)) {
        Ok(stored) => Ok(Some(stored.digest)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whose evidence is looked at, for whom.
struct Artifact<'a> {
    repository: &'a Repository,
    image: &'a Digest,
    authorities: &'a [Authority],
}

impl Artifact<'_> {
    /// Judges each signature in the artifact `name`. One that cannot be fetched counts for nothing, and is told.
    fn check(&self, name: Name<'_>, digest: &Digest, place: &str, checked: &mut Vec<Checked>) {
        let one =
            |digest: &Digest, outcome| Checked { digest: digest.clone(), place: place.to_owned(), outcome };
        let layers = match self.layers(name) {
            Ok(layers) => layers,
            Err(why) => return checked.push(one(digest, Err(broken(why)))),
        };
        let mut found = false;
        for layer in layers.iter().take(MAX_ATTACHED) {
            if let Some(form) = Form::of_media_type(&layer.media_type) {
                found = true;
                checked.push(one(&layer.digest, self.judge(form, layer)));
            }
        }
        if !found {
            checked.push(one(digest, Err(broken("it has no layer that is a signature".to_owned()))));
        }
    }

    fn layers(&self, name: Name<'_>) -> Result<Vec<Descriptor>, String> {
        let manifest = self.repository.manifest(name).map_err(|why| why.to_string())?;
        match manifest.document().map_err(|why| why.to_string())? {
            Document::Manifest(manifest) => Ok(manifest.layers),
            Document::Index(_) => Err("it is an index, not an artifact".to_owned()),
        }
    }

    fn judge(&self, form: Form, layer: &Descriptor) -> Result<Signed, Refusal> {
        if layer.size > MAX_EVIDENCE as u64 {
            return Err(Refusal::TooLarge { bytes: usize::try_from(layer.size).unwrap_or(usize::MAX) });
        }
        let mut bytes = Vec::new();
        let mut download =
            self.repository.blob(&layer.digest, layer.size).map_err(|why| broken(why.to_string()))?;
        download.read_to_end(&mut bytes).map_err(|why| broken(why.to_string()))?;
        let evidence = Evidence { form, bytes: &bytes, annotations: &layer.annotations };
        verify(&evidence, self.image, self.authorities)
    }
}

fn broken(why: String) -> Refusal {
    Refusal::Malformed { what: "the artifact of the signature", why }
}
