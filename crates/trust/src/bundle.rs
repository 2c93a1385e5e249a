//! Bundles of sigstore (`protobuf-specs`, `sigstore_bundle.proto`), 0.1 to 0.3.

use std::cell::OnceCell;

use boltseal_model::{Algorithm, Digest, Hasher, Timestamp};
use sigstore_verify::{
    Error, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult,
    crypto::VerificationKey,
    types::{
        Artifact, DsseEnvelope, HashAlgorithm, Sha256Hash, SignatureContent,
        bundle::VerificationMaterialContent,
    },
};

use crate::{
    Claim, Clocks, Pattern, Proof, PublicKey, Refusal, Root, Signer, Statement, Unfit, Who, sign::hint,
    statement::COSIGN_SIGN,
};

/// Timestamps of one bundle. Each is a signature to check; cosign asks one clock or two.
const MAX_STAMPS: usize = 16;

/// A bundle that says something about an image.
pub struct Bundle {
    content: sigstore_verify::types::Bundle,
    signed: Signed,
    /// Of a statement.
    predicate_type: Option<String>,
    /// SHA-256 of what is signed in an envelope, once somebody asked: of several keys each is held against it.
    hashed: OnceCell<Digest>,
}

/// What a signature without an envelope is over.
enum Signed {
    /// The manifest of the image.
    Image(Sha256Hash),
    /// Bytes that name the image.
    Payload(Vec<u8>),
}

impl Bundle {
    pub fn read(bytes: &[u8], image: &Digest) -> Result<Self, Refusal> {
        let malformed = |why: String| Refusal::Malformed { what: "the bundle", why };
        if image.algorithm() != Algorithm::Sha256 {
            return Err(Refusal::Unsupported(format!(
                "bundles are checked for SHA-256 alone, not for {image}"
            )));
        }
        let hash = Sha256Hash::from_hex(&image.hex()).map_err(|error| malformed(error.to_string()))?;
        let text = std::str::from_utf8(bytes).map_err(|error| malformed(error.to_string()))?;
        let bundle =
            sigstore_verify::types::Bundle::from_json(text).map_err(|error| malformed(error.to_string()))?;
        let predicate_type = match &bundle.content {
            SignatureContent::DsseEnvelope(envelope) => {
                Some(Statement::type_in(&envelope.payload_type, envelope.payload.as_bytes(), image)?)
            }
            SignatureContent::MessageSignature(message) => {
                // The signature decides; this is for a clear word.
                if let Some(digest) = &message.message_digest
                    && digest.digest != image.bytes()
                {
                    let found = format!("another {:?} digest", digest.algorithm);
                    return Err(Refusal::OtherImage { image: image.clone(), found });
                }
                None
            }
            _ => return Err(Refusal::Unsupported("the bundle has content of an unknown kind".to_owned())),
        };
        Ok(Self { content: bundle, signed: Signed::Image(hash), predicate_type, hashed: OnceCell::new() })
    }

    /// Reads one whose signature is over `payload`, which whoever calls has seen to be about the image.
    pub fn of_payload(bytes: &[u8], payload: &[u8], image: &Digest) -> Result<Self, Refusal> {
        let bundle = Self::read(bytes, image)?;
        Ok(Self { signed: Signed::Payload(payload.to_vec()), ..bundle })
    }

    fn has_certificate(&self) -> bool {
        !matches!(self.content.verification_material.content, VerificationMaterialContent::PublicKey(_))
    }

    fn by_key(&self, key: &PublicKey, root: Option<&Root>, clocks: Option<&Clocks>) -> Result<Proof, Unfit> {
        if self.has_certificate() {
            return Err(Unfit::Kind { found: "a certificate", wanted: "a key" });
        }
        let by = Signer::Key(key.digest());
        let Some(root) = root else {
            // Where nobody vouches for what a log or a clock says, it is not looked at.
            self.signature(key)?;
            let at = clocks.map(|clocks| self.stamps(clocks)).transpose()?.unwrap_or_default();
            return Ok(Proof { by, at, logged: false, remarks: Vec::new() });
        };
        let policy = PublicKeyVerificationPolicy::new(key.0.clone());
        self.in_log()?;
        let result = root.0.verify(self.artifact(), &self.content, &policy).map_err(|why| unfit(&why))?;
        proof(by, &result)
    }

    /// Whether `key` made the signature.
    pub fn signature(&self, key: &PublicKey) -> Result<(), Unfit> {
        let wrong = |error: sigstore_verify::crypto::Error| Unfit::Signature(error.to_string());
        let key = VerificationKey::from_spki(&key.0).map_err(wrong)?;
        match &self.content.content {
            SignatureContent::DsseEnvelope(envelope) => {
                let signature = &envelope.signature.sig;
                if key.scheme().hash_algorithm() == Some(HashAlgorithm::Sha2256) {
                    key.verify_prehashed(self.hash_of(envelope).bytes(), signature)
                } else {
                    key.verify(envelope.pae(), signature)
                }
            }
            SignatureContent::MessageSignature(message) => match &self.signed {
                Signed::Image(hash) => key.verify_prehashed(hash.as_bytes(), &message.signature),
                Signed::Payload(bytes) => key.verify(bytes, &message.signature),
            },
            _ => return Err(Unfit::Unsupported("the bundle has content of an unknown kind".to_owned())),
        }
        .map_err(wrong)
    }

