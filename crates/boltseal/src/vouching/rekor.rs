//! A log that takes signatures in and proves that it has them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_trust::{Passport, PrivateKey, Said};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Services, json, strange};
use crate::exit::Failure;

const SERVICE: &str = "the log";
/// Fields of an entry that bundles have (`sigstore_rekor.proto`). The time of version 2 is always zero, and is left out.
const FIELDS: [&str; 5] = ["logIndex", "logId", "kindVersion", "inclusionProof", "canonicalizedBody"];

/// An entry of version 1, as `openapi.yaml` of Rekor has it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry {
    body: String,
    integrated_time: i64,
    #[serde(rename = "logID")]
    log_id: String,
    log_index: u64,
    verification: Verification,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Verification {
    inclusion_proof: Proof,
    signed_entry_timestamp: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Proof {
    checkpoint: String,
    hashes: Vec<String>,
    log_index: u64,
    root_hash: String,
    tree_size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Kind {
    kind: String,
    api_version: String,
}

impl Services {
    /// Has the log at `address` take in what `said` signed, by `key` or by a certificate for it. The entry is one of
    /// `sigstore_rekor.proto`, in JSON. With `timed` it must say when, which logs of version 2 do not.
    pub fn entry(
        &self,
        address: &str,
        said: &Said,
        key: &PrivateKey,
        passport: Option<&Passport>,
        timed: bool,
    ) -> Result<Value, Failure> {
        if !timed {
            let body = newer(said, key, passport).ok_or_else(|| {
                strange(SERVICE, address, &"logs of version 2 take in no keys of this kind (Ed25519)")
            })?;
            let answer = self.post(SERVICE, address, "/api/v2/log/entries", &body)?;
            if answer.status() != 404 {
                return entry(json(SERVICE, address, answer)?).ok_or_else(|| {
                    strange(SERVICE, address, &"its answer is no entry with a proof that it is in the log")
                });
            }
        }
        let answer = self.post(SERVICE, address, "/api/v1/log/entries", &older(said, key, passport))?;
        if timed && answer.status() == 404 {
            let why = "it tells no time, as logs of version 2: ask a clock as well (--tsa)";
            return Err(strange(SERVICE, address, &why));
        }
        let answer = json(SERVICE, address, answer)?;
        // By its number, of which there is one.
        let found = answer.as_object().and_then(|all| all.values().next()).cloned().unwrap_or_default();
        let found: Entry = serde_json::from_value(found).map_err(|why| strange(SERVICE, address, &why))?;
        found.into_newer().map_err(|why| strange(SERVICE, address, &why))
    }
}

/// What version 2 is asked: it knows no envelopes, and takes in the hash of what is signed in one.
fn newer(said: &Said, key: &PrivateKey, passport: Option<&Passport>) -> Option<Value> {
    let mut verifier = json!({ "keyDetails": key.public().details()? });
    let (name, bytes) = match passport {
        Some(passport) => ("x509Certificate", passport.der()),
        None => ("publicKey", key.public().der()),
    };
    verifier.as_object_mut()?.insert(name.to_owned(), json!({ "rawBytes": STANDARD.encode(bytes) }));
    Some(json!({ "hashedRekordRequestV002": {
        "digest": STANDARD.encode(said.hashed()?),
        "signature": { "content": STANDARD.encode(said.signature()), "verifier": verifier },
    }}))
}

/// What version 1 is asked.
fn older(said: &Said, key: &PrivateKey, passport: Option<&Passport>) -> Value {
    let verifier = passport.map_or_else(|| key.public().to_pem(), Passport::to_pem);
    json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": { "proposedContent": {
            "envelope": said.envelope().to_string(),
            "verifiers": [STANDARD.encode(verifier)],
        }},
    })
}

/// The answer of version 2 without what bundles do not have.
fn entry(answer: Value) -> Option<Value> {
    let Value::Object(mut all) = answer else { return None };
    let kept: Map<String, Value> =
        FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), all.remove(*name)?))).collect();
    kept.get("inclusionProof").filter(|proof| proof.is_object())?;
    Some(Value::Object(kept))
}

impl Entry {
    /// As bundles have it.
    fn into_newer(self) -> Result<Value, String> {
        let body = STANDARD.decode(&self.body).map_err(|why| why.to_string())?;
        let kind: Kind = serde_json::from_slice(&body).map_err(|why| why.to_string())?;
        let hex = |text: &String| bytes_of(text).map(|bytes| STANDARD.encode(bytes));
        let Verification { inclusion_proof: proof, signed_entry_timestamp } = self.verification;
        let hashes: Vec<String> = proof.hashes.iter().map(hex).collect::<Result<_, _>>()?;
        Ok(json!({
            "logIndex": self.log_index.to_string(),
            "logId": { "keyId": hex(&self.log_id)? },
            "kindVersion": { "kind": kind.kind, "version": kind.api_version },
            "integratedTime": self.integrated_time.to_string(),
            "inclusionPromise": { "signedEntryTimestamp": signed_entry_timestamp },
            "inclusionProof": {
                "logIndex": proof.log_index.to_string(),
                "rootHash": hex(&proof.root_hash)?,
                "treeSize": proof.tree_size.to_string(),
                "hashes": hashes,
                "checkpoint": { "envelope": proof.checkpoint },
            },
            "canonicalizedBody": self.body,
        }))
    }
}

fn bytes_of(text: &str) -> Result<Vec<u8>, String> {
    let broken = || format!("`{text}` is no hash in hex");
    if !text.is_ascii() || text.len() % 2 == 1 {
        return Err(broken());
    }
    let byte = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..text.len()).step_by(2).map(|at| byte(at).ok_or_else(broken)).collect()
}
