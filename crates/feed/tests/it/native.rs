//! Vendors' own formats: what their states become, and counts of whole feeds.

use boltseal_feed::{Silent, import, list};
use boltseal_model::Timestamp;
use tempfile::TempDir;

use crate::{
    meaning::lines,
    vendors::{read, samples},
};

/// What some lines of `archive`'s file `name` must be; the number of all.
fn check(archive: &str, name: &str, count: usize, expected: &[&str]) {
    let Some(files) = samples(archive) else { return };
    let (_, said) = read(name, &files[name]);
    let lines = lines(&said.advisories);
    for line in expected {
        assert!(lines.iter().any(|found| found == line), "{name} lacks `{line}`: {lines:#?}");
    }
    assert_eq!(lines.len(), count, "{name}: {lines:#?}");
}

#[test]
fn red_hat_vex() {
    const VEX: &str = "claircore-updater-fixtures.tar.zst";
    let folder = "claircore/rhel/vex/testdata";
    check(
        VEX,
        &format!("{folder}/cve-2023-38545.json"),
        20,
        &[
            "CVE-2023-38545 () redhat:9/libcurl affected high [* <7.76.1-23.el9_2.4][7.76.1-26 <7.76.1-26.el9_3.2]",
            "CVE-2023-38545 () redhat:9/curl affected high [* <7.76.1-23.el9_2.4][7.76.1-26 <7.76.1-26.el9_3.2]",
            "CVE-2023-38545 () redhat:8/libcurl not-affected high ",
        ],
    );
    check(
        VEX,
        &format!("{folder}/cve-2022-38752.json"),
        1,
        &["CVE-2022-38752 () redhat:7/snakeyaml end-of-life medium [*]"],
    );
    check(
        VEX,
        &format!("{folder}/cve-2024-24786-illegal-module.json"),
        1,
        &["CVE-2024-24786 () redhat:8/go-toolset:rhel8/go-toolset affected medium [*]"],
    );
}

#[test]
fn red_hat_advisories_of_modules() {
    const ADVISORIES: &str = "vunnel-provider-fixtures.tar.zst";
    let folder = "vunnel/tests/unit/providers/rhel/test-fixtures/csaf/advisories";
    for (file, count, line) in [
        (
            "rhsa-2023_7025.json",
            128,
            "CVE-2021-33621 () redhat:8/ruby:2.5/ruby-libs affected medium [* <2.5.9-111.module+el8.9.0+19193+435404ae]",
        ),
        (
            "rhsa-2024_1431.json",
            116,
            "CVE-2023-36617 () redhat:8/ruby:3.1/ruby affected medium [* <3.1.4-142.module+el8.9.0+21471+7d1e4a35]",
        ),
    ] {
        check(ADVISORIES, &format!("{folder}/{file}"), count, &[line]);
    }
}

/// Documents, and how many lines they have: those of the golden of the same name whose product is ours.
#[test]
fn suse_cvrf() {
    for (file, count) in [
        ("opensuse-su-2015-0225-1", 29),
        ("opensuse-su-2015-1289-1", 11 * 24),
        ("opensuse-su-2018-1633-1", 19),
        ("opensuse-su-2016-0874-1", 0),
    ] {
        let name = format!("vuln-list-update/suse/cvrf/testdata/cvrf/cvrf-{file}.xml");
        check("vuln-list-update-fixtures.tar.zst", &name, count, &[]);
    }
}

/// Feed, and how many records are taken, rejected and left out.
#[test]
fn whole_feeds() {
    for (path, expected) in [
        (
            "azurelinux",
            vec![("oval:azurelinux-3.0-oval", 1222, 0, 0), ("oval:cbl-mariner-1.0-oval", 2252, 0, 0)],
        ),
        ("ubuntu", vec![("ubuntu-tracker", 373_610, 9, 161)]),
    ] {
        let Some(path) = boltseal_testkit::shared(&format!("data/vulns/native/{path}")) else { return };
        let raw = TempDir::new().unwrap();
        let report = import(raw.path(), &[path], Timestamp::UNIX_EPOCH, &Silent).unwrap();
        assert!(report.failed.is_empty(), "{:?}", report.failed);
        let found: Vec<_> = list(raw.path())
            .unwrap()
            .into_iter()
            .map(|stored| {
                let tally = stored.tally();
                println!("{}: {tally:?} {:?}", stored.id, report.rejected.iter().take(5).collect::<Vec<_>>());
                (stored.id, tally.records, tally.rejected, tally.skipped.values().sum::<u64>())
            })
            .collect();
        let expected: Vec<_> = expected.into_iter().map(|(id, a, b, c)| (id.to_owned(), a, b, c)).collect();
        assert_eq!(found, expected);
    }
}
