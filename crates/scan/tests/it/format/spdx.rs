//! SPDX: the rules of the specification that matter here, and its own validator where that is installed.

use std::{collections::BTreeSet, process::Command};

use boltseal_scan::format;
use serde_json::Value;

use super::{document, reports};

fn spdx(report: &boltseal_model::Report) -> Value {
    document(format::by_name("spdx").unwrap(), report)
}

/// Sections 6.3, 7.2: `SPDXRef-` and letters, digits, `.`, `-`; unique; every relationship leads to one.
#[test]
fn identifiers_are_well_formed_unique_and_related() {
    for (name, report) in reports() {
        let document = spdx(&report);
        assert_eq!(document["spdxVersion"], "SPDX-2.3");
        let mut ids = BTreeSet::from(["SPDXRef-DOCUMENT"]);
        for package in document["packages"].as_array().unwrap() {
            let id = package["SPDXID"].as_str().unwrap();
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
            assert!(id.strip_prefix("SPDXRef-").unwrap().bytes().all(plain), "{name}: {id}");
            assert!(ids.insert(id), "{name}: {id} twice");
        }
        assert_eq!(document["relationships"][0]["relationshipType"], "DESCRIBES");
        let relationships = document["relationships"].as_array().unwrap();
        assert_eq!(relationships.len(), document["packages"].as_array().unwrap().len());
        for relationship in relationships {
            assert!(
                ids.contains(relationship["relatedSpdxElement"].as_str().unwrap()),
                "{name}: {relationship}"
            );
        }
    }
}

#[test]
fn licences_are_expressions_or_carried_word_for_word() {
    let document = spdx(&super::example());
    let declared: Vec<&str> = document["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["licenseDeclared"].as_str().unwrap())
        .collect();
    assert_eq!(declared[3], "MIT OR CC0-1.0");
    assert_eq!(declared[4], "NOASSERTION");
    let extracted = &document["hasExtractedLicensingInfos"][0];
    assert_eq!(extracted["licenseId"], declared[2]);
    assert_eq!(extracted["extractedText"], "Apache-2.0\nArtistic or GPL-1+");
}

/// Section 6.9: `YYYY-MM-DDThh:mm:ssZ`, without fractions. The JSON schema spells purposes with underscores.
#[test]
fn moments_and_words_are_those_of_the_schema() {
    let mut report = super::example();
    report.snapshot.as_mut().unwrap().built = "2026-11-22T06:10:00.756930157Z".parse().unwrap();
    let document = spdx(&report);
    assert_eq!(document["creationInfo"]["created"], "2026-11-22T06:10:00Z");
    assert_eq!(document["packages"][1]["primaryPackagePurpose"], "OPERATING_SYSTEM");
}

#[test]
fn findings_are_security_references() {
    let document = spdx(&super::example());
    let refs = &document["packages"][2]["externalRefs"];
    assert_eq!(refs[0]["referenceType"], "purl");
    assert_eq!(refs[1]["referenceCategory"], "SECURITY");
    assert_eq!(refs[1]["referenceLocator"], "https://example.com/CVE-2026-0001");
    assert!(refs[1]["comment"].as_str().unwrap().contains("fixed in 3.0.13-1~deb12u1"));
}

#[test]
fn the_validator_of_the_spdx_project_has_no_complaint() {
    let Some(validator) = boltseal_testkit::peer("pyspdxtools") else { return };
    let folder = tempfile::tempdir().unwrap();
    for (name, report) in reports() {
        let path = folder.path().join(format!("{name}.spdx.json"));
        std::fs::write(&path, format::by_name("spdx").unwrap().text(&report).unwrap()).unwrap();
        let run = Command::new(&validator)
            .arg("--infile")
            .arg(&path)
            .arg("--version")
            .arg("SPDX-2.3")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&run.stderr).into_owned() + &String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "{name}: {said}");
    }
}
