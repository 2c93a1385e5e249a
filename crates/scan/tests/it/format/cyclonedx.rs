//! CycloneDX against the schemas of its project.

use std::collections::BTreeSet;

use boltseal_scan::format;
use serde_json::Value;

use super::{bare, complaints, document, empty, example, reports};

fn bom(report: &boltseal_model::Report) -> Value {
    document(format::by_name("cyclonedx").unwrap(), report)
}

#[test]
fn fits_the_schema() {
    let Some(folder) = boltseal_testkit::unpacked("data/fixtures/schemas.tar.zst") else { return };
    let read = |name: &str| -> Value {
        let path = folder.path(&format!("schemas/cyclonedx/{name}"));
        serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
    };
    let registry = jsonschema::Registry::new()
        .add("http://cyclonedx.org/schema/spdx.schema.json", read("spdx.schema.json"))
        .and_then(|r| r.add("http://cyclonedx.org/schema/jsf-0.82.schema.json", read("jsf-0.82.schema.json")))
        .and_then(jsonschema::RegistryBuilder::prepare)
        .unwrap();
    let schema = read("bom-1.6.schema.json");
    let validator =
        jsonschema::options().with_registry(&registry).should_validate_formats(true).build(&schema).unwrap();
    for (name, report) in reports() {
        assert_eq!(complaints(&validator, &bom(&report)), [""; 0], "{name}");
    }
}

#[test]
fn a_bare_bill_of_materials_claims_nothing_about_vulnerabilities() {
    assert!(bom(&bare()).get("vulnerabilities").is_none());
    assert!(bom(&empty()).get("vulnerabilities").is_none());
    let mut clean = example();
    clean.findings.clear();
    clean.omitted.ignored.clear();
    assert_eq!(bom(&clean)["vulnerabilities"], Value::Array(Vec::new()));
}

#[test]
fn references_are_unique_and_lead_somewhere() {
    for (name, report) in reports() {
        let bom = bom(&report);
        let mut refs = BTreeSet::new();
        let root = std::iter::once(&bom["metadata"]["component"]);
        for component in root.chain(bom["components"].as_array().unwrap()) {
            assert!(refs.insert(component["bom-ref"].as_str().unwrap()), "{name}");
        }
        let vulnerabilities = bom["vulnerabilities"].as_array().into_iter().flatten();
        for vulnerability in vulnerabilities {
            let affects = vulnerability["affects"].as_array().unwrap();
            assert!(!affects.is_empty(), "{name}: {vulnerability}");
            for affect in affects {
                assert!(refs.contains(affect["ref"].as_str().unwrap()), "{name}: {affect}");
            }
        }
        for target in bom["dependencies"][0]["dependsOn"].as_array().unwrap() {
            assert!(refs.contains(target.as_str().unwrap()), "{name}: {target}");
        }
    }
}

#[test]
fn says_what_is_known() {
    let bom = bom(&example());
    assert_eq!(bom["compositions"][0]["aggregate"], "incomplete");
    let purl = bom["metadata"]["component"]["purl"].as_str().unwrap();
    assert!(purl.starts_with("pkg:oci/cart@sha256%3A"), "{purl}");
    assert!(purl.ends_with("?arch=arm64&repository_url=registry.example.com/shop/cart&tag=7"), "{purl}");
    let found = bom["vulnerabilities"].as_array().unwrap();
    let first = &found[0];
    assert_eq!(first["ratings"][0]["severity"], "critical");
    assert_eq!(first["ratings"][1]["method"], "CVSSv31");
    assert_eq!(first["ratings"][2]["method"], "CVSSv4");
    assert!(first["recommendation"].as_str().unwrap().contains("apt-get"));
    assert_eq!(found[1]["analysis"]["response"][0], "will_not_fix");
    assert_eq!(found[1]["ratings"][1]["method"], "CVSSv2");
    assert_eq!(found[2]["analysis"]["state"], "in_triage");
    assert_eq!(found[2]["affects"].as_array().unwrap().len(), 2);
    assert_eq!(found[3]["properties"][0]["value"], "only used in tests");
    assert_eq!(bom["components"][2]["licenses"][0]["expression"], "MIT OR CC0-1.0");
    assert_eq!(bom["components"][1]["licenses"][1]["license"]["name"], "Artistic or GPL-1+");
}
