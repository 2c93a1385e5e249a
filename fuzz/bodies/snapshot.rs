//! Any bytes as a snapshot: opening, verifying, looking up and matching answer or give a typed error; nothing panics.

pub fn body(bytes: &[u8]) {
    let Ok(snapshot) = boltseal_scan::Snapshot::open(bytes.to_vec()) else { return };
    let intact = snapshot.verify().is_ok();
    for id in ["CVE-2024-1", "GHSA-1", "DSA-1-1", ""] {
        let found = snapshot.advisory(id).is_ok() & snapshot.vulnerability(id).is_ok();
        assert!(found || !intact, "an intact snapshot cannot tell about {id}");
    }
    let package = |ecosystem: &str, name: &str, version: &str| boltseal_model::Package {
        ecosystem: ecosystem.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        ..boltseal_model::Package::default()
    };
    let catalog = boltseal_model::Catalog {
        distro: Some(boltseal_model::Distro {
            id: "debian".to_owned(),
            version: "12".to_owned(),
            name: String::new(),
            end_of_life: None,
        }),
        packages: vec![
            package("debian", "demo", "1.1"),
            package("pypi", "demo", "1.1"),
            package("npm", "demo", "1.1.0"),
        ],
        ..boltseal_model::Catalog::default()
    };
    let now = boltseal_model::Timestamp::UNIX_EPOCH;
    let first = boltseal_scan::findings(&catalog, &snapshot, now);
    assert_eq!(
        first,
        boltseal_scan::findings(&catalog, &snapshot, now),
        "the same input gives the same output"
    );
    let mut fleet = boltseal_scan::Fleet::default();
    fleet.insert(boltseal_model::Digest::of(b""), &catalog);
    fleet.rematch(&snapshot, &boltseal_scan::Matching::at(now));
}