    /// SHA-256 of what the signature in `envelope` is over: DSSE 1.0, "PAE".
    fn hash_of(&self, envelope: &DsseEnvelope) -> &Digest {
        self.hashed.get_or_init(|| {
            let (kind, payload) = (&envelope.payload_type, envelope.payload.as_bytes());
            let mut hasher = Hasher::new(Algorithm::Sha256);
            hasher.update(format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).as_bytes());
            hasher.update(payload);
            hasher.finish()
        })
    }

    /// When `clocks` saw the signature. What is there must be right.
    fn stamps(&self, clocks: &Clocks) -> Result<Vec<Timestamp>, Unfit> {
        let signature = match &self.content.content {
            SignatureContent::DsseEnvelope(envelope) => &envelope.signature.sig,
            SignatureContent::MessageSignature(message) => &message.signature,
            _ => return Err(Unfit::Unsupported("the bundle has content of an unknown kind".to_owned())),
        };
        let all = &self.content.verification_material.timestamp_verification_data.rfc3161_timestamps;
        if all.len() > MAX_STAMPS {
            return Err(Unfit::Time(format!("{} timestamps are more than {MAX_STAMPS}", all.len())));
        }
        let check = |stamp: &[u8]| clocks.check(stamp, signature.as_bytes()).map_err(Unfit::Time);
        all.iter().map(|stamp| check(stamp.signed_timestamp.as_bytes())).collect()
    }

    fn by_identity(&self, subject: &Pattern, issuer: &Pattern, root: &Root) -> Result<Proof, Unfit> {
        if !self.has_certificate() {
            return Err(Unfit::Kind { found: "a key", wanted: "a certificate" });
        }
        self.in_log()?;
        let anybody = VerificationPolicy::any_identity();
        let result = root.0.verify(self.artifact(), &self.content, &anybody).map_err(|why| unfit(&why))?;
        if !result.certificate_verified() {
            return Err(Unfit::Certificate("its chain was not checked".to_owned()));
        }
        let found = result.identity().map_or("", |identity| identity.as_str()).to_owned();
        if found.is_empty() || !subject.is(&found) {
            return Err(Unfit::Subject { found, wanted: subject.to_string() });
        }
        let vouches = result.issuer().unwrap_or_default().to_owned();
        if vouches.is_empty() || !issuer.is(&vouches) {
            return Err(Unfit::Issuer { found: vouches, wanted: issuer.to_string() });
        }
        proof(Signer::Identity { subject: found, issuer: vouches }, &result)
    }

    /// Whether there is any entry to check: of none, all are right.
    fn in_log(&self) -> Result<(), Unfit> {
        if self.content.verification_material.tlog_entries.is_empty() {
            return Err(Unfit::Log("the bundle has no entry of it".to_owned()));
        }
        Ok(())
    }

    fn artifact(&self) -> Artifact<'_> {
        match &self.signed {
            Signed::Image(hash) => Artifact::from_digest(*hash),
            Signed::Payload(bytes) => Artifact::from(bytes.as_slice()),
        }
    }
}

impl Claim for Bundle {
    fn is_of(&self, who: &Who) -> Result<Proof, Unfit> {
        match who {
            Who::Key { key, root, clocks } => self.by_key(key, root.as_deref(), clocks.as_deref()),
            Who::Identity { subject, issuer, root } => self.by_identity(subject, issuer, root),
            Who::Notary { .. } | Who::Unspoken { .. } => {
                Err(Unfit::Kind { found: "a bundle", wanted: "Notary Project" })
            }
        }
    }

    fn hints(&self, key: &Digest) -> bool {
        match &self.content.verification_material.content {
            VerificationMaterialContent::PublicKey(named) => named.hint == hint(key),
            _ => false,
        }
    }

    fn statement(&self) -> Result<Option<Statement>, Refusal> {
        match (&self.content.content, self.predicate_type.as_deref()) {
            (SignatureContent::DsseEnvelope(envelope), Some(kind)) if kind != COSIGN_SIGN => {
                Statement::read(envelope.payload.as_bytes()).map(Some)
            }
            _ => Ok(None),
        }
    }
}

fn proof(by: Signer, result: &VerificationResult) -> Result<Proof, Unfit> {
    if !result.tlog_verified() {
        return Err(Unfit::Log("its entry was not checked".to_owned()));
    }
    Ok(Proof { by, at: result.verified_timestamps().to_vec(), logged: true, remarks: Vec::new() })
}

fn unfit(error: &Error) -> Unfit {
    let why = error.to_string();
    match error {
        Error::SignatureInvalid(_) | Error::ArtifactMismatch(_) => Unfit::Signature(why),
        Error::Certificate(_) => Unfit::Certificate(why),
        Error::TransparencyLog(_) => Unfit::Log(why),
        Error::Timestamp(_) => Unfit::Time(why),
        _ => Unfit::Unsupported(why),
    }
}
