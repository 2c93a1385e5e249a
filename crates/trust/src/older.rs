//! cosign's older forms (`cosign/specs/SIGNATURE_SPEC.md`, `ATTESTATION_SPEC.md`): a payload or an envelope in a layer, and
//! what belongs to it in annotations: the signature, and with a certificate, that, its chain, and what log and clock said.
//!
//! Each is read as the bundle of sigstore that it would be today, 0.1: that one takes the promise of a log for its proof, as
//! these have no other.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Claim, Evidence, Proof, Refusal, Statement, Unfit, Who, bundle::Bundle, pem};

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
const CHAIN: &str = "dev.sigstore.cosign/chain";
const LOG: &str = "dev.sigstore.cosign/bundle";
const CLOCK: &str = "dev.sigstore.cosign/rfc3161timestamp";
/// What the payload is about.
const KIND: &str = "cosign container image signature";
/// What other tools that write this form call it.
const OTHER_KIND: &str = "atomic container signature";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle+json;version=0.1";
/// Certificates of one signature. Those of sigstore's public instance have two above them.
const MAX_CERTIFICATES: usize = 10;

/// A signature or an attestation. What annotations say besides the signature is looked at only where it matters, since
/// anybody can add any.
pub struct Older {
    /// As one by a key alone.
    keyed: Bundle,
    /// With its entry of the log.
    logged: Result<Bundle, Refusal>,
    /// With its certificate, where it has one.
    certified: Option<Result<Bundle, Refusal>>,
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

/// What a log promised.
#[derive(Deserialize)]
struct Promise {
    #[serde(rename = "SignedEntryTimestamp")]
    promise: String,
    #[serde(rename = "Payload")]
    entry: Entry,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    body: String,
    integrated_time: i64,
    log_index: i64,
    #[serde(rename = "logID")]
    log_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    kind: String,
    api_version: String,
}

#[derive(Deserialize)]
struct Stamp {
    #[serde(rename = "SignedRFC3161Timestamp")]
    token: String,
}

impl Older {
    /// Reads a payload of "simple signing".
    pub fn payload(evidence: &Evidence<'_>, image: &Digest) -> Result<Self, Refusal> {
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
        STANDARD.decode(text).map_err(|error| malformed("the signature", error.to_string()))?;
        let content = ("messageSignature", json!({ "signature": text }));
        Self::of(evidence.annotations, &content, |json| Bundle::of_payload(json, evidence.bytes, image))
    }

    /// Reads an envelope of DSSE around a statement.
    pub fn envelope(evidence: &Evidence<'_>, image: &Digest) -> Result<Self, Refusal> {
        let envelope: Value = serde_json::from_slice(evidence.bytes)
            .map_err(|error| malformed("the attestation", error.to_string()))?;
        let content = ("dsseEnvelope", envelope);
        Self::of(evidence.annotations, &content, |json| Bundle::read(json, image))
    }

    fn of(
        annotations: &BTreeMap<String, String>,
        (name, content): &(&str, Value),
        read: impl Fn(&[u8]) -> Result<Bundle, Refusal>,
    ) -> Result<Self, Refusal> {
        let bundle = |material: Value| {
            let mut json = json!({ "mediaType": BUNDLE, "verificationMaterial": material });
            if let Some(fields) = json.as_object_mut() {
                fields.insert((*name).to_owned(), content.clone());
            }
            read(json.to_string().as_bytes())
        };
        let with = |signer: (&str, Value)| -> Result<Bundle, Refusal> {
            let mut json = json!({
                "tlogEntries": entries(annotations)?,
                "timestampVerificationData": { "rfc3161Timestamps": stamps(annotations)? },
            });
            if let Some(fields) = json.as_object_mut() {
                fields.insert(signer.0.to_owned(), signer.1);
            }
            bundle(json)
        };
        let key = || json!({ "hint": "" });
        let certified = annotations.contains_key(CERTIFICATE).then(|| {
            let chain = json!({ "certificates": certificates(annotations)? });
            with(("x509CertificateChain", chain))
        });
        Ok(Self {
            keyed: bundle(json!({ "publicKey": key(), "tlogEntries": [] }))?,
            logged: with(("publicKey", key())),
            certified,
        })
    }
}

impl Claim for Older {
    fn is_of(&self, who: &Who) -> Result<Proof, Unfit> {
        let read = |bundle: &Result<Bundle, Refusal>| match bundle {
            Ok(bundle) => bundle.is_of(who),
            Err(why) => Err(Unfit::Unsupported(why.to_string())),
        };
        match (who, &self.certified) {
            (Who::Identity { .. }, Some(certified)) => read(certified),
            (Who::Key { root: Some(_), .. } | Who::Key { clocks: Some(_), .. }, _) => read(&self.logged),
            _ => self.keyed.is_of(who),
        }
    }

    fn statement(&self) -> Result<Option<Statement>, Refusal> {
        self.keyed.statement()
    }
}

/// The certificate, and those above it.
fn certificates(annotations: &BTreeMap<String, String>) -> Result<Vec<Value>, Refusal> {
    let mut found = Vec::new();
    for text in [annotations.get(CERTIFICATE), annotations.get(CHAIN)].into_iter().flatten() {
        for block in pem::blocks(text).map_err(|why| malformed("the certificate", why))? {
            found.push(json!({ "rawBytes": STANDARD.encode(&*block.bytes) }));
        }
    }
    if found.is_empty() || found.len() > MAX_CERTIFICATES {
        let why = format!("there are {}, not one to {MAX_CERTIFICATES}", found.len());
        return Err(malformed("the certificate", why));
    }
    Ok(found)
}

/// What a log promised, as an entry of a bundle.
fn entries(annotations: &BTreeMap<String, String>) -> Result<Vec<Value>, Refusal> {
    let wrong = |why: String| malformed("the entry of the log", why);
    let Some(text) = annotations.get(LOG) else { return Ok(Vec::new()) };
    let Promise { promise, entry } = serde_json::from_str(text).map_err(|error| wrong(error.to_string()))?;
    let body = STANDARD.decode(&entry.body).map_err(|error| wrong(error.to_string()))?;
    let body: Body = serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
    let id = bytes_of_hex(&entry.log_id).ok_or_else(|| wrong("the log's name is not in hex".to_owned()))?;
    Ok(vec![json!({
        "logIndex": entry.log_index.to_string(),
        "logId": { "keyId": STANDARD.encode(id) },
        "kindVersion": { "kind": body.kind, "version": body.api_version },
        "integratedTime": entry.integrated_time.to_string(),
        "inclusionPromise": { "signedEntryTimestamp": promise },
        "canonicalizedBody": entry.body,
    })])
}

/// What a clock said.
fn stamps(annotations: &BTreeMap<String, String>) -> Result<Vec<Value>, Refusal> {
    let Some(text) = annotations.get(CLOCK) else { return Ok(Vec::new()) };
    let Stamp { token } =
        serde_json::from_str(text).map_err(|error| malformed("the timestamp", error.to_string()))?;
    Ok(vec![json!({ "signedTimestamp": token })])
}

fn bytes_of_hex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || text.len() % 2 == 1 {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn malformed(what: &'static str, why: String) -> Refusal {
    Refusal::Malformed { what, why }
}
