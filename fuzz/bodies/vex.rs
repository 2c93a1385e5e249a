//! Any bytes as a VEX document: reading never panics; what was read is applied without losing a finding; what we extend
//! can be read again.

use boltseal_model::{Coverage, Finding, Package, Report, Timestamp, VexStatus};
use boltseal_scan::vex::{self, Origin, write::Addition};

/// Reads `bytes`, applies and extends what it finds.
pub fn body(bytes: &[u8]) {
    let _ = vex::repository::Index::parse(bytes, "seed").map(|index| index.about(&report()).len());
    let Ok(document) = vex::read(bytes, "seed", Origin::Given) else { return };
    let mut report = report();
    let before = report.findings.len();
    let applied = vex::apply(&[document.clone(), document.clone()], &mut report, &[]);
    assert_eq!(report.findings.len() + report.omitted.ignored.len(), before);
    assert_eq!(report.omitted.ignored.len(), applied.set_aside);
    let stays = |finding: &Finding| {
        let statements = &finding.statements;
        statements.iter().all(|said| !said.status.is_harmless())
            || statements.iter().any(|said| said.status == VexStatus::Affected)
    };
    assert!(report.findings.iter().all(stays));
    let author = document.author.clone();
    let products = ["pkg:deb/debian/bash".to_owned()];
    let addition = Addition {
        products: &products,
        parts: &[],
        vulnerability: "CVE-2022-3715",
        status: VexStatus::Affected,
        justification: None,
        author: &author,
        reason: "upgrade",
        at: Timestamp::MAX,
    };
    if let Ok(text) = vex::write::add(Some(bytes), &addition) {
        let again = vex::read(text.as_bytes(), "extended", Origin::Given).unwrap();
        assert_eq!(again.claims.len(), document.claims.len() + 1);
    }
}

fn report() -> Report {
    let findings = [
        ("CVE-2022-3715", "pkg:deb/debian/bash@5.2?arch=amd64&distro=debian-12"),
        ("CVE-2021-44228", "pkg:maven/org.springframework.boot/spring-boot@2.6.0"),
        ("CVE-2024-0001", "pkg:golang/github.com/aquasecurity/go-transitive@v4.0.0"),
    ];
    let text = serde_json::json!({
        "subject": {
            "reference": "docker://debian:12", "name": "debian:12", "platform": null,
            "digest": format!("sha256:{}", "ab".repeat(32)),
        },
        "snapshot": null, "coverage": Coverage::of(Vec::new()), "distro": null, "layers": [], "packages": [],
        "findings": [], "verdict": null,
    });
    let mut report: Report = serde_json::from_value(text).unwrap();
    for (id, purl) in findings {
        let path = "app/x".to_owned();
        report.packages.push(Package {
            purl: purl.to_owned(),
            paths: vec![path.clone()],
            ..Package::default()
        });
        let finding = serde_json::json!({
            "id": id, "aliases": [], "package": "x", "purl": purl, "installed": "1", "fixed": null, "fixed_on": null,
            "severity": "high", "cvss": [], "kev": null, "epss": null, "status": "affected", "fix": null, "title": "",
            "published": null, "references": [],
            "proof": {
                "layer": null, "path": path, "advisory": id, "feed": "test", "matched": "", "range": "", "comparison": "",
            },
        });
        report.findings.push(serde_json::from_value(finding).unwrap());
    }
    report
}
