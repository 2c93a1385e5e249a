//! Any text as an ignore file: no panic, and no finding is lost, whatever it says.

use boltseal_flow::IgnoreFile;
use boltseal_model::{Coverage, Finding, Report, Timestamp};

/// Reads `text` and applies it twice: the second time has nothing left to do.
pub fn body(text: &str) {
    let Ok(file) = IgnoreFile::parse(text) else { return };
    let mut report = report();
    let before: Vec<String> = report.findings.iter().map(|finding| finding.id.clone()).collect();
    let over = file.apply(&mut report, Timestamp::UNIX_EPOCH);
    assert!(over.iter().chain(file.unread()).all(|told| !told.is_empty()), "{over:?} {:?}", file.unread());
    let left = report.findings.len();
    let aside = report.omitted.ignored.iter().map(|ignored| &ignored.finding);
    let mut after: Vec<String> =
        report.findings.iter().chain(aside).map(|finding| finding.id.clone()).collect();
    after.sort();
    assert_eq!(after, before, "a finding was lost");
    file.apply(&mut report, Timestamp::UNIX_EPOCH);
    assert_eq!(report.findings.len(), left);
}

fn report() -> Report {
    let text = serde_json::json!({
        "subject": { "reference": "docker://debian:12", "name": "debian:12", "platform": null, "digest": null },
        "snapshot": null, "coverage": Coverage::of(Vec::new()), "distro": null, "layers": [], "packages": [],
        "findings": [], "verdict": null,
    });
    let mut report: Report = serde_json::from_value(text).unwrap();
    let findings = [
        (
            "CVE-2021-44228",
            "log4j-core",
            "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.0",
            "app/lib/log4j.jar",
        ),
        (
            "CVE-2022-3715",
            "bash",
            "pkg:deb/debian/bash@5.2?arch=amd64&distro=debian-12",
            "var/lib/dpkg/status",
        ),
        ("GHSA-jfh8-c2jp-5v3q", "requests", "pkg:pypi/requests@2.0.0", "usr/lib/python3/requests/METADATA"),
    ];
    for (id, package, purl, path) in findings {
        let finding = serde_json::json!({
            "id": id, "aliases": [], "package": package, "purl": purl, "installed": "1", "fixed": "2",
            "fixed_on": null, "severity": "high", "cvss": [], "kev": null, "epss": null, "status": "affected",
            "fix": null, "title": "", "published": null, "references": [],
            "proof": {
                "layer": null, "path": path, "advisory": id, "feed": "test", "matched": "", "range": "",
                "comparison": "",
            },
        });
        let finding: Finding = serde_json::from_value(finding).unwrap();
        report.findings.push(finding);
    }
    report
}
