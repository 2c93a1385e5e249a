//! Ignored findings leave the list, never the report.

use boltseal_flow::{IgnoreError, IgnoreFile};
use boltseal_model::{Coverage, Omitted, Report, Status, Subject};

use crate::finding;

fn report() -> Report {
    let mut second = finding("CVE-2", "b", "pypi/b", "1", None);
    second.aliases = vec!["GHSA-2".to_owned()];
    let findings = vec![finding("CVE-1", "a", "pypi/a", "1", None), second];
    Report {
        leaks: Some(Vec::new()),
        misconfigurations: Vec::new(),
        unowned: Vec::new(),
        malware: Vec::new(),
        subject: Subject {
            reference: "test".to_owned(),
            name: None,
            digest: None,
            config: None,
            platform: None,
        },
        snapshot: None,
        coverage: Coverage::of(Vec::new()),
        distro: None,
        layers: Vec::new(),
        packages: Vec::new(),
        findings,
        signatures: None,
        bases: None,
        vex: Vec::new(),
        omitted: Omitted::default(),
        verdict: None,
    }
}

#[test]
fn by_id_or_alias_until_the_end_of_the_day() {
    for (file, now, kept, over) in [
        ("", "2026-10-01T12:00:00Z", &["CVE-1", "CVE-2"][..], &[][..]),
        ("CVE-1", "2026-10-01T12:00:00Z", &["CVE-2"], &[]),
        ("ghsa-2 never called", "2026-10-01T12:00:00Z", &["CVE-1"], &[]),
        ("CVE-1 until:2026-10-01", "2026-10-01T23:59:59Z", &["CVE-2"], &[]),
        ("CVE-1 until:2026-10-01", "2026-10-02T00:00:00Z", &["CVE-1", "CVE-2"], &["CVE-1"]),
        // Trivy's word names the first day on which it is over.
        ("CVE-1 exp:2026-10-02", "2026-10-01T23:59:59Z", &["CVE-2"], &[]),
        ("CVE-1 exp:2026-10-02", "2026-10-02T00:00:00Z", &["CVE-1", "CVE-2"], &["CVE-1"]),
        ("CVE-10", "2026-10-01T12:00:00Z", &["CVE-1", "CVE-2"], &[]),
    ] {
        let mut report = report();
        let ended = IgnoreFile::parse(file).unwrap().apply(&mut report, now.parse().unwrap());
        let ids: Vec<&str> = report.findings.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!(
            (ids.as_slice(), ended),
            (kept, over.iter().map(|id| (*id).to_owned()).collect()),
            "{file}"
        );
        assert_eq!(report.findings.len() + report.omitted.ignored.len(), 2, "{file}");
    }
}

#[test]
fn the_reason_is_kept() {
    let mut report = report();
    IgnoreFile::parse("GHSA-2 until:2027-01-31 # not reachable")
        .unwrap()
        .apply(&mut report, "2026-10-01T12:00:00Z".parse().unwrap());
    let ignored = &report.omitted.ignored[0];
    assert_eq!(ignored.reason.as_deref(), Some("not reachable"));
    assert_eq!(ignored.until.map(|until| until.to_string()).as_deref(), Some("2027-01-31"));
}

/// `a` of npm with a fix at `usr/lib/node_modules/a/package.json`, `b` of Debian that nobody fixes.
fn two() -> Report {
    let mut report = report();
    let [first, second] = report.findings.as_mut_slice() else { unreachable!("there are two") };
    "pkg:npm/%40scope/a@1".clone_into(&mut first.purl);
    "usr/lib/node_modules/a/package.json".clone_into(&mut first.proof.path);
    first.fixed = Some("2".to_owned());
    "pkg:deb/debian/b@1?arch=amd64&distro=debian-12".clone_into(&mut second.purl);
    "debian:12/source-of-b".clone_into(&mut second.proof.matched);
    second.status = Status::WillNotFix;
    report
}

/// What `file` leaves in the list, and how many of its entries ignore nothing.
fn kept(file: &str) -> (Vec<String>, usize) {
    let mut report = two();
    let file = IgnoreFile::parse(file).unwrap();
    file.apply(&mut report, "2026-10-01T12:00:00Z".parse().unwrap());
    assert_eq!(report.findings.len() + report.omitted.ignored.len(), 2);
    (report.findings.iter().map(|finding| finding.id.clone()).collect(), file.unread().len())
}

