//! Saying something about an image, and signing it: bundles of sigstore 0.3 around DSSE, as cosign 3 makes them.
//!
//! First somebody's key signs ([`Said`]); then others may vouch for it, a log ([`Said::with_entry`]) and a clock
//! ([`Said::with_stamp`]); then all of it becomes one file ([`Said::into_bundle`]).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::{Algorithm, Digest};
use serde_json::{Value, json};
use sigstore_verify::{crypto::parse_certificate_info, types::DerCertificate};

use crate::{
    KeyError, MAX_EVIDENCE, PrivateKey, Signer, Stamped, Statement, pem,
    statement::{COSIGN_SIGN, PAYLOAD_TYPE, STATEMENT},
};

/// What a bundle is called in registries, both as the type of the artifact and as that of its only layer.
pub const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

impl Statement {
    /// "I signed this", and no more.
    pub fn signature() -> Self {
        Self { predicate_type: COSIGN_SIGN.to_owned(), predicate: Value::Object(serde_json::Map::new()) }
    }
}

/// A certificate for minutes, which an authority gave to whoever holds a key.
#[derive(Clone, Debug)]
pub struct Passport {
    der: Vec<u8>,
    /// Whom it names.
    pub signer: Signer,
}

impl Passport {
    /// Reads PEM, of which the first certificate counts. It must be of `key`, and name somebody.
    pub fn read(text: &str, key: &PrivateKey) -> Result<Self, KeyError> {
        let unfit = |why: String| KeyError::Unfit(format!("the certificate cannot be used: {why}"));
        let blocks = pem::blocks(text).map_err(unfit)?;
        let first = blocks.first().filter(|block| block.label == "CERTIFICATE");
        let der = first.ok_or_else(|| unfit("there is none".to_owned()))?.bytes.to_vec();
        let info = parse_certificate_info(&DerCertificate::new(der.clone()))
            .map_err(|why| unfit(why.to_string()))?;
        if Digest::of(info.public_key.as_bytes()) != key.public().digest() {
            return Err(unfit("it is of another key".to_owned()));
        }
        let (Some(subject), Some(issuer)) = (info.identity, info.issuer) else {
            return Err(unfit("it names nobody".to_owned()));
        };
        Ok(Self { der, signer: Signer::Identity { subject: subject.as_str().to_owned(), issuer } })
    }

    /// As PEM.
    pub fn to_pem(&self) -> String {
        pem::written("CERTIFICATE", &self.der).to_string()
    }

    /// In DER.
    pub fn der(&self) -> &[u8] {
        &self.der
    }
}

/// What was said and signed, and who vouches for it.
#[derive(Clone, Debug)]
pub struct Said {
    envelope: Value,
    signature: Vec<u8>,
    hashed: Option<Vec<u8>>,
    entries: Vec<Value>,
    stamps: Vec<Stamped>,
}

impl Said {
    /// The holder of `key` says `statement` about the image whose manifest is `image`. `name` is what people call the image;
    /// nobody checks it.
    pub fn new(
        statement: &Statement,
        image: &Digest,
        name: Option<&str>,
        key: &PrivateKey,
    ) -> Result<Self, KeyError> {
        if image.algorithm() != Algorithm::Sha256 {
            return Err(KeyError::Unfit(format!("bundles are made for SHA-256 alone, not for {image}")));
        }
        let mut subject = json!({ "digest": { "sha256": image.hex() } });
        if let (Some(name), Some(fields)) = (name, subject.as_object_mut()) {
            fields.insert("name".to_owned(), json!(name));
        }
        let payload = json!({
            "_type": STATEMENT,
            "subject": [subject],
            "predicateType": statement.predicate_type,
            "predicate": statement.predicate,
        })
        .to_string();
        let message = sigstore_verify::types::pae(PAYLOAD_TYPE, payload.as_bytes());
        let signature = key.sign(&message)?;
        let hashed = key.public().hash().map(|hash| hash.of(&message));
        let envelope = json!({
            "payload": STANDARD.encode(&payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{ "sig": STANDARD.encode(&signature) }],
        });
        Ok(Self { envelope, signature, hashed, entries: Vec::new(), stamps: Vec::new() })
    }

    /// The envelope of DSSE: what a log takes in.
    pub const fn envelope(&self) -> &Value {
        &self.envelope
    }

    /// The hash of what was signed, by the function of the key; Ed25519 has none.
    pub fn hashed(&self) -> Option<&[u8]> {
        self.hashed.as_deref()
    }

    /// What a clock is asked about.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// A log has it: `entry` is a `TransparencyLogEntry` of `sigstore_rekor.proto`, in JSON.
    #[must_use]
    pub fn with_entry(mut self, entry: Value) -> Self {
        self.entries.push(entry);
        self
    }

    /// A clock saw it.
    #[must_use]
    pub fn with_stamp(mut self, stamp: Stamped) -> Self {
        self.stamps.push(stamp);
        self
    }

    /// The bundle: by a certificate where there is one, else by the key alone.
    pub fn into_bundle(self, key: &PrivateKey, passport: Option<&Passport>) -> Result<Vec<u8>, KeyError> {
        let stamps =
            self.stamps.iter().map(|one| json!({ "signedTimestamp": STANDARD.encode(&one.response) }));
        let mut material = json!({ "tlogEntries": self.entries });
        if let Some(fields) = material.as_object_mut() {
            let (name, signer) = match passport {
                Some(passport) => ("certificate", json!({ "rawBytes": STANDARD.encode(&passport.der) })),
                // A hint, no more: which of several keys to try first.
                None => ("publicKey", json!({ "hint": hint(&key.public().digest()) })),
            };
            fields.insert(name.to_owned(), signer);
            if !self.stamps.is_empty() {
                let stamps: Vec<Value> = stamps.collect();
                fields.insert("timestampVerificationData".to_owned(), json!({ "rfc3161Timestamps": stamps }));
            }
        }
        let bundle = json!({
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": material,
            "dsseEnvelope": self.envelope,
        })
        .to_string()
        .into_bytes();
        if bundle.len() > MAX_EVIDENCE {
            let why = format!("{} bytes are more than {MAX_EVIDENCE} for a bundle", bundle.len());
            return Err(KeyError::Unfit(why));
        }
        Ok(bundle)
    }
}

/// What bundles of ours and of cosign call a key: its SHA-256 in base64.
pub(crate) fn hint(key: &Digest) -> String {
    STANDARD.encode(key.bytes())
}

/// The bundle in which the holder of `key` says `statement` about the image, and nobody else vouches for it.
pub fn sign(
    statement: &Statement,
    image: &Digest,
    name: Option<&str>,
    key: &PrivateKey,
) -> Result<Vec<u8>, KeyError> {
    Said::new(statement, image, name, key)?.into_bundle(key, None)
}
