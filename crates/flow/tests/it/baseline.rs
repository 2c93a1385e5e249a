//! What is new against an earlier report.

use boltseal_flow::baseline::{only_new, weakness};
use boltseal_model::{Baseline, Confidence, Leak, Misconfiguration, Place, Report, Severity};

use crate::finding;

/// An empty report that was matched with something.
fn report() -> Report {
    serde_json::from_str(
        r#"{"subject": {"reference": "oci:app", "digest": null, "platform": null},
            "snapshot": {"id": "s", "built": "2026-10-01T00:00:00Z", "feeds": []},
            "coverage": {"complete": true, "gaps": []}, "distro": null, "layers": [], "packages": [],
            "leaks": [], "findings": [], "verdict": null}"#,
    )
    .unwrap()
}

fn leak(rule: &str, path: &str, line: usize) -> Leak {
    Leak {
        place: Place::File { path: path.to_owned(), line },
        rule: rule.to_owned(),
        title: rule.to_owned(),
        confidence: Confidence::High,
        layer: None,
        hidden: false,
        package: None,
        number: None,
        fingerprint: None,
    }
}

#[test]
fn findings_are_known_by_vulnerability_and_package() {
    let mut before = report();
    before.findings = vec![finding("CVE-1", "a", "a", "1", None), finding("CVE-2", "b", "b", "1", None)];
    let mut moved = finding("CVE-1", "a", "a", "2", None);
    moved.proof.path = "elsewhere".to_owned();
    let mut after = report();
    after.findings =
        vec![moved, finding("CVE-1", "c", "c", "1", None), finding("CVE-3", "a", "a", "2", None)];
    only_new(&mut after, &before, "app:main");
    let left: Vec<(&str, &str)> =
        after.findings.iter().map(|one| (one.id.as_str(), one.package.as_str())).collect();
    assert_eq!(left, [("CVE-1", "c"), ("CVE-3", "a")]);
    let expected = Baseline { against: "app:main".to_owned(), findings: 1, ..Baseline::default() };
    assert_eq!(after.omitted.baseline, Some(expected));
}

#[test]
fn secrets_may_move_within_a_file_and_not_become_more() {
    for (before, after, expected) in [
        (vec![("key", "a", 1)], vec![("key", "a", 9)], vec![]),
        (vec![("key", "a", 1)], vec![("key", "b", 1)], vec![("b", 1)]),
        (vec![("key", "a", 1)], vec![("password", "a", 1)], vec![("a", 1)]),
        (vec![("key", "a", 1)], vec![("key", "a", 1), ("key", "a", 2)], vec![("a", 2)]),
        (vec![("key", "a", 1)], vec![("key", "a", 2), ("key", "a", 3)], vec![("a", 2), ("a", 3)]),
        (vec![], vec![("key", "a", 1)], vec![("a", 1)]),
    ] {
        let leaks =
            |all: &[(&str, &str, usize)]| Some(all.iter().map(|one| leak(one.0, one.1, one.2)).collect());
        let (mut old, mut new) = (report(), report());
        (old.leaks, new.leaks) = (leaks(&before), leaks(&after));
        only_new(&mut new, &old, "x");
        let left = new.leaks.unwrap();
        let left: Vec<(&str, usize)> = left
            .iter()
            .map(|leak| match &leak.place {
                Place::File { path, line } => (path.as_str(), *line),
                other => unreachable!("{other}"),
            })
            .collect();
        assert_eq!(left, expected, "{before:?} {after:?}");
        let counted = new.omitted.baseline.unwrap().leaks;
        assert_eq!(usize::try_from(counted).unwrap() + left.len(), after.len());
    }
}

#[test]
fn where_nobody_looked_nothing_is_known() {
    let (mut old, mut new) = (report(), report());
    old.leaks = None;
    new.leaks = Some(vec![leak("key", "a", 1)]);
    let root = Misconfiguration {
        check: "root-user".to_owned(),
        severity: Severity::Low,
        title: "runs as root".to_owned(),
        found: "no USER".to_owned(),
        fix: "add USER".to_owned(),
        layer: None,
    };
    (old.misconfigurations, new.misconfigurations) = (vec![root.clone()], vec![root]);
    only_new(&mut new, &old, "x");
    assert_eq!(new.leaks.as_ref().map(Vec::len), Some(1));
    assert_eq!(new.misconfigurations, []);
    assert_eq!(new.omitted.baseline.unwrap().total(), 1);
}

#[test]
fn poor_baselines_are_named() {
    let mut before = report();
    assert_eq!(weakness(&before), None);
    before.omitted.filtered = 3;
    assert!(weakness(&before).unwrap().contains("leaves out 3"));
    before.snapshot = None;
    assert!(weakness(&before).unwrap().contains("no vulnerability data"));
}
