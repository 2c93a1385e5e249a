//! What vendors say in their own formats, from the feed to the finding.

use std::path::{Path, PathBuf};

use boltseal_model::{Package, Source, Status};
use boltseal_scan::findings;

use crate::support::{NOW, catalog, imported};

/// A feed of one or two records, which is also a seed of the fuzz target.
fn seed(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/feed").join(name)
}

/// A package of `vendor`: name, version, CPU, and the label of its module.
fn package(vendor: &str, words: [&str; 3], module: &str) -> Package {
    let [name, version, cpu] = words;
    let module = if module.is_empty() { String::new() } else { format!("?rpmmod={module}") };
    Package {
        ecosystem: "rpm".to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        purl: format!("pkg:rpm/{vendor}/{name}@{version}{module}"),
        source: Some(Source { name: "demo".to_owned(), version: version.to_owned() }),
        architecture: Some(cpu.to_owned()),
        ..Package::default()
    }
}

/// Feed, distribution, package, and what is found: `id, fixed, status`.
type Case = (&'static str, &'static str, Package, Option<(&'static str, Option<&'static str>, Status)>);

#[expect(clippy::too_many_lines, reason = "a table")]
fn cases() -> Vec<Case> {
    let red_hat = |version: &str, module: &str| package("redhat", ["demo", version, "x86_64"], module);
    let oracle = |version: &str, cpu: &str| package("oracle", ["demo", version, cpu], "");
    let debian = |name: &str, version: &str| Package {
        ecosystem: "debian".to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        ..Package::default()
    };
    vec![
        (
            "csaf.json",
            "rhel 9.3",
            red_hat("1-1.el9", ""),
            Some(("CVE-2026-1", Some("1-2.el9"), Status::Affected)),
        ),
        ("csaf.json", "rhel 9.3", red_hat("1-2.el9", ""), None),
        (
            "csaf.json",
            "rhel 9.3",
            red_hat("1-9.module+el9", "m:1:9:c0"),
            Some(("CVE-2026-1", None, Status::WillNotFix)),
        ),
        ("csaf.json", "rhel 9.3", red_hat("1-9.module+el9", "m:2:9:c0"), None),
        ("csaf.json", "rhel 8.9", red_hat("1-1.el8", ""), None),
        (
            "oval.xml",
            "ol 8.9",
            oracle("1:1.0-1.el8", "x86_64"),
            Some(("CVE-2026-1", Some("1:2.0-3.el8"), Status::Affected)),
        ),
        ("oval.xml", "ol 8.9", oracle("1:2.0-3.el8", "x86_64"), None),
        (
            "oval.xml",
            "azurelinux 3.0",
            package("azurelinux", ["demo", "2-1.azl3", "x86_64"], ""),
            Some(("CVE-2026-2", None, Status::Affected)),
        ),
        ("oval.xml", "azurelinux 3.0", package("azurelinux", ["demo", "4-1.azl3", "x86_64"], ""), None),
        (
            "updateinfo.xml",
            "rocky 8.9",
            package("rocky", ["demo", "3:1-1.module+el8", "x86_64"], "demo:1:8:c0"),
            Some(("CVE-2026-1", Some("3:1-2.module+el8"), Status::Affected)),
        ),
        (
            "updateinfo.xml",
            "amzn 2",
            package("amazon", ["demo", "0.9-1", "aarch64"], ""),
            Some(("CVE-2026-1", Some("1-1"), Status::Affected)),
        ),
        (
            "cvrf.xml",
            "sles 15.4",
            package("suse", ["demo", "1-1.0", "x86_64"], ""),
            Some(("CVE-2026-1", Some("1-2.3"), Status::Affected)),
        ),
        (
            "photon.json",
            "photon 5.0",
            package("photon", ["libdemo", "1-1.ph5", "x86_64"], ""),
            Some(("CVE-2026-1", Some("1-2.ph5"), Status::Affected)),
        ),
        (
            "ubuntu-tracker",
            "ubuntu 22.04",
            debian("demo", "1.2-1"),
            Some(("CVE-2026-1", Some("1.2-3ubuntu1"), Status::Affected)),
        ),
        (
            "ubuntu-tracker",
            "ubuntu 20.04",
            debian("demo", "1.2-1"),
            Some(("CVE-2026-1", None, Status::WillNotFix)),
        ),
        ("ubuntu-tracker", "ubuntu 24.04", debian("demo", "1.2-1"), None),
    ]
}

#[test]
fn from_the_feed_to_the_finding() {
    let mut wrong = Vec::new();
    for (feed, distro, package, expected) in cases() {
        let snapshot = imported(&[seed(feed)]);
        let what = format!("{feed} {distro} {}", package.purl);
        let matched = findings(&catalog(distro, vec![package]), &snapshot, NOW);
        let found: Vec<_> =
            matched.findings.iter().map(|f| (f.id.as_str(), f.fixed.as_deref(), f.status)).collect();
        if found != expected.into_iter().collect::<Vec<_>>() {
            wrong.push(format!("{what}: {found:?} {:?}", matched.gaps));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
