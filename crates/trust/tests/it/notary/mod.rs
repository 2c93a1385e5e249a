//! Notary Project: signatures of real tools, and what attackers make of signatures that are made here.

mod attacks;
mod certificates;
mod made;
mod policies;
mod signing;
mod vectors;

use std::{collections::BTreeMap, sync::Arc};

use boltseal_model::{Digest, Timestamp};
use boltseal_trust::{
    Authority, Evidence, Form, Refusal, Revoked, Signed, Weighed, Who,
    notary::{Document, StoreKind, Stores, Trust},
    verify, weigh,
};
use serde_json::{Value, json};

/// A moment at which the made certificates are valid.
const NOW: &str = "2026-11-01T12:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A trust policy with one statement for any image, with `changes` on top.
fn policy(changes: &Value) -> Value {
    let mut statement = json!({
        "name": "any",
        "registryScopes": ["*"],
        "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:acme"],
        "trustedIdentities": ["*"],
    });
    for (key, value) in changes.as_object().unwrap() {
        statement[key] = value.clone();
    }
    json!({ "version": "1.0", "trustPolicies": [statement] })
}

/// Whom a test believes.
struct Believed {
    policy: Value,
    stores: Vec<(StoreKind, Vec<u8>)>,
    revoked: Revoked,
    now: Timestamp,
}

impl Believed {
    fn authority(&self) -> Authority {
        let document = Document::parse(&self.policy.to_string()).unwrap();
        let statement = document.of("registry.example.com/app").unwrap().clone();
        let mut stores = Stores::default();
        for (kind, bytes) in &self.stores {
            stores.add(*kind, "acme", bytes).unwrap();
        }
        let trust = Trust { statement, stores: stores.into(), revoked: Arc::new(self.revoked.clone()) };
        Authority::new("acme", Who::Notary { trust: trust.into(), now: self.now })
    }

    fn verify(&self, form: Form, bytes: &[u8], image: &Digest) -> Result<Signed, Refusal> {
        verify(&Evidence { form, bytes, annotations: &BTreeMap::new() }, image, &[self.authority()])
    }

    fn weigh(&self, form: Form, bytes: &[u8], image: &Digest) -> Weighed {
        weigh(&Evidence { form, bytes, annotations: &BTreeMap::new() }, image, &[self.authority()])
    }
}

/// Holds `found` against a part of what the signer's name, or the reason of the refusal, must have.
fn check(name: &str, found: &Result<Signed, Refusal>, expected: Result<&str, &str>) {
    match (found, expected) {
        (Ok(signed), Ok(by)) => assert!(signed.by.to_string().contains(by), "{name}: {signed:?}"),
        (Err(refusal), Err(why)) => {
            assert!(!why.is_empty() && refusal.to_string().contains(why), "{name}: {refusal}, not {why}");
        }
        _ => assert_eq!(found.is_ok(), expected.is_ok(), "{name}: {found:?}, not {expected:?}"),
    }
}
