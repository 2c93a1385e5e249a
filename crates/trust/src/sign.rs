//! Saying something about an image, and signing it: bundles of sigstore 0.3 around DSSE, as cosign 3 makes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::{Algorithm, Digest};
use serde_json::{Value, json};

use crate::{
    KeyError, MAX_EVIDENCE, PrivateKey, Statement,
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

/// The bundle in which the holder of `key` says `statement` about the image whose manifest is `image`. `name` is what
/// people call the image; nobody checks it.
pub fn sign(
    statement: &Statement,
    image: &Digest,
    name: Option<&str>,
    key: &PrivateKey,
) -> Result<Vec<u8>, KeyError> {
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
    let signature = key.sign(&sigstore_verify::types::pae(PAYLOAD_TYPE, payload.as_bytes()))?;
    let bundle = json!({
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {
            // A hint, no more: which of several keys to try first.
            "publicKey": { "hint": STANDARD.encode(key.public().digest().bytes()) },
            "tlogEntries": [],
        },
        "dsseEnvelope": {
            "payload": STANDARD.encode(&payload),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [{ "sig": STANDARD.encode(signature) }],
        },
    })
    .to_string()
    .into_bytes();
    if bundle.len() > MAX_EVIDENCE {
        let why = format!("{} bytes are more than {MAX_EVIDENCE} for a bundle", bundle.len());
        return Err(KeyError::Unfit(why));
    }
    Ok(bundle)
}
