//! Ignored findings leave the list, never the report.

use boltseal_flow::IgnoreFile;
use boltseal_model::{Coverage, Omitted, Report, Subject};

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
