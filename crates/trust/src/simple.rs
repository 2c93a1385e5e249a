//! cosign's older form (`cosign/specs/SIGNATURE_SPEC.md`): a payload that names the image's digest, and a signature over it
//! in an annotation.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use serde::Deserialize;
use sigstore_verify::{crypto::VerificationKey, types::SignatureBytes};

use crate::{Claim, Evidence, Proof, Refusal, Signer, Statement, Unfit, Who};

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
/// What the payload is about.
const KIND: &str = "cosign container image signature";
/// What other tools that write this form call it.
const OTHER_KIND: &str = "atomic container signature";

/// A payload that says something about an image.
pub struct Payload {
    bytes: Vec<u8>,
    signature: Vec<u8>,
    certified: bool,
}

#[derive(Deserialize)]
struct Shape {
    critical: Critical,
}

#[derive(Deserialize)]
struct Critical {
    image: Image,
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct Image {
    #[serde(rename = "docker-manifest-digest")]
    digest: String,
}

impl Payload {
    pub fn read(evidence: &Evidence<'_>, image: &Digest) -> Result<Self, Refusal> {
        let malformed = |what, why: String| Refusal::Malformed { what, why };
        let shape: Shape = serde_json::from_slice(evidence.bytes)
            .map_err(|error| malformed("the payload of the signature", error.to_string()))?;
        let Critical { image: signed, kind } = shape.critical;
        if kind != KIND && kind != OTHER_KIND {
            let why = format!("it is a `{kind}`, not a `{KIND}`");
            return Err(malformed("the payload of the signature", why));
        }
        if signed.digest != image.to_string() {
            return Err(Refusal::OtherImage { image: image.clone(), found: signed.digest });
        }
        let annotation = evidence.annotations.get(SIGNATURE);
        let text =
            annotation.ok_or_else(|| malformed("the signature", format!("no annotation `{SIGNATURE}`")))?;
        let signature =
            STANDARD.decode(text).map_err(|error| malformed("the signature", error.to_string()))?;
        let certified = evidence.annotations.contains_key(CERTIFICATE);
        Ok(Self { bytes: evidence.bytes.to_vec(), signature, certified })
    }
}

impl Claim for Payload {
    fn is_of(&self, who: &Who) -> Result<Proof, Unfit> {
        let Who::Key { key, root } = who else {
            return Err(if self.certified {
                Unfit::Unsupported(
                    "cosign's older form with a certificate is not read: sign with cosign 3, or use a key"
                        .to_owned(),
                )
            } else {
                Unfit::Kind { found: "a key", wanted: "a certificate" }
            });
        };
        if root.is_some() {
            let why =
                "cosign's older form is checked without a log only: sign with cosign 3, or ask for no log";
            return Err(Unfit::Log(why.to_owned()));
        }
        let wrong = |error: sigstore_verify::crypto::Error| Unfit::Signature(error.to_string());
        let verifier = VerificationKey::from_spki(&key.0).map_err(wrong)?;
        verifier.verify(&self.bytes, &SignatureBytes::new(self.signature.clone())).map_err(wrong)?;
        Ok(Proof { by: Signer::Key(key.digest()), at: Vec::new(), logged: false })
    }

    fn statement(&self) -> Option<Statement> {
        None
    }
}
