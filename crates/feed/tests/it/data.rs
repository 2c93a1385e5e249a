//! Counts of the real feeds in `../shared/data/vulns` against what its README says they hold.

use std::collections::BTreeMap;

use boltseal_feed::{Report, Silent, import, list, read_all};
use boltseal_model::{Enrichment, Timestamp};
use tempfile::TempDir;

use crate::Collected;

fn imported(path: &str) -> Option<(TempDir, Report)> {
    let path = boltseal_testkit::shared(path)?;
    let raw = TempDir::new().unwrap();
    let report = import(raw.path(), &[path], Timestamp::UNIX_EPOCH, &Silent).unwrap();
    Some((raw, report))
}

/// Export, records of the README, of them withdrawn, taken by us, spaces covered. Eleven records of `PyPI` name no
/// versions; GHSA records of other exports mention a package of ours here and there.
const EXPORTS: &[(&str, u64, u64, u64, &[&str])] = &[
    ("AlmaLinux", 5637, 0, 5637, &["almalinux:10", "almalinux:8", "almalinux:9"]),
    ("Alpine", 3, 0, 3, &["alpine:v3.10", "alpine:v3.11", "alpine:v3.12"]),
    ("Bitnami", 7444, 0, 7444, &["bitnami"]),
    ("CRAN", 14, 0, 14, &["cran"]),
    ("Debian", 4, 0, 4, &["debian:10", "debian:11", "debian:12", "debian:7"]),
    ("Go", 4291, 17, 4274, &["golang"]),
    ("Hackage", 35, 0, 32, &["hackage"]),
    ("Julia", 1703, 4, 1699, &["julia"]),
    ("Maven", 374, 1, 373, &["maven"]),
    ("NuGet", 7, 0, 7, &["nuget"]),
    ("Packagist", 2179, 0, 2179, &["packagist"]),
    ("PSF", 132, 0, 0, &[]),
    ("PyPI", 7080, 269, 6800, &["pypi"]),
    ("Red Hat", 2, 0, 2, &["redhat:aus:8.6"]),
    ("Rocky Linux", 3, 0, 3, &["rocky:8", "rocky:9"]),
    ("RubyGems", 1208, 1, 1207, &["rubygems"]),
    ("SwiftURL", 2, 0, 2, &["swift"]),
    ("Ubuntu", 16, 5, 11, &["ubuntu:14.04", "ubuntu:16.04"]),
    ("crates.io", 1206, 13, 1193, &["cargo"]),
    ("npm", 1217, 0, 1217, &["npm"]),
];

