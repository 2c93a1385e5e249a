//! What the dashboard reads.

use boltseal_model::{
    Coverage, Decision, Digest, Distro, Finding, Fix, Gap, GapKind, Kev, Omitted, Package, Proof, Report,
    Severity, SnapshotInfo, Status, Subject, Timestamp, Verdict,
};
use boltseal_store::{Facts, ImageFilter, Kind, Outcome, Page, State, VulnerabilityFilter};

use crate::{databases::Database, facts::manifest};

pub fn finding(id: &str, package: &str, severity: Severity, fixed: Option<&str>, kev: bool) -> Finding {
    let added = "2024-01-02".parse().unwrap();
    Finding {
        id: id.to_owned(),
        aliases: vec![],
        package: package.to_owned(),
        purl: format!("pkg:deb/debian/{package}@1"),
        installed: "1".to_owned(),
        fixed: fixed.map(str::to_owned),
        fixed_on: None,
        severity,
        cvss: vec![],
        kev: kev.then_some(Kev { added, due: None, ransomware: false }),
        epss: None,
        status: Status::Affected,
        fix: fixed.map(|v| Fix { version: v.to_owned(), command: format!("apt-get install {package}={v}") }),
        title: format!("something in {package}"),
        published: None,
        references: vec![],
        proof: Proof {
            layer: None,
            path: "var/lib/dpkg/status".to_owned(),
            advisory: id.to_owned(),
            feed: "debian-tracker".to_owned(),
            matched: format!("debian:12/{package}"),
            range: "< 2".to_owned(),
            comparison: "1 < 2 (dpkg order)".to_owned(),
        },
        statements: Vec::new(),
    }
}

pub fn report(image: &Digest, decision: Decision, snapshot: &str, findings: Vec<Finding>) -> Report {
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    Report {
        leaks: Some(Vec::new()),
        misconfigurations: Vec::new(),
        unowned: Vec::new(),
        malware: Vec::new(),
        subject: Subject {
            reference: "a:v1".to_owned(),
            name: None,
            digest: Some(image.clone()),
            config: None,
            platform: None,
        },
        snapshot: Some(SnapshotInfo { id: snapshot.to_owned(), built: now, feeds: vec![] }),
        coverage: Coverage::of(vec![Gap::new(GapKind::FeedStale, "kev", "old")]),
        distro: Some(Distro {
            id: "debian".to_owned(),
            version: "12".to_owned(),
            name: "Debian 12".to_owned(),
            end_of_life: None,
        }),
        layers: vec![],
        packages: vec![Package {
            ecosystem: "debian".to_owned(),
            name: "openssl".to_owned(),
            version: "1".to_owned(),
            purl: "pkg:deb/debian/openssl@1".to_owned(),
            source: None,
            architecture: None,
            licenses: vec![],
            paths: vec!["var/lib/dpkg/status".to_owned()],
            layer: None,
            owner: None,
        }],
        findings,
        signatures: None,
        bases: None,
        vex: Vec::new(),
        omitted: Omitted::default(),
        verdict: Some(Verdict {
            decision,
            policy: "test".to_owned(),
            policy_digest: Digest::of(b"policy"),
            snapshot: Some(snapshot.to_owned()),
            reasons: vec![],
            expires: None,
        }),
    }
}

pub async fn judged(facts: &Facts, image: &Digest, report: Report) {
    let outcome = Outcome::Judged { report: Box::new(report), catalog_gaps: vec![] };
    facts.record(vec![(image.clone(), outcome)], Timestamp::now()).await.unwrap();
}

/// Two judged images, one pending, one artifact, one index of the first two.
async fn stocked(database: &Database) -> (Facts, Digest, Digest) {
    let facts = database.open().await;
    let (bad, good, new) = (Digest::of(b"bad"), Digest::of(b"good"), Digest::of(b"new"));
    facts.put_manifest(manifest("team/app", "v1", &bad, &[])).await.unwrap();
    facts.put_manifest(manifest("team/app", "", &good, &[])).await.unwrap();
    facts.put_manifest(manifest("other", "v1", &new, &[])).await.unwrap();
    let mut signature = manifest("team/app", "", &Digest::of(b"signature"), &[]);
    (signature.kind, signature.subject) = (Kind::Artifact, Some(bad.clone()));
    facts.put_manifest(signature).await.unwrap();
    let mut index = manifest("team/app", "multi", &Digest::of(b"index"), &[]);
    (index.kind, index.manifests) = (Kind::Index, vec![bad.clone(), good.clone()]);
    facts.put_manifest(index).await.unwrap();

    let findings = vec![
        finding("CVE-1", "openssl", Severity::Critical, Some("2"), true),
        finding("CVE-2", "zlib", Severity::Low, None, false),
        finding("CVE-1", "libssl3", Severity::High, Some("2"), true),
    ];
    judged(&facts, &bad, report(&bad, Decision::Deny, "s1", findings)).await;
    let findings = vec![finding("CVE-2", "zlib", Severity::Medium, None, false)];
    judged(&facts, &good, report(&good, Decision::Allow, "s1", findings)).await;
    (facts, bad, good)
}

#[tokio::test]
async fn images_by_every_filter() {
    for database in Database::each() {
        images_by_every_filter_on(&database).await;
    }
}

