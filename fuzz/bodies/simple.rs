//! Any text as a payload of cosign's older form, with its annotations: `KEY=VALUE` a line, `\n` for the end of a line in a
//! value, an empty line, the payload. Nothing panics, and nothing is believed that the one key did not sign.

use std::collections::BTreeMap;

use boltseal_model::Digest;
use boltseal_trust::{Evidence, Form, verify};

use super::keyed::holder;

/// Reads `text`.
pub fn body(text: &str) {
    let (annotations, payload) = text.split_once("\n\n").unwrap_or(("", text));
    let annotations: BTreeMap<String, String> = annotations
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(key, value)| (key.to_owned(), value.replace("\\n", "\n")))
        .collect();
    let image = Digest::of(b"image");
    for form in [Form::SimpleSigning, Form::Envelope] {
        let evidence = Evidence { form, bytes: payload.as_bytes(), annotations: &annotations };
        assert!(verify(&evidence, &image, &[holder()]).is_err(), "believed what nobody signed");
    }
}