#[test]
fn osv_exports() {
    let Some((raw, report)) = imported("data/vulns/osv") else { return };
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    let stored: BTreeMap<String, _> =
        list(raw.path()).unwrap().into_iter().map(|stored| (stored.id.clone(), stored)).collect();
    assert_eq!(stored.len(), EXPORTS.len());
    let mut wrong = Vec::new();
    for (name, total, withdrawn, taken, spaces) in EXPORTS {
        let stored = &stored[&format!("osv:{name}")];
        let tally = stored.tally();
        let skipped: u64 = tally.skipped.values().sum();
        let covered = stored.info().spaces;
        let accounted = tally.records + skipped + tally.rejected;
        let left = tally.skipped.get("withdrawn").copied().unwrap_or(0);
        let has = spaces.iter().all(|space| covered.iter().any(|have| have == space));
        if (accounted, left, tally.records) != (*total, *withdrawn, *taken)
            || !has
            || covered.is_empty() != spaces.is_empty()
        {
            wrong.push(format!(
                "{name}: {accounted} {left} {} {covered:?} {:?}",
                tally.records, tally.skipped
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let hackage = stored["osv:Hackage"].tally();
    assert_eq!(hackage.unsupported["GHC"], 3, "entries we cannot match are counted: {hackage:?}");
}

#[test]
fn native_feeds() {
    let Some((raw, report)) = imported("data/vulns/native/debian") else { return };
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    let tallies: BTreeMap<String, _> =
        list(raw.path()).unwrap().iter().map(|stored| (stored.id.clone(), stored.tally())).collect();
    let bookworm = &tallies["debian-tracker:tracker-bookworm-from-changelogs"];
    assert_eq!((bookworm.records, bookworm.rejected), (767, 0));
    assert_eq!(bookworm.spaces.iter().collect::<Vec<_>>(), ["debian:12"]);
    let older = &tallies["debian-tracker:tracker-from-dsa-dla"];
    assert_eq!((older.records, older.rejected), (17_827, 0));
    assert_eq!(older.spaces.iter().collect::<Vec<_>>(), ["debian:10", "debian:11", "debian:8", "debian:9"]);
    let (dsa, dla) = (&tallies["debian-list:DSA"], &tallies["debian-list:DLA"]);
    let all = |tally: &boltseal_feed::Tally| tally.records + tally.skipped.values().sum::<u64>();
    assert_eq!(all(dsa) + all(dla), 8_940, "{dsa:?} {dla:?}");
    assert_eq!(dsa.published.unwrap().to_string(), "2023-03-29T00:00:00Z");
}

#[test]
fn secdb() {
    let Some((raw, report)) = imported("data/vulns/native/alpine") else { return };
    assert!(report.failed.is_empty(), "{:?}", report.failed);
    let stored = list(raw.path()).unwrap();
    assert_eq!(stored.len(), 17, "v3.9 to v3.24 and edge");
    let sums: Vec<_> = stored.iter().map(|stored| (stored.id.as_str(), stored.tally().records)).collect();
    let told: Vec<_> = report.feeds.iter().map(|feed| (feed.id.as_str(), feed.tally.records)).collect();
    assert_eq!(told, sums, "one line for both parts of a branch");
    let (mut facts, mut rejected) = (0, 0);
    for stored in &stored {
        assert_eq!(
            stored.parts.iter().map(|part| part.name.as_str()).collect::<Vec<_>>(),
            ["community", "main"]
        );
        let branch = stored.id.strip_prefix("alpine-secdb:").unwrap();
        assert_eq!(stored.info().spaces, [format!("alpine:{branch}")]);
        facts += stored.tally().records;
        rejected += stored.tally().rejected;
    }
    assert_eq!(facts + rejected, 103_410, "{:?}", report.rejected);
    assert!(rejected <= 10, "{rejected}: {:?}", report.rejected);
    let mut said = Collected::default();
    read_all(raw.path(), &mut said).unwrap();
    let never = said.advisories.iter().flat_map(|advisory| &advisory.affected);
    let never = never.filter(|affected| affected.status == boltseal_model::Status::NotAffected);
    assert!(never.clone().count() > 100 && never.clone().all(|affected| affected.ranges.is_empty()));
}

#[test]
fn exploited_and_predicted() {
    let Some((raw, report)) = imported("data/vulns/native") else { return };
    // Among the samples of other tools are feeds that are broken on purpose.
    let samples = |path: &std::path::Path| path.to_string_lossy().contains("feed-samples");
    assert!(report.failed.iter().all(|(path, _)| samples(path)), "{:?}", report.failed);
    let kev = report
        .feeds
        .iter()
        .filter(|feed| feed.id == "kev")
        .map(|feed| feed.tally.records)
        .collect::<Vec<_>>();
    assert_eq!(kev.last(), Some(&1_404), "JSON and CSV are the same feed, the dated one wins");
    let mut said = Collected::default();
    read_all(raw.path(), &mut said).unwrap();
    let count = |wanted: fn(&Enrichment) -> bool| said.enrichments.iter().filter(|one| wanted(one)).count();
    assert_eq!(count(|one| matches!(one, Enrichment::Kev { .. })), 1_404);
    let ransomware = count(|one| matches!(one, Enrichment::Kev { kev, .. } if kev.ransomware));
    assert!(ransomware > 200, "{ransomware}");
    let epss = said.feeds.iter().find(|feed| feed.id == "epss").unwrap();
    assert_eq!(epss.published.unwrap().to_string(), "2025-12-26T12:55:00Z", "the newer of two samples");
    assert!(report.ignored_count > 1_000, "foreign formats are named, not swallowed");
}

#[test]
fn what_is_stored_reads_as_what_was_imported() {
    let Some(path) = boltseal_testkit::shared("data/vulns/osv/crates.io/all.zip") else { return };
    let raw = TempDir::new().unwrap();
    import(raw.path(), std::slice::from_ref(&path), Timestamp::UNIX_EPOCH, &Silent).unwrap();
    let (mut direct, mut stored) = (Collected::default(), Collected::default());
    boltseal_feed::read_bytes("all.zip", &std::fs::read(path).unwrap(), &mut direct).unwrap();
    read_all(raw.path(), &mut stored).unwrap();
    for advisory in &mut direct.advisories {
        advisory.feed = "osv:crates.io".to_owned();
    }
    assert_eq!(direct.advisories, stored.advisories);
}

#[test]
fn csv_and_json_of_kev_agree() {
    let read = |name: &str| {
        let bytes = boltseal_testkit::unzstd(&format!("data/vulns/native/kev/{name}.zst"))?;
        let mut said = Collected::default();
        boltseal_feed::read_bytes(name, &bytes, &mut said).unwrap();
        assert!(said.rejected.is_empty(), "{:?}", said.rejected);
        Some(said.enrichments)
    };
    let (Some(json), Some(csv)) =
        (read("known_exploited_vulnerabilities.json"), read("known_exploited_vulnerabilities.csv"))
    else {
        return;
    };
    assert_eq!(json, csv);
}
