//! The snapshot file: what goes in comes out, in any order; and what damage does to it.

use std::io::Cursor;

use boltseal_model::{Advisory, Cvss, Date, Enrichment, Epss, Kev, Range, Severity, Timestamp};
use boltseal_scan::{Builder, Error, Snapshot, findings};
use proptest::prelude::*;

use crate::support::{NOW, advisory, bytes, catalog, feed, open, package};

#[path = "../../../../fuzz/bodies/snapshot.rs"]
mod body;

/// Advisories of every shape.
fn advisories() -> Vec<Advisory> {
    let mut all: Vec<Advisory> = [
        ("debian-tracker", "CVE-2024-1 debian:12/demo ..1.2"),
        ("debian-tracker", "CVE-2024-1 debian:12/other ..3"),
        ("debian-tracker", "CVE-2024-2 debian:12/demo will-not-fix"),
        ("debian-list:DSA", "DSA-1-1=CVE-2024-1=CVE-2024-3 debian:12/demo ..1.1"),
        ("osv:PyPI", "GHSA-1=CVE-2024-1 pypi/demo 1.0..1.5 2.0..=2.3"),
        ("osv:PyPI", "PYSEC-1=CVE-2024-1 pypi/demo ..1.4 =1.1 =9.9"),
        ("osv:npm", "GHSA-2 npm/demo =1.1.0 =1.2.0"),
    ]
    .map(|(feed, line)| advisory(feed, line))
    .into();
    all[4].details = "long text, ".repeat(500);
    all[4].cvss = vec![Cvss { vector: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H".into(), score: 9.8 }];
    all[4].references = (0..9).map(|n| format!("https://example.org/{n}")).collect();
    all[4].published = Some("2024-05-06T07:08:09Z".parse().unwrap());
    all[0].affected[0].ranges[0].fixed_on = Some(Date::constant(2024, 2, 29));
    all[5].severity = Some(Severity::Low);
    all
}

fn enrichments() -> [Enrichment; 2] {
    let kev = Kev { added: Date::constant(2024, 6, 1), due: None, ransomware: true };
    [
        Enrichment::Kev { cve: "CVE-2024-1".into(), kev },
        Enrichment::Epss { cve: "CVE-2024-2".into(), epss: Epss { score: 0.12345, percentile: 0.9 } },
    ]
}

fn built(order: &[usize]) -> Vec<u8> {
    let advisories = advisories();
    let mut builder = Builder::new().unwrap();
    let feeds = [
        ("debian-tracker", "debian:12"),
        ("debian-list:DSA", "debian:12"),
        ("osv:PyPI", "pypi"),
        ("osv:npm", "npm"),
    ];
    for index in order {
        builder.feed(feed(feeds[index % 4].0, &[feeds[index % 4].1]));
        builder.enrichment(enrichments()[index % 2].clone());
        builder.advisory(advisories[*index].clone()).unwrap();
    }
    bytes(builder)
}

#[test]
fn the_order_of_arrival_leaves_no_trace() {
    let forwards = built(&[0, 1, 2, 3, 4, 5, 6]);
    for other in [[6, 5, 4, 3, 2, 1, 0], [3, 1, 4, 0, 5, 2, 6]] {
        assert!(forwards == built(&other), "{other:?} gives other bytes");
    }
    let twice = built(&[0, 1, 2, 3, 4, 5, 6, 4, 4, 0]);
    assert_eq!(open(forwards.clone()).info(), open(twice).info());
    let less = built(&[0, 1, 2, 3, 4, 5]);
    assert_ne!(open(forwards).info().id, open(less).info().id);
}

#[test]
fn the_later_of_two_versions_of_a_record_counts() {
    let mut versions =
        [advisory("osv:PyPI", "GHSA-1 pypi/demo ..1.5"), advisory("osv:PyPI", "GHSA-1 pypi/demo ..2.5")];
    versions[1].modified = Some(NOW);
    let mut ids = Vec::new();
    for order in [[0, 1], [1, 0]] {
        let mut builder = Builder::new().unwrap();
        for index in order {
            builder.advisory(versions[index].clone()).unwrap();
        }
        let snapshot = open(bytes(builder));
        assert_eq!(snapshot.advisory("GHSA-1").unwrap().unwrap(), versions[1]);
        ids.push(snapshot.info().id.clone());
    }
    assert_eq!(ids[0], ids[1]);
}

#[test]
fn advisories_come_back_whole() {
    let snapshot = open(built(&[0, 1, 2, 3, 4, 5, 6]));
    let mut all = advisories();
    all[2].affected[0].ranges = vec![Range::default()]; // neither ranges nor versions: every version
    for (id, expected) in [("GHSA-1", &all[4]), ("CVE-2024-2", &all[2]), ("GHSA-2", &all[6])] {
        assert_eq!(&snapshot.advisory(id).unwrap().unwrap(), expected);
    }
    let merged = snapshot.advisory("CVE-2024-1").unwrap().unwrap();
    let packages: Vec<_> = merged.affected.iter().map(|affected| affected.package.as_str()).collect();
    assert_eq!((merged.feed.as_str(), packages), ("debian-tracker", vec!["demo", "other"]));
    assert_eq!(merged.affected[0].ranges[0].fixed_on, Some(Date::constant(2024, 2, 29)));
    // Listed versions that a range of the same record contains say nothing new.
    assert_eq!(snapshot.advisory("PYSEC-1").unwrap().unwrap().affected[0].versions, ["9.9"]);
    assert_eq!(snapshot.advisory("CVE-1999-1").unwrap(), None);
}

#[test]
fn a_vulnerability_is_what_all_feeds_know() {
    let snapshot = open(built(&[0, 1, 2, 3, 4, 5, 6]));
    for id in ["CVE-2024-1", "GHSA-1", "PYSEC-1"] {
        let found = snapshot.vulnerability(id).unwrap().unwrap();
        assert_eq!(
            (found.id.as_str(), found.aliases),
            ("CVE-2024-1", vec!["GHSA-1".to_owned(), "PYSEC-1".to_owned()])
        );
        assert_eq!(found.cvss, advisories()[4].cvss);
        assert!(found.kev.unwrap().ransomware);
        let ids: Vec<_> = found.advisories.iter().map(|advisory| advisory.id.as_str()).collect();
        assert_eq!(ids, ["CVE-2024-1", "DSA-1-1", "GHSA-1", "PYSEC-1"]);
    }
    assert_eq!(
        snapshot.vulnerability("CVE-2024-2").unwrap().unwrap().epss,
        Some(Epss { score: 0.12345, percentile: 0.9 })
    );
    // A DSA about two CVEs is an id of neither alone, but leads to the first.
    assert_eq!(snapshot.vulnerability("DSA-1-1").unwrap().unwrap().id, "CVE-2024-1");
    assert_eq!(snapshot.vulnerability("CVE-2024-3").unwrap().unwrap().advisories[0].id, "DSA-1-1");
    assert_eq!(snapshot.vulnerability("nonsense").unwrap(), None);
}

#[test]
fn findings_know_what_other_feeds_say_about_the_vulnerability() {
    let snapshot = open(built(&[0, 1, 2, 3, 4, 5, 6]));
    let found = findings(&catalog("debian 12", vec![package("debian", "demo 1.1")]), &snapshot, NOW).findings;
    assert_eq!(found.iter().map(|f| f.id.as_str()).collect::<Vec<_>>(), ["CVE-2024-1", "CVE-2024-2"]);
    assert_eq!((found[0].severity, found[0].cvss.len()), (Severity::Critical, 1), "CVSS of GHSA-1");
    assert_eq!(found[0].fixed_on, Some(Date::constant(2024, 2, 29)));
    assert_eq!(found[0].aliases, ["GHSA-1", "PYSEC-1"]);
    assert!(found[0].kev.is_some() && found[1].epss.is_some());
}

/// Where the section table says that sections begin, and how long they are.
fn sections(file: &[u8]) -> Vec<(usize, usize)> {
    let number =
        |at: usize| usize::try_from(u64::from_le_bytes(file[at..at + 8].try_into().unwrap())).unwrap();
    (0..15).map(|index| 40 + 48 * index).map(|entry| (number(entry), number(entry + 8))).collect()
}

#[test]
fn truncated_anywhere() {
    let file = built(&[0, 1, 2, 3, 4, 5, 6]);
    let ends = sections(&file)
        .into_iter()
        .flat_map(|(start, length)| [start, start + length / 2, start + length - 1]);
    for end in ends.chain([0, 7, 8, 39, 40, 500, file.len() - 1]) {
        let error = Snapshot::open(file[..end].to_vec()).unwrap_err();
        assert!(matches!(error, Error::NotASnapshot(_) | Error::Damaged { .. }), "{end}: {error}");
    }
    assert!(matches!(Snapshot::open(Vec::new()), Err(Error::NotASnapshot(_))));
    let mut newer = file;
    newer[8] = 99;
    assert!(matches!(Snapshot::open(newer), Err(Error::Format { found: 99, .. })));
}

#[test]
fn every_flipped_byte_is_noticed_and_none_panics() {
    let file = built(&[0, 1, 2, 3, 4, 5, 6]);
    let stride = 7; // every byte of the header and table, and of the rest every seventh
    for at in (0..760).chain((760..file.len()).step_by(stride)) {
        let mut damaged = file.clone();
        damaged[at] ^= 0xff;
        body::body(&damaged);
        let noticed = Snapshot::open(damaged).and_then(|snapshot| snapshot.verify());
        assert!(noticed.is_err(), "byte {at} may be anything");
    }
}

/// The same damage with the hashes made right again: what an attacker would do.
#[test]
fn hostile_numbers_give_errors() {
    let file = built(&[0, 1, 2, 3, 4, 5, 6]);
    let demo = catalog("debian 12", vec![package("debian", "demo 1.1"), package("pypi", "demo 1.1")]);
    let mut refused = 0;
    for (start, length) in sections(&file) {
        for at in (start..start + length).step_by(4) {
            for value in [u32::MAX, u32::MAX - 1, 0x7fff_ffff, 0x0001_0000] {
                let mut hostile = file.clone();
                let end = (at + 4).min(file.len());
                hostile[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
                let Ok(snapshot) = Snapshot::open(hostile) else { continue };
                let matched = findings(&demo, &snapshot, NOW);
                for finding in &matched.findings {
                    let scores = finding.cvss.iter().all(|cvss| (0.0..=10.0).contains(&cvss.score));
                    let fractions =
                        finding.epss.as_ref().is_none_or(|epss| epss.score <= 1.0 && epss.percentile <= 1.0);
                    assert!(scores && fractions, "at {at}: {finding:?}");
                }
                refused += usize::from(matched.gaps.iter().any(|gap| gap.detail.contains("damaged")));
                let _ = (snapshot.advisory("GHSA-1"), snapshot.vulnerability("CVE-2024-1"));
            }
        }
    }
    assert!(refused > 100, "only {refused} were noticed while matching");
}

/// The seeds of the fuzz target are good snapshots. After a change of the format, `BOLTSEAL_BLESS=1` writes them anew.
#[test]
fn seeds() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/snapshot");
    let seeds = [("small", built(&[0, 1, 2, 3, 4, 5, 6])), ("one", built(&[6])), ("empty", built(&[]))];
    for (name, bytes) in seeds {
        let path = folder.join(name);
        if std::env::var_os("BOLTSEAL_BLESS").is_some() {
            std::fs::write(&path, &bytes).unwrap();
        }
        let seed = std::fs::read(&path).unwrap();
        body::body(&seed);
        assert_eq!(open(seed).info().feeds, open(bytes).info().feeds, "{name}");
    }
}

/// What the fuzzer kept: no panic.
#[test]
fn corpus() {
    for input in boltseal_testkit::found("snapshot") {
        body::body(&input);
    }
}

#[test]
fn epss_of_the_world_fits() {
    let mut builder = Builder::new().unwrap();
    for number in 0..340_000 {
        let epss = Epss { score: f64::from(number) / 1e6, percentile: 0.5 };
        builder.enrichment(Enrichment::Epss { cve: format!("CVE-2024-{number}"), epss });
    }
    builder.advisory(advisory("osv:PyPI", "CVE-2024-339999 pypi/demo ..")).unwrap();
    let file = bytes(builder);
    assert!(file.len() < 4096, "{} bytes", file.len());
    let epss = open(file).vulnerability("CVE-2024-339999").unwrap().unwrap().epss.unwrap();
    assert!((epss.score - 0.339_999).abs() < 1e-12);
}

#[test]
fn an_empty_snapshot_is_one() {
    let mut file = Cursor::new(Vec::new());
    let info = Builder::new().unwrap().finish(Timestamp::UNIX_EPOCH, &mut file).unwrap();
    let snapshot = open(file.into_inner());
    assert_eq!(*snapshot.info(), info);
    assert_eq!(snapshot.vulnerability("CVE-2024-1").unwrap(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn damage_never_panics(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
        let mut file = built(&[0, 1, 2, 3, 4, 5, 6]);
        for (at, value) in changes {
            let at = at.index(file.len());
            file[at] = value;
        }
        body::body(&file);
    }

    /// Whatever ranges there are: a version is found exactly when some range contains it, and its fix is clean.
    #[test]
    fn ranges_mean_what_they_say(ranges in prop::collection::vec((0u32..20, 1u32..20), 1..5), installed in 0u32..40) {
        let words: Vec<String> = ranges.iter().map(|(from, length)| format!("{from}.0.0..{}.0.0", from + length)).collect();
        let mut builder = Builder::new().unwrap();
        builder.feed(feed("osv:npm", &["npm"]));
        builder.advisory(advisory("osv:npm", &format!("GHSA-1 npm/demo {}", words.join(" ")))).unwrap();
        let snapshot = open(bytes(builder));
        let found = |version: u32| {
            let demo = catalog("", vec![package("npm", &format!("demo {version}.0.0"))]);
            findings(&demo, &snapshot, NOW).findings.pop()
        };
        let hit = |version: u32| ranges.iter().any(|(from, length)| (*from..from + length).contains(&version));
        let finding = found(installed);
        prop_assert_eq!(finding.is_some(), hit(installed));
        if let Some(finding) = finding {
            let clean = (installed..100).find(|version| !hit(*version)).unwrap();
            prop_assert_eq!(finding.fixed, Some(format!("{clean}.0.0")));
        }
    }
}
