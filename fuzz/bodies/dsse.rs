//! Any text as a bundle of sigstore, or as an envelope in one of cosign's older attestations. Nothing panics, and nothing is
//! believed that the one key did not sign.

use std::collections::BTreeMap;

use boltseal_model::Digest;
use boltseal_trust::{Evidence, Form, Statement, predicate::Wanted, verify};

use super::keyed::holder;

/// Reads `bytes`.
pub fn body(bytes: &[u8]) {
    let image = Digest::of(b"image");
    for form in [Form::Bundle, Form::Envelope] {
        let found = verify(&Evidence { form, bytes, annotations: &BTreeMap::new() }, &image, &[holder()]);
        assert!(found.is_err(), "believed what nobody signed");
    }
    // What somebody who is believed says may have any shape.
    let Ok(json) = serde_json::from_slice::<serde_json::Value>(bytes) else { return };
    for kind in ["slsaprovenance", "slsaprovenance1", "spdx", "cyclonedx", "openvex", "vuln"] {
        let predicate_type = boltseal_trust::predicate::type_of(kind).to_owned();
        let said = Statement { predicate_type, predicate: json.clone() }.says();
        let wanted = Wanted { source: Some("https://example.com/a@b".to_owned()), ..Wanted::default() };
        drop(wanted.check(&said));
    }
}
