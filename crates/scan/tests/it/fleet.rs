//! Many catalogs at once say the same as one after the other.

use boltseal_model::{Catalog, Digest, Package};
use boltseal_scan::{
    Error, Fleet, Matching, findings,
    fleet::{changed, decode, encode},
};

use crate::support::{NOW, catalog, package, written};

const FEEDS: &[&str] = &[
    "debian-tracker: CVE-2024-1 debian:12/openssl ..3.0.13",
    "debian-tracker: CVE-2024-2 debian:12/demo will-not-fix",
    "osv:PyPI: PYSEC-1=CVE-2024-1 pypi/demo ..1.2",
    "osv:PyPI: PYSEC-2 pypi/other ..2.0 =1.1",
    "osv:npm: GHSA-1 npm/demo ..1.2.0",
];

fn at(mut package: Package, layer: &str, path: &str) -> Package {
    package.layer = Some(Digest::of(layer.as_bytes()));
    package.paths = vec![path.to_owned()];
    package
}

fn owned(mut package: Package) -> Package {
    package.owner = Some("python3-demo".to_owned());
    package
}

fn catalogs() -> Vec<(Digest, Catalog)> {
    let libssl = || package("debian", "libssl3 3.0.11 openssl/3.0.11");
    let catalogs = [
        catalog("debian 12", vec![at(libssl(), "a", "status"), at(package("pypi", "demo 1.1"), "b", "x")]),
        catalog(
            "debian 12",
            vec![at(libssl(), "a", "status"), owned(at(package("pypi", "demo 1.1"), "b", "x"))],
        ),
        catalog(
            "debian 11",
            vec![at(libssl(), "a", "status"), owned(at(package("pypi", "demo 1.1"), "b", "x"))],
        ),
        catalog(
            "debian 12",
            vec![at(libssl(), "c", "status"), at(package("debian", "demo 1"), "c", "status")],
        ),
        catalog(
            "",
            vec![package("npm", "demo latest"), package("npm", "demo 1.1.0"), package("golang", "m v1.0.0")],
        ),
        catalog("", vec![package("debian", "demo 1"), package("pypi", "other 1.1")]),
        Catalog::default(),
    ];
    (0u8..).zip(catalogs).map(|(n, catalog)| (Digest::of(&[n]), catalog)).collect()
}

#[test]
fn equals_one_after_the_other() {
    let snapshot = written(FEEDS);
    let mut fleet = Fleet::default();
    for (image, catalog) in catalogs() {
        fleet.insert(image, &catalog);
    }
    for days in [0, 30] {
        let now = NOW + std::time::Duration::from_secs(days * 86_400);
        let rematch = fleet.rematch(&snapshot, &Matching::at(now));
        assert_eq!(rematch.images.len(), fleet.len());
        for (image, catalog) in catalogs() {
            let alone = findings(&catalog, &snapshot, now);
            let together = &rematch.images[&image];
            let shared: Vec<_> = together.findings.iter().map(|finding| (**finding).clone()).collect();
            assert_eq!((shared, together.gaps.to_vec()), (alone.findings, alone.gaps), "{catalog:?}");
        }
    }
    let found: usize =
        fleet.rematch(&snapshot, &Matching::at(NOW)).images.values().map(|i| i.findings.len()).sum();
    assert_eq!(found, 8);
}

#[test]
fn tells_which_images_a_new_snapshot_changes() {
    let mut fleet = Fleet::default();
    let all = catalogs();
    for (image, catalog) in &all {
        fleet.insert(image.clone(), catalog);
    }
    let old = fleet.rematch(&written(FEEDS), &Matching::at(NOW));
    assert!(changed(&old, &old).is_empty());
    let more: Vec<&str> =
        FEEDS.iter().copied().chain(["debian-tracker: CVE-2024-3 debian:12/demo .."]).collect();
    let new = fleet.rematch(&written(&more), &Matching::at(NOW));
    assert_eq!(changed(&old, &new), [all[3].0.clone()]);
    assert!(fleet.remove(&all[0].0) && !fleet.remove(&all[0].0));
    let fewer = fleet.rematch(&written(FEEDS), &Matching::at(NOW));
    assert_eq!(changed(&old, &fewer), [all[0].0.clone()]);
}

#[test]
fn stored_catalogs_come_back() {
    for (_, catalog) in catalogs() {
        assert_eq!(decode(&encode(&catalog).unwrap()).unwrap(), catalog);
    }
    let bytes = encode(&catalogs()[0].1).unwrap();
    for hostile in [&b""[..], b"{}", &bytes[..bytes.len() - 1], &bytes[1..]] {
        assert!(matches!(decode(hostile), Err(Error::Catalog(_))));
    }
}

/// 732 real images: together they get what each gets alone, with real feeds.
#[test]
fn real_images_together_and_alone() {
    let Some(corpus) = boltseal_testkit::corpus() else { return };
    let feeds = ["native/debian/tracker-from-dsa-dla.json.zst", "osv/crates.io/all.zip", "osv/npm/all.zip"];
    let Some(snapshot) = crate::support::real(&feeds) else { return };
    let mut fleet = Fleet::default();
    let digest = |name: &str| Digest::of(name.as_bytes());
    for (name, catalog) in &corpus {
        fleet.insert(digest(name), catalog);
    }
    let rematch = fleet.rematch(&snapshot, &Matching::at(NOW));
    let mut found = 0;
    for (name, catalog) in corpus.iter().step_by(10) {
        let alone = findings(catalog, &snapshot, NOW);
        let together = &rematch.images[&digest(name)];
        found += alone.findings.len();
        assert!(together.findings.iter().map(|f| &**f).eq(&alone.findings), "{name}");
        assert_eq!(*together.gaps, *alone.gaps, "{name}");
    }
    assert!(found > 500, "only {found}");
}
