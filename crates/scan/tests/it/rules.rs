//! What counts as a finding, one rule a row.

use boltseal_model::{Gap, GapKind, Package};
use boltseal_scan::findings;

use crate::support::{NOW, catalog, package, written};

/// Advisories, a package, and what is found: `id -> fixed (status)`, or nothing.
struct Case {
    rule: &'static str,
    advisories: &'static [&'static str],
    distro: &'static str,
    package: (&'static str, &'static str),
    found: &'static [&'static str],
    gaps: &'static [&'static str],
}

#[rustfmt::skip]
const CASES: &[Case] = &[
    Case {
        rule: "below the fix",
        advisories: &["osv:PyPI: PYSEC-1=CVE-2024-1 pypi/demo ..1.2"],
        distro: "", package: ("pypi", "demo 1.1"),
        found: &["CVE-2024-1 -> 1.2 (affected) < 1.2"], gaps: &[],
    },
    Case {
        rule: "the fix itself",
        advisories: &["osv:PyPI: PYSEC-1=CVE-2024-1 pypi/demo ..1.2"],
        distro: "", package: ("pypi", "demo 1.2"),
        found: &[], gaps: &[],
    },
    Case {
        rule: "before it was introduced",
        advisories: &["osv:PyPI: PYSEC-1 pypi/demo 1.0..1.2"],
        distro: "", package: ("pypi", "demo 0.9"),
        found: &[], gaps: &[],
    },
    Case {
        rule: "zero is the beginning",
        advisories: &["osv:PyPI: PYSEC-1 pypi/demo 0..1.2"],
        distro: "", package: ("pypi", "demo 0.0.dev1"),
        found: &["PYSEC-1 -> 1.2 (affected) < 1.2"], gaps: &[],
    },
    Case {
        rule: "the last affected version is affected",
        advisories: &["osv:PyPI: PYSEC-1 pypi/demo ..=1.2"],
        distro: "", package: ("pypi", "demo 1.2"),
        found: &["PYSEC-1 -> none (affected) <= 1.2"], gaps: &[],
    },
    Case {
        rule: "after the last affected version",
        advisories: &["osv:PyPI: PYSEC-1 pypi/demo ..=1.2"],
        distro: "", package: ("pypi", "demo 1.2.1"),
        found: &[], gaps: &[],
    },
    Case {
        rule: "listed",
        advisories: &["osv:PyPI: PYSEC-1 pypi/demo =1.1 =1.3"],
        distro: "", package: ("pypi", "demo 1.3"),
        found: &["PYSEC-1 -> none (affected) one of 2 listed versions, 1.1 to 1.3"], gaps: &[],
    },
    Case {
        rule: "listed in another spelling",
        advisories: &["osv:PyPI: PYSEC-1 pypi/demo =1.1"],
        distro: "", package: ("pypi", "demo 1.1.0"),
        found: &["PYSEC-1 -> none (affected) exactly 1.1"], gaps: &[],
    },
    Case {
        rule: "the fix of one's own branch",
        advisories: &["osv:PyPI: GHSA-1 pypi/demo 1.0..1.5 2.0..2.3"],
        distro: "", package: ("pypi", "demo 2.1"),
        found: &["GHSA-1 -> 2.3 (affected) >= 2.0, < 2.3"], gaps: &[],
    },
    Case {
        rule: "aliases are one finding, with a fix that satisfies all of them",
        advisories: &["osv:PyPI: GHSA-1=CVE-2024-1 pypi/demo ..1.5", "osv:PyPI: PYSEC-1=CVE-2024-1 pypi/demo ..1.4"],
        distro: "", package: ("pypi", "demo 1.1"),
        found: &["CVE-2024-1 -> 1.5 (affected) < 1.5"], gaps: &[],
    },
    Case {
        rule: "an advisory about two vulnerabilities is two findings",
        advisories: &["osv:PyPI: PYSEC-1=CVE-2024-1=CVE-2024-2 pypi/demo ..1.4", "osv:PyPI: GHSA-2=CVE-2024-2 pypi/demo ..1.3"],
        distro: "", package: ("pypi", "demo 1.1"),
        found: &["CVE-2024-1 -> 1.4 (affected) < 1.4", "CVE-2024-2 -> 1.4 (affected) < 1.3"], gaps: &[],
    },
    Case {
        rule: "names are normalised",
        advisories: &["osv:PyPI: PYSEC-1 pypi/my-demo ..1.2"],
        distro: "", package: ("pypi", "My_Demo 1.1"),
        found: &["PYSEC-1 -> 1.2 (affected) < 1.2"], gaps: &[],
    },
    Case {
        rule: "a version outside the grammar is a gap",
        advisories: &["osv:npm: GHSA-1 npm/demo ..1.2.0"],
        distro: "", package: ("npm", "demo not-a-version"),
        found: &[], gaps: &["version-not-comparable pkg:npm/demo@not-a-version"],
    },
    Case {
        rule: "… but not where every version is affected",
        advisories: &["osv:npm: GHSA-1 npm/demo .."],
        distro: "", package: ("npm", "demo not-a-version"),
        found: &["GHSA-1 -> none (affected) every version"], gaps: &[],
    },
    Case {
        rule: "… and not where it is listed",
        advisories: &["osv:npm: GHSA-1 npm/demo =not-a-version 1.0.0..2.0.0"],
        distro: "", package: ("npm", "demo not-a-version"),
        found: &["GHSA-1 -> none (affected) exactly not-a-version"], gaps: &[],
    },
    Case {
        rule: "no feed for the ecosystem",
        advisories: &["osv:PyPI: PYSEC-1 pypi/demo .."],
        distro: "", package: ("npm", "demo 1.0.0"),
        found: &[], gaps: &["feed-missing npm"],
    },
    Case {
        rule: "no feed for the release",
        advisories: &["debian-tracker: CVE-2024-1 debian:11/demo ..1.2"],
        distro: "debian 12", package: ("debian", "demo 1.1"),
        found: &[], gaps: &["feed-missing debian:12"],
    },
    Case {
        rule: "no release at all",
        advisories: &["debian-tracker: CVE-2024-1 debian:11/demo ..1.2"],
        distro: "", package: ("debian", "demo 1.1"),
        found: &[], gaps: &["feed-missing debian"],
    },
    Case {
        rule: "by source package and its version",
        advisories: &["debian-tracker: CVE-2024-1 debian:12/openssl ..3.0.13"],
        distro: "debian 12", package: ("debian", "libssl3 9:9 openssl/3.0.11"),
        found: &["CVE-2024-1 -> 3.0.13 (affected) < 3.0.13"], gaps: &[],
    },
    Case {
        rule: "a binary package's own name is not a source",
        advisories: &["debian-tracker: CVE-2024-1 debian:12/libssl3 .."],
        distro: "debian 12", package: ("debian", "libssl3 3.0.11 openssl/3.0.11"),
        found: &[], gaps: &[],
    },
    Case {
        rule: "the tracker overrules the list and OSV",
        advisories: &[
            "debian-list:DSA: CVE-2024-1 debian:12/demo ..2.0",
            "osv:Debian: DEBIAN-CVE-2024-1=CVE-2024-1 debian:12/demo ..",
            "debian-tracker: CVE-2024-1 debian:12/demo ..1.2",
        ],
        distro: "debian 12", package: ("debian", "demo 1.3"),
        found: &[], gaps: &[],
    },
    Case {
        rule: "the list overrules OSV",
        advisories: &[
            "debian-list:DSA: CVE-2024-1 debian:12/demo ..2.0",
            "osv:Debian: DEBIAN-CVE-2024-1=CVE-2024-1 debian:12/demo ..3.0",
        ],
        distro: "debian 12", package: ("debian", "demo 1.3"),
        found: &["CVE-2024-1 -> 2.0 (affected) < 2.0"], gaps: &[],
    },
    Case {
        rule: "where the tracker is silent, OSV counts",
        advisories: &[
            "debian-tracker: CVE-2024-2 debian:12/demo ..1.2",
            "osv:Debian: DEBIAN-CVE-2024-1=CVE-2024-1 debian:12/demo ..3.0",
        ],
        distro: "debian 12", package: ("debian", "demo 1.3"),
        found: &["CVE-2024-1 -> 3.0 (affected) < 3.0"], gaps: &[],
    },
    Case {
        rule: "not affected",
        advisories: &["debian-tracker: CVE-2024-1 debian:12/demo not-affected", "osv:Debian: OSV-1=CVE-2024-1 debian:12/demo .."],
        distro: "debian 12", package: ("debian", "demo 1.3"),
        found: &[], gaps: &[],
    },
    Case {
        rule: "will not be fixed",
        advisories: &["debian-tracker: CVE-2024-1 debian:12/demo will-not-fix"],
        distro: "debian 12", package: ("debian", "demo 1.3"),
        found: &["CVE-2024-1 -> none (will-not-fix) every version"], gaps: &[],
    },
    Case {
        rule: "end of life",
        advisories: &["debian-tracker: CVE-2024-1 debian:12/demo end-of-life"],
        distro: "debian 12", package: ("debian", "demo 1.3"),
        found: &["CVE-2024-1 -> none (end-of-life) every version"], gaps: &[],
    },
    Case {
        rule: "under investigation",
        advisories: &["debian-tracker: CVE-2024-1 debian:12/demo under-investigation"],
        distro: "debian 12", package: ("debian", "demo 1.3"),
        found: &["CVE-2024-1 -> none (under-investigation) every version"], gaps: &[],
    },
    Case {
        rule: "a contract adds to what everybody gets",
        advisories: &[
            "osv:Ubuntu: U-1=CVE-2024-1 ubuntu:pro:18.04/demo ..2.0+esm1", "osv:Ubuntu: U-2=CVE-2024-2 ubuntu:18.04/demo ..2.0",
            "osv:Ubuntu: U-3=CVE-2024-3 ubuntu:pro:18.04/demo not-affected", "osv:Ubuntu: U-4=CVE-2024-3 ubuntu:18.04/demo ..3.0",
        ],
        distro: "ubuntu-pro 18.04", package: ("debian", "demo 1.0"),
        found: &["CVE-2024-1 -> 2.0+esm1 (affected) < 2.0+esm1", "CVE-2024-2 -> 2.0 (affected) < 2.0"], gaps: &[],
    },
    Case {
        rule: "what is for customers only neither praises nor blames the others",
        advisories: &["osv:Ubuntu: U-1=CVE-2024-1 ubuntu:pro:18.04/demo ..2.0+esm1", "osv:Ubuntu: U-2=CVE-2024-2 ubuntu:18.04/demo ..2.0"],
        distro: "ubuntu 18.04", package: ("debian", "demo 1.0"),
        found: &["CVE-2024-2 -> 2.0 (affected) < 2.0"], gaps: &[],
    },
    Case {
        rule: "another release's data does not apply",
        advisories: &["alpine-secdb:v3.19: CVE-2024-1 alpine:v3.19/demo ..2.0-r0", "alpine-secdb:v3.20: CVE-2024-2 alpine:v3.20/demo ..2.0-r0"],
        distro: "alpine 3.19.1", package: ("alpine", "demo 1.0-r0"),
        found: &["CVE-2024-1 -> 2.0-r0 (affected) < 2.0-r0"], gaps: &[],
    },
    Case {
        rule: "another CPU's fix does not apply",
        advisories: &["oval:x: CVE-2024-1 debian:12/demo ..2.0 cpu:s390x", "oval:x: CVE-2024-2 debian:12/demo ..2.0 cpu:aarch64,x86_64"],
        distro: "debian 12", package: ("debian", "demo 1.3 cpu:x86_64"),
        found: &["CVE-2024-2 -> 2.0 (affected) < 2.0"], gaps: &[],
    },
    Case {
        rule: "a package for every CPU is hit by what hits one",
        advisories: &["oval:x: CVE-2024-1 debian:12/demo ..2.0 cpu:s390x"],
        distro: "debian 12", package: ("debian", "demo 1.3 cpu:noarch"),
        found: &["CVE-2024-1 -> 2.0 (affected) < 2.0"], gaps: &[],
    },
];

