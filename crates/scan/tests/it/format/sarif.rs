//! SARIF against the schema of OASIS.

use std::collections::BTreeSet;

use boltseal_scan::format;
use serde_json::Value;

use super::{complaints, document, example, reports};

fn log(report: &boltseal_model::Report) -> Value {
    document(format::by_name("sarif").unwrap(), report)
}

#[test]
fn fits_the_schema() {
    let Some(folder) = boltseal_testkit::unpacked("data/fixtures/schemas.tar.zst") else { return };
    let path = folder.path("schemas/sarif-schema-2.1.0.json");
    let schema: Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    for (name, report) in reports() {
        assert_eq!(complaints(&validator, &log(&report)), [""; 0], "{name}");
    }
}

#[test]
fn results_name_their_rule_their_place_and_the_fix() {
    let log = log(&example());
    let run = &log["runs"][0];
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 6 + 3);
    for result in results {
        let rule =
            &run["tool"]["driver"]["rules"][usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()];
        assert_eq!(rule["id"], result["ruleId"]);
    }
    let first = &results[0];
    assert_eq!(first["level"], "error");
    assert!(first["message"]["text"].as_str().unwrap().contains("apt-get"));
    assert_eq!(first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "var/lib/dpkg/status");
    let help = &run["tool"]["driver"]["rules"][0];
    assert_eq!(help["properties"]["security-severity"], "9.8");
    assert!(help["help"]["markdown"].as_str().unwrap().contains("apt-get"));
    assert_eq!(run["invocations"][0]["toolExecutionNotifications"][0]["descriptor"]["id"], "file-not-parsed");
    let ignored = &results[4]["suppressions"][0];
    assert_eq!(
        (ignored["kind"].as_str(), &ignored["justification"]),
        (Some("external"), &"only used in tests".into())
    );
}

#[test]
fn paths_are_uris() {
    let log = log(&super::hostile());
    let uri = &log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    let uri = uri.as_str().unwrap();
    assert!(uri.starts_with("a%22b%3C/script%3E%00%0A%1B"), "{uri}");
    assert!(!uri.contains(':') && uri.is_ascii(), "{uri}");
}

#[test]
fn fingerprints_tell_findings_apart_and_survive_an_upgrade() {
    let fingerprints = |report: &boltseal_model::Report| -> Vec<String> {
        let log = log(report);
        let results = log["runs"][0]["results"].as_array().unwrap().clone();
        let one = |result: &Value| {
            let prints = &result["partialFingerprints"];
            let print = prints["vulnerabilityInPackage/v1"].as_str().or(prints["secretInPlace/v1"].as_str());
            print.unwrap().to_owned()
        };
        results.iter().map(one).collect()
    };
    let before = fingerprints(&example());
    assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), before.len());
    let mut upgraded = example();
    for finding in &mut upgraded.findings {
        finding.purl = finding.purl.replace("3.0.11", "3.0.12");
        finding.installed = finding.installed.replace("3.0.11", "3.0.12");
    }
    assert_eq!(before, fingerprints(&upgraded));
}

#[test]
fn secrets_stand_at_their_line_and_published_ones_are_left_out() {
    let log = log(&example());
    let results = log["runs"][0]["results"].as_array().unwrap();
    let place = |result: &Value| {
        let physical = &result["locations"][0]["physicalLocation"];
        let (uri, line) = (&physical["artifactLocation"]["uri"], &physical["region"]["startLine"]);
        format!("{} {} {line}", result["ruleId"].as_str().unwrap(), uri.as_str().unwrap())
    };
    let secrets: Vec<String> = results[6..].iter().map(place).collect();
    assert_eq!(
        secrets,
        [
            "secret/password app/.env 3",
            "secret/github-personal-access-token config.json 1",
            "secret/secret-value config.json 1",
        ]
    );
}
