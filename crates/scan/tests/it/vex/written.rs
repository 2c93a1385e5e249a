//! Documents of our own: they fit the schema, grow, and mean what was said.

use boltseal_model::{Timestamp, VexStatus};
use boltseal_scan::vex::write::{Addition, WriteError, add};
use serde_json::Value;

use super::{given, outcome, report};

fn at(day: &str) -> Timestamp {
    format!("2026-03-{day}T12:00:00Z").parse().unwrap()
}

fn addition<'a>(products: &'a [String], status: VexStatus, day: &str) -> Addition<'a> {
    Addition {
        products,
        parts: &[],
        vulnerability: "CVE-1",
        status,
        justification: (status == VexStatus::NotAffected).then_some("vulnerable_code_not_in_execute_path"),
        author: "Shop Team",
        reason: "templates never come from users",
        at: at(day),
    }
}

#[test]
fn documents_grow_and_the_latest_word_counts() {
    let image = ["pkg:oci/shop?repository_url=example.com/shop".to_owned()];
    let parts = ["pkg:npm/lodash".to_owned()];
    let said = Addition { parts: &parts, ..addition(&image, VexStatus::NotAffected, "01") };
    let first = add(None, &said).unwrap();
    assert_eq!(first, add(None, &said).unwrap(), "the same words, the same bytes");
    let second = add(Some(first.as_bytes()), &addition(&image, VexStatus::Affected, "02")).unwrap();
    let (one, two): (Value, Value) =
        (serde_json::from_str(&first).unwrap(), serde_json::from_str(&second).unwrap());
    assert_eq!((&one["@id"], &one["version"]), (&two["@id"], &Value::from(1)));
    assert_eq!((&two["version"], two["statements"].as_array().unwrap().len()), (&Value::from(2), 2));
    assert_eq!(two["statements"][0], one["statements"][0], "what was said stays");
    for (text, expected) in [(first, "CVE-1 gone: not_affected"), (second, "CVE-1: affected")] {
        let report = report("example.com/shop:7", &["CVE-1 pkg:npm/lodash@4.17.20"]);
        assert_eq!(outcome(&[given(text.as_bytes())], report).1, [expected]);
    }
}

#[test]
fn fits_the_schema() {
    let Some(folder) = boltseal_testkit::unpacked("data/fixtures/schemas.tar.zst") else { return };
    let schema = std::fs::read(folder.path("schemas/openvex_json_schema.json")).unwrap();
    let schema: Value = serde_json::from_slice(&schema).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let digest = boltseal_model::Digest::of(b"it");
    let products = [format!("pkg:oci/shop@{digest}"), "pkg:npm/%40a/b@1".to_owned()];
    let parts = ["pkg:deb/debian/bash".to_owned()];
    let mut document = None;
    for (status, day) in VexStatus::ALL.into_iter().zip(["01", "02", "03", "04"]) {
        let said = Addition { parts: &parts, ..addition(&products, status, day) };
        let text = add(document.as_deref(), &said).unwrap();
        let value: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(crate::format::complaints(&validator, &value), [""; 0], "{text}");
        assert_eq!(value["statements"][0]["products"][0]["hashes"]["sha-256"], digest.hex());
        document = Some(text.into_bytes());
    }
}

#[test]
fn refuses_what_would_count_for_nothing() {
    let bash = ["pkg:deb/debian/bash".to_owned()];
    let good = addition(&bash, VexStatus::NotAffected, "02");
    let existing = add(None, &good).unwrap();
    let (none, word) = ([], ["bash".to_owned()]);
    for (said, expected) in [
        (
            Addition { justification: None, ..good },
            "not_affected needs a justification: one of component_not_present,",
        ),
        (Addition { justification: Some("because"), ..good }, "`because` is no justification: one of"),
        (
            Addition { status: VexStatus::Fixed, ..good },
            "a justification goes with not_affected only, not with fixed",
        ),
        (Addition { author: " ", ..good }, "the author must not be empty"),
        (Addition { reason: "", ..good }, "the reason must not be empty"),
        (Addition { vulnerability: "", ..good }, "the vulnerability must not be empty"),
        (Addition { products: &none, ..good }, "the product must not be empty"),
        (Addition { products: &word, ..good }, "`bash` is no package URL"),
        (Addition { parts: &word, ..good }, "`bash` is no package URL"),
        (
            Addition { author: "Eve", ..good },
            "the document speaks for `Shop Team`: write a document of your own",
        ),
        (Addition { at: at("01"), ..good }, "the document was changed at 2026-03-02T12:00:00Z, after"),
    ] {
        let error = add(Some(existing.as_bytes()), &said).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let old = r#"{"@context":"https://openvex.dev/ns","author":"Shop Team"}"#;
    assert_eq!(add(Some(old.as_bytes()), &good), Err(WriteError::OtherFormat));
    assert!(matches!(add(Some(b"{"), &good), Err(WriteError::Existing(_))));
}