#[test]
fn rules() {
    let mut wrong = Vec::new();
    for case in CASES {
        let snapshot = written(case.advisories);
        let catalog = catalog(case.distro, vec![package(case.package.0, case.package.1)]);
        let matched = findings(&catalog, &snapshot, NOW);
        let found: Vec<String> = (matched.findings.iter())
            .map(|f| {
                let fixed = f.fixed.as_deref().unwrap_or("none");
                format!("{} -> {fixed} ({}) {}", f.id, f.status.word(), f.proof.range)
            })
            .collect();
        let gaps: Vec<String> =
            matched.gaps.iter().map(|g| format!("{} {}", g.kind.word(), g.subject)).collect();
        if found != case.found || gaps != case.gaps {
            wrong.push(format!("{}: {found:?} {gaps:?}", case.rule));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A copy that tells no version is neither hit nor clean, unless no advisory speaks about it.
#[test]
fn a_package_without_a_version() {
    let copy = |name: &str| Package {
        name: name.to_owned(),
        version: String::new(),
        purl: format!("pkg:npm/{name}"),
        paths: vec![format!("app/{name}/package.json")],
        ..package("npm", "demo 1.0.0")
    };
    let snapshot = written(&["osv:npm: GHSA-1 npm/demo ..1.2.0"]);
    let matched = findings(&catalog("", vec![copy("demo"), copy("other")]), &snapshot, NOW);
    assert_eq!(matched.findings, []);
    let detail = "nobody can say whether GHSA-1 hits demo, whose version is not told (app/demo/package.json); look at the advisory";
    assert_eq!(matched.gaps, [Gap::new(GapKind::VersionNotComparable, "pkg:npm/demo", detail)]);
}