async fn images_by_every_filter_on(database: &Database) {
    let (facts, bad, good) = stocked(database).await;
    let all = ImageFilter::default;
    let cases = [
        ("all", all(), vec!["index", "bad", "new"]),
        ("children", ImageFilter { children: true, ..all() }, vec!["index", "bad", "good", "new"]),
        ("artifacts", ImageFilter { artifacts: true, ..all() }, vec!["index", "bad", "new", "signature"]),
        ("repository", ImageFilter { repository: Some("other".to_owned()), ..all() }, vec!["new"]),
        ("text in a name", ImageFilter { text: Some("am/a".to_owned()), ..all() }, vec!["index", "bad"]),
        ("text in a tag", ImageFilter { text: Some("mult".to_owned()), ..all() }, vec!["index"]),
        ("digest", ImageFilter { text: Some(bad.to_string()), ..all() }, vec!["bad"]),
        ("LIKE's own signs", ImageFilter { text: Some("%".to_owned()), ..all() }, vec![]),
        ("denied", ImageFilter { decision: Some(Decision::Deny), ..all() }, vec!["index", "bad"]),
        (
            "allowed",
            ImageFilter { decision: Some(Decision::Allow), children: true, ..all() },
            vec!["index", "good"],
        ),
        ("pending", ImageFilter { state: Some(State::Pending), ..all() }, vec!["new"]),
    ];
    for (name, filter, expected) in cases {
        let found = facts.images(&filter, Page::default()).await.unwrap();
        let mut digests: Vec<Digest> = found.rows.iter().map(|row| row.digest.clone()).collect();
        let mut expected: Vec<Digest> = expected.iter().map(|word| Digest::of(word.as_bytes())).collect();
        digests.sort();
        expected.sort();
        assert_eq!(digests, expected, "{name}");
        assert_eq!(found.total, expected.len() as u64, "{name}");
    }
    let page = facts.images(&all(), Page { offset: 1, limit: 1 }).await.unwrap();
    assert_eq!((page.rows.len(), page.total), (1, 3));

    let index = facts
        .images(&ImageFilter { text: Some("multi".to_owned()), ..all() }, Page::default())
        .await
        .unwrap();
    let index = index.rows.first().unwrap();
    assert_eq!(
        (index.decision, index.state),
        (Some(Decision::Deny), Some(State::Judged)),
        "the worst of its children"
    );
    assert_eq!((index.counts.critical, index.counts.medium, index.fixable), (1, 1, 2));

    let detail = facts.image(&bad).await.unwrap().unwrap();
    let row = detail.rows.first().unwrap();
    assert_eq!(row.tags, ["v1"]);
    assert_eq!((row.counts.total(), row.complete), (3, false));
    assert_eq!(detail.referrers.first().unwrap().digest, Digest::of(b"signature"));
    let read = detail.report.unwrap();
    let findings = read.findings.clone();
    assert_eq!(read, report(&bad, Decision::Deny, "s1", findings), "the report comes back whole");
    assert_eq!(facts.image(&Digest::of(b"index")).await.unwrap().unwrap().children.len(), 2);
    assert!(facts.image(&Digest::of(b"none")).await.unwrap().is_none());
    assert_eq!(facts.resolve("team/app", "v1").await.unwrap(), Some(bad));
    assert_eq!(facts.resolve("team/app", &good.to_string()).await.unwrap(), Some(good));

    let totals = facts.totals().await.unwrap();
    assert_eq!(
        (totals.repositories, totals.images, totals.allowed, totals.denied, totals.pending),
        (2, 3, 1, 1, 1)
    );
    assert_eq!(totals.vulnerabilities, 2);
}

#[tokio::test]
async fn vulnerabilities_over_all_images() {
    for database in Database::each() {
        vulnerabilities_over_all_images_on(&database).await;
    }
}

async fn vulnerabilities_over_all_images_on(database: &Database) {
    let (facts, bad, good) = stocked(database).await;
    let all = VulnerabilityFilter::default;
    let cases = [
        ("all, exploited first", all(), vec!["CVE-1", "CVE-2"]),
        ("fixable", VulnerabilityFilter { fixable: true, ..all() }, vec!["CVE-1"]),
        ("exploited", VulnerabilityFilter { kev: true, ..all() }, vec!["CVE-1"]),
        ("severe", VulnerabilityFilter { severity: Some(Severity::High), ..all() }, vec!["CVE-1"]),
        ("package", VulnerabilityFilter { text: Some("zli".to_owned()), ..all() }, vec!["CVE-2"]),
        ("nothing", VulnerabilityFilter { text: Some("_".to_owned()), ..all() }, vec![]),
    ];
    for (name, filter, expected) in cases {
        let found = facts.vulnerabilities(&filter, Page::default()).await.unwrap();
        let ids: Vec<&str> = found.rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!((ids, found.total), (expected.clone(), expected.len() as u64), "{name}");
    }
    let second = facts.vulnerability("CVE-2").await.unwrap().unwrap();
    assert_eq!((second.row.images, second.row.severity), (2, Severity::Medium), "the worst of all hits");
    let hit: Vec<_> = second.hits.iter().map(|hit| (hit.digest.clone(), hit.decision)).collect();
    assert_eq!(hit.len(), 2);
    assert!(
        hit.contains(&(bad.clone(), Some(Decision::Deny))) && hit.contains(&(good, Some(Decision::Allow)))
    );
    let first = facts.vulnerability("CVE-1").await.unwrap().unwrap();
    assert_eq!(first.row.packages, ["libssl3", "openssl"]);
    assert!(facts.vulnerability("CVE-3").await.unwrap().is_none());

    // New data: the first is fixed everywhere.
    judged(&facts, &bad, report(&bad, Decision::Allow, "s2", vec![])).await;
    assert!(facts.vulnerability("CVE-1").await.unwrap().is_none());
    let policy = Digest::of(b"policy");
    let outdated = facts.outdated(Some("s2"), &policy, "", 10).await.unwrap();
    assert_eq!(outdated.len(), 1, "only the other image still stands on the old snapshot");
    assert_eq!(facts.outdated(Some("s2"), &Digest::of(b"new policy"), "", 10).await.unwrap().len(), 2);
}
