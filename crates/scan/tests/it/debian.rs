//! A real, up-to-date Debian 12 with 262 packages, against the fixes its own changelogs tell.

use boltseal_model::{Status, Tree};
use boltseal_scan::{Matched, Snapshot, findings};

use crate::support::{NOW, real, tree_below};

const STATUS: &str = "var/lib/dpkg/status";

fn fixture() -> Option<(Tree, Snapshot)> {
    let image = boltseal_testkit::unpacked("data/fixtures/images/bookworm-standard-dpkg.tar.zst")?;
    let snapshot = real(&["native/debian/tracker-bookworm-from-changelogs.json.zst"])?;
    Some((tree_below(image.root()), snapshot))
}

/// The catalog of `tree` after `from` was replaced by `to` in the package database.
fn matched(tree: &Tree, snapshot: &Snapshot, from: &str, to: &str) -> Matched {
    let mut tree = tree.clone();
    let file = tree.files.get_mut(STATUS).unwrap();
    let text = String::from_utf8(file.content.to_vec()).unwrap();
    assert!(text.contains(from), "{from} is not in the fixture");
    file.content = text.replace(from, to).into_bytes().into();
    let catalog = boltseal_scan::catalog(&tree);
    assert_eq!(catalog.packages.len(), 262);
    findings(&catalog, snapshot, NOW)
}

/// Facts of the fixture that are wrong, reviewed one by one. They were read out of changelogs, and these packages are
/// rebuilds of a later version for Debian 12: `590-2.1~deb12u2` contains the entry of `590-2.1`, so it has the fix,
/// yet sorts below it. Debian's own tracker names the rebuild as the fixed version.
const WRONG_FACTS: [(&str, &str); 4] = [
    ("CVE-2011-10007", "libfile-find-rule-perl"),
    ("CVE-2022-2309", "libxml2"),
    ("CVE-2022-48624", "less"),
    ("CVE-2024-32487", "less"),
];

#[test]
fn up_to_date_means_no_finding() {
    let Some((tree, snapshot)) = fixture() else { return };
    let matched = matched(&tree, &snapshot, "Package", "Package");
    let found: Vec<_> = matched.findings.iter().map(|f| (f.id.as_str(), f.package.as_str())).collect();
    assert_eq!(found, WRONG_FACTS);
    assert!(matched.gaps.is_empty(), "{:?}", matched.gaps);
}

#[test]
fn a_lowered_version_is_found_with_proof_and_fix() {
    let Some((tree, snapshot)) = fixture() else { return };
    // Source openssl, fixed by 3.0.15-1~deb12u1 for CVE-2024-5535 and others.
    let lines = std::str::from_utf8(tree.content(STATUS).unwrap()).unwrap();
    let openssl = lines.split("\n\n").find(|entry| entry.starts_with("Package: libssl3\n")).unwrap();
    let version = openssl.lines().find_map(|line| line.strip_prefix("Version: ")).unwrap();
    let mut matched = matched(&tree, &snapshot, version, "3.0.14-1~deb12u1");
    matched.findings.retain(|f| !WRONG_FACTS.contains(&(f.id.as_str(), f.package.as_str())));
    assert!(matched.gaps.is_empty(), "{:?}", matched.gaps);
    assert!(!matched.findings.is_empty());
    for finding in &matched.findings {
        assert!(["libssl3", "openssl"].contains(&finding.package.as_str()), "{finding:?}");
        assert_eq!(finding.installed, "3.0.14-1~deb12u1");
        let fixed = finding.fixed.as_deref().unwrap();
        assert_eq!(finding.proof.range, format!("< {fixed}"));
        assert_eq!(finding.proof.comparison, format!("3.0.14-1~deb12u1 < {fixed} (dpkg order)"));
        assert_eq!(finding.proof.matched, "debian:12/openssl");
        assert_eq!(finding.proof.path, STATUS);
        assert_eq!(finding.proof.layer, tree.layers[0].digest);
        assert_eq!(finding.status, Status::Affected);
        assert!(finding.proof.feed.starts_with("debian-tracker"), "{}", finding.proof.feed);
        let fix = finding.fix.as_ref().unwrap();
        assert!(fix.version == fixed && fix.command.contains(&finding.package), "{fix:?}");
    }
    let of = |package: &str| {
        matched.findings.iter().filter(|f| f.package == package).map(|f| f.id.as_str()).collect()
    };
    let libssl3: Vec<&str> = of("libssl3");
    assert!(libssl3.contains(&"CVE-2024-5535"), "{libssl3:?}");
    assert_eq!(libssl3, of("openssl") as Vec<&str>, "both are built from one source");
}

#[test]
fn every_fact_is_found_just_below_its_fix() {
    let Some((tree, snapshot)) = fixture() else { return };
    let mut catalog = boltseal_scan::catalog(&tree);
    let facts =
        boltseal_testkit::unzstd("data/vulns/native/debian/tracker-bookworm-from-changelogs.json.zst")
            .unwrap();
    let facts: serde_json::Value = serde_json::from_slice(&facts).unwrap();
    catalog.packages.retain(|package| facts.get(package.source_name()).is_some());
    assert!(catalog.packages.len() > 60);
    let mut checked = 0;
    for (source, cves) in facts.as_object().unwrap() {
        let Some(index) = catalog.packages.iter().position(|p| p.source_name() == source) else { continue };
        for (cve, fact) in cves.as_object().unwrap() {
            let fixed = fact["releases"]["bookworm"]["fixed_version"].as_str().unwrap();
            let at = |version: &str| {
                let mut one = catalog.clone();
                one.packages = vec![one.packages[index].clone()];
                one.packages[0].source =
                    Some(boltseal_model::Source { name: source.clone(), version: version.to_owned() });
                findings(&one, &snapshot, NOW).findings.iter().any(|finding| finding.id == *cve)
            };
            assert!(at(&format!("{fixed}~")), "{source} {fixed}~ lacks {cve}");
            assert!(!at(fixed), "{source} {fixed} still has {cve}");
            checked += 1;
        }
    }
    assert!(checked > 700, "only {checked} facts");
}
