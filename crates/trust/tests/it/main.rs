//! Signatures of real tools, and what attackers make of them.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test says what it expects in the plainest way"
)]

mod attacks;
mod bundles;
mod instance;
mod mutations;
mod notary;
mod older;
mod predicates;
mod sign;
mod simple;
mod windows;

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use boltseal_trust::{Authority, Evidence, Form, Pattern, PublicKey, Refusal, Root, Signed, Who, verify};
use serde_json::Value;

fn data(path: &str) -> Option<PathBuf> {
    boltseal_testkit::shared(&format!("data/signing/{path}"))
}

fn root(path: &str) -> Option<Arc<Root>> {
    Some(Arc::new(Root::parse(&fs::read_to_string(data(path)?).unwrap()).unwrap()))
}

fn anybody(root: &Arc<Root>) -> Authority {
    let any = || Pattern::anchored(".*").unwrap();
    Authority::new("anybody", Who::Identity { subject: any(), issuer: any(), root: root.clone() })
}

fn holder(key: &PublicKey) -> Authority {
    Authority::new("key", Who::key(key.clone()))
}

fn verified(bundle: &[u8], image: &Digest, authorities: &[Authority]) -> Result<Signed, Refusal> {
    let evidence = Evidence { form: Form::Bundle, bytes: bundle, annotations: &BTreeMap::new() };
    verify(&evidence, image, authorities)
}

/// What `bundle` is about; something else where it names no SHA-256.
fn subject(bundle: &Value) -> Digest {
    let named = if let Some(payload) = bundle["dsseEnvelope"]["payload"].as_str() {
        let statement: Value = serde_json::from_slice(&STANDARD.decode(payload).unwrap()).unwrap_or_default();
        let hex = statement["subject"][0]["digest"]["sha256"].as_str();
        hex.map(|hex| format!("sha256:{hex}").parse().unwrap())
    } else {
        let digest = bundle["messageSignature"]["messageDigest"]["digest"].as_str();
        digest.and_then(|digest| Digest::of_sha256(&STANDARD.decode(digest).unwrap()))
    };
    named.unwrap_or_else(|| Digest::of(b"something else"))
}