#[test]
fn trivy_files() {
    for (entry, expected) in [
        ("id: CVE-1", &["CVE-2"][..]),
        ("{ id: GHSA-2, statement: seen }", &["CVE-1"]),
        ("{ id: CVE-1, paths: [usr/lib/node_modules/*/package.json] }", &["CVE-2"]),
        ("{ id: CVE-1, paths: [usr/lib/*] }", &["CVE-1", "CVE-2"]),
        ("{ id: CVE-1, purls: ['pkg:npm/@scope/a'] }", &["CVE-2"]),
        ("{ id: CVE-1, purls: ['pkg:npm/@scope/a@2'] }", &["CVE-1", "CVE-2"]),
        ("{ id: CVE-2, purls: ['pkg:deb/debian/b?distro=debian-12'] }", &["CVE-1"]),
        ("{ id: CVE-1, expired_at: 2026-10-02 }", &["CVE-2"]),
        ("{ id: CVE-1, expired_at: 2026-10-01 }", &["CVE-1", "CVE-2"]),
        ("{ id: CVE-1, expired_at: 2026-10-02T00:00:00Z }", &["CVE-2"]),
    ] {
        assert_eq!(kept(&format!("vulnerabilities:\n  - {entry}\n")).0, expected, "{entry}");
    }
    let others = "vulnerabilities:\n- id: CVE-1\nsecrets:\n- id: aws\nmisconfigurations: []\nlicenses:\n";
    assert_eq!(kept(others), (vec!["CVE-2".to_owned()], 1));
    let mut report = two();
    let file = "vulnerabilities:\n- id: CVE-1\n  statement: never called\n  expired_at: 2027-02-01\n";
    IgnoreFile::parse(file).unwrap().apply(&mut report, "2026-10-01T12:00:00Z".parse().unwrap());
    let ignored = &report.omitted.ignored[0];
    assert_eq!(ignored.reason.as_deref(), Some("never called"));
    assert_eq!(ignored.until.map(|day| day.to_string()).as_deref(), Some("2027-01-31"));
}

#[test]
fn grype_files() {
    for (rule, expected, unread) in [
        ("vulnerability: CVE-1", &["CVE-2"][..], 0),
        ("vulnerability: GHSA-2", &["CVE-1", "CVE-2"], 0),
        ("{ vulnerability: GHSA-2, include-aliases: true, reason: seen }", &["CVE-1"], 0),
        ("fix-state: fixed", &["CVE-2"], 0),
        ("fix-state: wont-fix", &["CVE-1"], 0),
        ("fix-state: not-fixed", &["CVE-1", "CVE-2"], 0),
        ("package: { type: deb }", &["CVE-1"], 0),
        ("package: { language: javascript }", &["CVE-2"], 0),
        ("package: { name: a, version: 1 }", &["CVE-2"], 0),
        ("package: { name: a, version: 2 }", &["CVE-1", "CVE-2"], 0),
        ("package: { name: '[ab]' }", &[], 0),
        ("package: { upstream-name: source-of-b }", &["CVE-1"], 0),
        ("package: { location: '/usr/lib/node_modules/**' }", &["CVE-2"], 0),
        ("{ vulnerability: CVE-1, fix-state: wont-fix }", &["CVE-1", "CVE-2"], 0),
        ("{ vex-status: affected }", &[], 0),
        ("{ vex-status: not_affected }", &["CVE-1", "CVE-2"], 0),
        // What cannot be checked must not ignore more than its author meant.
        ("{ vulnerability: CVE-1, namespace: 'github:language:python' }", &["CVE-1", "CVE-2"], 1),
        ("{ vulnerability: CVE-1, match-type: exact-direct-match }", &["CVE-1", "CVE-2"], 1),
        ("{ reason: none }", &["CVE-1", "CVE-2"], 1),
    ] {
        let file = format!("fail-on-severity: high\nignore:\n  - {rule}\n");
        let expected = expected.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(kept(&file), (expected, unread), "{rule}");
    }
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (file, expected) in [
        ("rules: []", "neither `ignore:`"),
        ("{\"@context\": \"https://openvex.dev/ns/v0.2.0\"}", "VEX document"),
        ("vulnerabilities:\n- cve: CVE-1", "cve"),
        ("vulnerabilities:\n- id: CVE-1\n  expired_at: soon", "`soon` is not a date"),
        ("vulnerabilities:\n- id: CVE-1\n  purls: [lodash]", "`lodash` is not a package URL"),
        ("ignore:\n- vulnerabilty: CVE-1", "vulnerabilty"),
        ("ignore:\n- fix-state: maybe", "`maybe` is not known as a fix-state"),
        ("ignore:\n- package: { type: floppy }", "`floppy` is not known as a type"),
        ("ignore:\n- package: { name: '(' }", "`(` is not a pattern"),
        ("ignore: &a [*a]", ""),
    ] {
        let wrong = IgnoreFile::parse(file).unwrap_err().to_string();
        assert!(wrong.contains(expected), "{file}: {wrong}");
    }
    let bomb = format!("ignore: {}", "[".repeat(10_000));
    assert!(matches!(IgnoreFile::parse(&bomb), Err(IgnoreError::Value(_))));
}
