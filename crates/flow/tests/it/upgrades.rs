//! Findings become things to do.

use boltseal_flow::upgrades;
use boltseal_model::{Finding, Severity};

use crate::finding;

fn summary(findings: &[Finding]) -> Vec<String> {
    let line = |upgrade: &boltseal_flow::Upgrade<'_>| {
        let to = upgrade.version.unwrap_or("nothing");
        let packages = upgrade.packages.join("+");
        let commands = upgrade.commands.join("; ");
        format!(
            "{} ({packages}) {} to {to}: {} [{commands}]",
            upgrade.name,
            upgrade.installed,
            upgrade.vulnerabilities()
        )
    };
    upgrades(findings).iter().map(line).collect()
}

#[test]
fn one_upgrade_for_all_packages_of_a_source_to_the_newest_fix() {
    let openssl = "debian:12/openssl";
    let findings = [
        finding("CVE-1", "libssl3", openssl, "3.0.9-1", Some("3.0.11-1~deb12u2")),
        finding("CVE-1", "openssl", openssl, "3.0.9-1", Some("3.0.11-1~deb12u2")),
        // As text, 3.0.9 would be the greater one.
        finding("CVE-2", "libssl3", openssl, "3.0.9-1", Some("3.0.9-1+deb12u1")),
        finding("CVE-3", "libssl3", openssl, "3.0.9-1", None),
    ];
    let to = "3.0.11-1~deb12u2";
    assert_eq!(
        summary(&findings),
        [
            format!("openssl (libssl3+openssl) 3.0.9-1 to {to}: 2 [get libssl3 {to}; get openssl {to}]"),
            "openssl (libssl3) 3.0.9-1 to nothing: 1 []".to_owned(),
        ]
    );
}

#[test]
fn the_worst_comes_first() {
    let mut findings = [
        finding("CVE-1", "a", "pypi/a", "1", Some("2")),
        finding("CVE-2", "b", "pypi/b", "1", Some("2")),
        finding("CVE-3", "c", "pypi/c", "1", None),
    ];
    findings[1].severity = Severity::Critical;
    findings[2].severity = Severity::Critical;
    let names: Vec<String> = upgrades(&findings).into_iter().map(|upgrade| upgrade.name).collect();
    assert_eq!(names, ["b", "a", "c"]);
    assert!(upgrades(&[]).is_empty());
}

#[test]
fn versions_that_nobody_can_order_do_not_stop_it() {
    let findings =
        [finding("CVE-1", "a", "mars/a", "1", Some("x")), finding("CVE-2", "a", "mars/a", "1", Some("y"))];
    assert_eq!(summary(&findings), ["a (a) 1 to y: 2 [get a y]"]);
}
