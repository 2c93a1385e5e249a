//! What differs between two images, on plain values.

use boltseal_flow::{
    contents::{Contents, Entry},
    diff::{Change, Diff, PackageName, Side, diff},
};
use boltseal_model::{Config, Coverage, Finding, Omitted, Package, Report, SnapshotInfo, Subject, Timestamp};

use crate::finding;

fn package(ecosystem: &str, name: &str, version: &str) -> Package {
    Package {
        ecosystem: ecosystem.to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        purl: String::new(),
        source: None,
        architecture: None,
        licenses: Vec::new(),
        paths: Vec::new(),
        layer: None,
        owner: None,
    }
}

fn subject() -> Subject {
    Subject { reference: "app".to_owned(), name: None, digest: None, config: None, platform: None }
}

fn report(packages: Vec<Package>, findings: Vec<Finding>, matched: bool) -> Report {
    let built = Timestamp::UNIX_EPOCH;
    Report {
        leaks: Some(Vec::new()),
        misconfigurations: Vec::new(),
        unowned: Vec::new(),
        malware: Vec::new(),
        subject: subject(),
        snapshot: matched.then(|| SnapshotInfo { id: "s".to_owned(), built, feeds: Vec::new() }),
        coverage: Coverage::of(Vec::new()),
        distro: None,
        layers: Vec::new(),
        packages,
        findings,
        signatures: None,
        bases: None,
        vex: Vec::new(),
        omitted: Omitted::default(),
        verdict: None,
    }
}

fn contents(files: Option<&[(&str, u64, u8)]>, config: Config) -> Contents {
    let entry = |(path, size, content): &(&str, u64, u8)| {
        let hash = vec![*content; 32].into();
        ((*path).into(), Entry { size: *size, mode: 0o644, owner: (0, 0), link: None, hash })
    };
    Contents {
        subject: subject(),
        layers: Vec::new(),
        history: Vec::new(),
        config,
        files: files.map(|all| all.iter().map(entry).collect()),
        gaps: Vec::new(),
    }
}

fn of_packages(before: Vec<Package>, after: Vec<Package>) -> Vec<String> {
    let empty = contents(None, Config::default());
    let (before, after) = (report(before, vec![], false), report(after, vec![], false));
    let side = |report| Side { report, contents: &empty };
    let told = |change: Change<PackageName, String>| {
        let version = |version: Option<String>| version.unwrap_or_else(|| "-".to_owned());
        format!("{} {} {}", change.name.package, version(change.before), version(change.after))
    };
    diff(side(&before), side(&after)).packages.into_iter().map(told).collect()
}

#[test]
fn packages_come_go_and_change() {
    let npm = |name: &str, version: &str| package("npm", name, version);
    for (before, after, expected) in [
        (vec![npm("a", "1")], vec![npm("a", "1")], vec![]),
        (vec![npm("a", "1")], vec![npm("a", "2")], vec!["a 1 2"]),
        (vec![npm("a", "1")], vec![package("pypi", "a", "1")], vec!["a 1 -", "a - 1"]),
        // Two versions of one package are two.
        (vec![npm("a", "1"), npm("a", "2")], vec![npm("a", "2"), npm("a", "3")], vec!["a 1 3"]),
        (vec![npm("a", "1"), npm("a", "2")], vec![npm("a", "2")], vec!["a 1 -"]),
        (vec![], vec![npm("b", "1"), npm("a", "1")], vec!["a - 1", "b - 1"]),
    ] {
        assert_eq!(of_packages(before, after), expected);
    }
}

#[test]
fn files_are_the_same_by_their_bytes() {
    let report = report(vec![], vec![], false);
    let before = contents(Some(&[("a", 1, 1), ("b", 2, 2), ("c", 3, 3)]), Config::default());
    let after = contents(Some(&[("a", 1, 1), ("b", 2, 9), ("d", 4, 4)]), Config::default());
    let side = |contents| Side { report: &report, contents };
    let found = diff(side(&before), side(&after));
    let files = found.files.as_ref().unwrap();
    assert_eq!(files.iter().map(|change| change.name.as_str()).collect::<Vec<_>>(), ["b", "c", "d"]);
    assert!(!found.is_empty());
    let unread = contents(None, Config::default());
    assert_eq!(diff(side(&before), side(&unread)).files, None);
    assert!(diff(side(&before), side(&before)).is_empty());
}

#[test]
fn configurations_differ_by_name() {
    let config = |user: &str, env: &[&str]| Config {
        user: user.to_owned(),
        env: env.iter().map(|line| (*line).to_owned()).collect(),
        ..Config::default()
    };
    let report = report(vec![], vec![], false);
    let before = contents(None, config("", &["PATH=/bin", "GONE=1", "SAME=1"]));
    let after = contents(None, config("app", &["SAME=1", "PATH=/usr/bin"]));
    let side = |contents| Side { report: &report, contents };
    let Diff { config, findings, .. } = diff(side(&before), side(&after));
    let told: Vec<_> = config
        .iter()
        .map(|change| (change.name.as_str(), change.before.as_deref(), change.after.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("user", None, Some("app")),
            ("env GONE", Some("1"), None),
            ("env PATH", Some("/bin"), Some("/usr/bin"))
        ]
    );
    assert_eq!(findings, None, "nothing was matched with anything");
}

#[test]
fn findings_are_fixed_and_new_whatever_the_version() {
    let of = |id: &str, version: &str| finding(id, "zlib", "zlib", version, Some("9"));
    let before = report(vec![], vec![of("CVE-1", "1"), of("CVE-2", "1")], true);
    let after = report(vec![], vec![of("CVE-2", "2"), of("CVE-3", "2"), of("CVE-3", "2")], true);
    let empty = contents(None, Config::default());
    let side = |report| Side { report, contents: &empty };
    let found = diff(side(&before), side(&after)).findings.unwrap();
    let ids = |hits: &[boltseal_flow::diff::Hit]| hits.iter().map(|hit| hit.id.clone()).collect::<Vec<_>>();
    assert_eq!(
        (ids(&found.fixed), ids(&found.new), found.same),
        (vec!["CVE-1".to_owned()], vec!["CVE-3".to_owned()], 1)
    );
}
