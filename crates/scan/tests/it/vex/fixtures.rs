//! Real documents of `../shared/data/fixtures/vex.tar.zst`, every statement of them: applied or not, as listed here.

use std::fs;

use boltseal_scan::vex::{self, Error, Origin, repository::Index};

use super::{given, outcome, report};

const FIXTURE: &str = "data/fixtures/vex.tar.zst";
const FOLDER: &str = "vex/pkg/vex/testdata";

/// File, image, finding, what becomes of it. What other scanners decide by a graph of dependencies that images do not
/// have is marked: there a library is the product, and whether something else uses the part too is not known.
const REVIEWED: &[(&str, &str, &str, &str)] = &[
    (
        "openvex-oci.json",
        "debian:12",
        "CVE-2022-3715 pkg:deb/debian/bash@5.2-1",
        "CVE-2022-3715 gone: not_affected",
    ),
    (
        "openvex-oci.json",
        "example.com/a/debian",
        "CVE-2022-3715 pkg:deb/debian/bash@5.1",
        "CVE-2022-3715 gone: not_affected",
    ),
    ("openvex-oci.json", "ubuntu:22.04", "CVE-2022-3715 pkg:deb/debian/bash@5.2-1", "CVE-2022-3715:"),
    ("openvex-oci.json", "debian:12", "CVE-2022-3715 pkg:deb/debian/zsh@5.2-1", "CVE-2022-3715:"),
    ("openvex-oci.json", "debian:12", "CVE-2022-3716 pkg:deb/debian/bash@5.2-1", "CVE-2022-3716:"),
    ("openvex-oci.json", "", "CVE-2022-3715 pkg:deb/debian/bash@5.2-1", "CVE-2022-3715:"),
    (
        "cyclonedx.json",
        "a:1",
        "CVE-2021-44228 pkg:maven/org.springframework.boot/spring-boot@2.6.0",
        "CVE-2021-44228 gone: not_affected",
    ),
    (
        "cyclonedx.json",
        "a:1",
        "CVE-2021-44228 pkg:maven/org.springframework.boot/spring-boot@2.6.1",
        "CVE-2021-44228:",
    ),
    (
        "cyclonedx.json",
        "a:1",
        "CVE-2022-27943 pkg:deb/ubuntu/libstdc%2B%2B6@12.3.0-1ubuntu1~22.04?arch=amd64&distro=ubuntu-22.04",
        "CVE-2022-27943 gone: not_affected",
    ),
    (
        "cyclonedx.json",
        "a:1",
        "CVE-2022-27943 pkg:deb/ubuntu/libstdc%2B%2B6@12.3.0-1ubuntu1~22.04?arch=arm64",
        "CVE-2022-27943:",
    ),
    ("cyclonedx.json", "a:1", "CVE-2022-27943 pkg:deb/ubuntu/libstdc%2B%2B6@12.2.0", "CVE-2022-27943:"),
    // Not decided by a graph of dependencies:
    (
        "openvex-nested.json",
        "a:1",
        "CVE-2024-0001 pkg:golang/github.com/aquasecurity/go-transitive@v4.0.0",
        "CVE-2024-0001:",
    ),
    (
        "csaf-relationships.json",
        "a:1",
        "CVE-2024-0001 pkg:golang/github.com/aquasecurity/go-transitive@v4.0.0",
        "CVE-2024-0001:",
    ),
];

#[test]
fn statements_apply_as_reviewed() {
    let Some(folder) = boltseal_testkit::unpacked(FIXTURE) else { return };
    for (file, image, finding, expected) in REVIEWED {
        let bytes = fs::read(folder.path(&format!("{FOLDER}/{file}"))).unwrap();
        let (_, lines) = outcome(&[given(&bytes)], report(image, &[finding]));
        assert_eq!(lines, [*expected], "{file} {image} {finding}");
    }
}

/// Where the library does contain the part, the statement counts: the file of the product is around it.
#[test]
fn a_part_inside_the_product() {
    let Some(folder) = boltseal_testkit::unpacked(FIXTURE) else { return };
    for file in ["openvex-nested.json", "csaf-relationships.json"] {
        let bytes = fs::read(folder.path(&format!("{FOLDER}/{file}"))).unwrap();
        let line = "CVE-2024-0001 pkg:golang/github.com/aquasecurity/go-transitive@v4.0.0 app.zip!/lib/x";
        let mut report = report("a:1", &[line]);
        super::installed(&mut report, "pkg:golang/github.com/aquasecurity/go-direct1@v2.0.0", "app.zip");
        let (applied, lines) = outcome(&[given(&bytes)], report);
        assert_eq!(
            (lines, applied.unused),
            (vec!["CVE-2024-0001 gone: not_affected".to_owned()], 0),
            "{file}"
        );
    }
}

#[test]
fn node_says_which_releases_have_the_fix() {
    let Some(folder) = boltseal_testkit::unpacked(FIXTURE) else { return };
    let bytes = fs::read(folder.path("vex/nodejs-openvex/tools/vex/node.openvex.json")).unwrap();
    let document = given(&bytes);
    assert_eq!((document.claims.len(), document.unsound.len()), (183, 0));
    // Reviewed: 463 products have a version, 11 are every version (`not_affected`); of two the version is a range
    // (`@v>= 10.9.0`), which package URLs do not have: they mean no release.
    let (mut exact, mut every, mut ranges) = (0, 0, 0);
    for claim in &document.claims {
        let id = &claim.vulnerabilities[0];
        for product in &claim.products {
            let label = &product.whole.as_ref().unwrap().label;
            let (count, version, expected) = match label.rsplit_once("@v") {
                None => (&mut every, "1.2.3", 2),
                Some((_, range)) if range.starts_with(">=") => (&mut ranges, "10.9.0", 0),
                Some((_, version)) => (&mut exact, version, 1),
            };
            *count += 1;
            let lines = [
                format!("{id} pkg:generic/node@{version} usr/bin/node"),
                format!("{id} pkg:generic/node@0.0.1 usr/bin/old"),
                format!("{id} pkg:generic/nodejs@{version} usr/bin/other"),
            ];
            let report = report("a:1", &lines.each_ref().map(String::as_str));
            let (counts, lines) = outcome(std::slice::from_ref(&document), report);
            assert_eq!((counts.set_aside, lines.len()), (expected, 3), "{id} {version}: {lines:?}");
        }
    }
    assert_eq!((exact, every, ranges), (463, 11, 2));
}

#[test]
fn repositories_and_strangers() {
    let Some(folder) = boltseal_testkit::unpacked(FIXTURE) else { return };
    let read = |path: &str| fs::read(folder.path(&format!("{FOLDER}/{path}"))).unwrap();
    for place in [
        "single-repo/vex/repositories/default",
        "multi-repos/vex/repositories/default",
        "multi-repos/vex/repositories/high-priority",
    ] {
        let index = Index::parse(&read(&format!("{place}/0.1/index.json")), place).unwrap();
        let about =
            |line| index.about(&report("a:1", &[line])).into_iter().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(about("CVE-1 pkg:deb/debian/bash@5"), ["bash-vex.json"], "{place}");
        assert!(about("CVE-1 pkg:deb/debian/zsh@5").is_empty());
    }
    let outside = read("parent-location-repo/vex/repositories/default/0.1/index.json");
    let wrong = Index::parse(&outside, "index.json").unwrap_err();
    assert_eq!(wrong.to_string(), "index.json: packages[0].location: leads out of the folder of the index");
    let unknown = vex::read(&read("unknown.json"), "unknown.json", Origin::Given).unwrap_err();
    assert_eq!(unknown, Error::NotVex { source_name: "unknown.json".to_owned() });
}
