//! Trivy's own fixture database and golden reports: the same packages and advisories must give the same findings.
//!
//! Images in our scope have no lock files, so the packages are taken from the reports; what is compared is matching:
//! package, version, vulnerability and fixed version.

use std::{collections::BTreeSet, fs, path::Path};

use boltseal_model::{Advisory, Affected, Catalog, Package, Range, Status};
use boltseal_scan::{Builder, Snapshot, findings};
use serde_json::Value;

use crate::support::{NOW, bytes, catalog, feed, open};

/// A report, the ecosystem of its packages, and the release.
const GOLDEN: [(&str, &str, &str); 8] = [
    ("golden/pip.golden", "pypi", ""),
    ("golden/pylock.golden", "pypi", ""),
    ("golden/yarn.golden", "npm", ""),
    ("golden/pnpm.golden", "npm", ""),
    ("golden/bun.golden", "npm", ""),
    ("golden/trivy-ci-test.golden", "cargo", ""),
    ("golden-format/debian-buster.json.golden", "debian", "debian 10"),
    ("golden-format/ubuntu-1804.json.golden", "debian", "ubuntu 18.04"),
];

/// Source packages of binary packages in the reports.
const SOURCES: [(&str, &str); 4] = [
    ("libidn2-0", "libidn2"),
    ("libcom-err2", "e2fsprogs"),
    ("libext2fs2", "e2fsprogs"),
    ("libss2", "e2fsprogs"),
];

/// Package, installed version, vulnerability, fixed version (the first, where several branches have one).
type Row = (String, String, String, String);

#[test]
fn golden_reports() {
    let Some(fixture) = boltseal_testkit::unpacked("data/fixtures/trivy-e2e.tar.zst") else { return };
    let root = fixture.path("trivy-e2e");
    let root = if root.is_dir() { root } else { fixture.root().to_owned() };
    let snapshot = snapshot(&root.join("db"));
    let mut compared = 0;
    for (file, ecosystem, distro) in GOLDEN {
        let text = fs::read_to_string(root.join(file)).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        let (packages, expected) = read(&report, ecosystem);
        let matched = findings(&Catalog { packages, ..catalog(distro, Vec::new()) }, &snapshot, NOW);
        let found: BTreeSet<Row> = (matched.findings.iter())
            .map(|f| {
                (f.package.clone(), f.installed.clone(), f.id.clone(), f.fixed.clone().unwrap_or_default())
            })
            .collect();
        assert_eq!(found, expected, "{file}");
        assert!(matched.gaps.is_empty(), "{file}: {:?}", matched.gaps);
        compared += expected.len();
    }
    assert!(compared >= 16, "only {compared}");
}

/// Packages of `ecosystem` in a report, and what it says about them.
fn read(report: &Value, ecosystem: &str) -> (Vec<Package>, BTreeSet<Row>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lock = |kind: &str| match kind {
        "pip" | "pipenv" | "pylock" => "pypi",
        "yarn" | "pnpm" | "bun" => "npm",
        "ubuntu" => "debian",
        _ => "",
    };
    let (mut packages, mut rows) = (Vec::new(), BTreeSet::new());
    let results = report["Results"].as_array().unwrap().iter();
    for result in results.filter(|r| r["Type"] == ecosystem || lock(&text(&r["Type"])) == ecosystem) {
        let listed = result["Packages"].as_array().into_iter().flatten();
        let mut add = |name: String, version: String| {
            let source = SOURCES.iter().find(|(binary, _)| *binary == name).map(|(_, source)| *source);
            let source =
                source.map(|name| boltseal_model::Source { name: name.to_owned(), version: version.clone() });
            packages.push(Package {
                ecosystem: ecosystem.to_owned(),
                name,
                version,
                source,
                ..Package::default()
            });
        };
        listed.for_each(|package| add(text(&package["Name"]), text(&package["Version"])));
        for found in result["Vulnerabilities"].as_array().into_iter().flatten() {
            let (name, version) = (text(&found["PkgName"]), text(&found["InstalledVersion"]));
            add(name.clone(), version.clone());
            rows.insert((
                name,
                version,
                text(&found["VulnerabilityID"]),
                first_fix(&text(&found["FixedVersion"])),
            ));
        }
    }
    packages.sort();
    packages.dedup();
    (packages, rows)
}

/// `>= 3.1.0, >= 2.1.3, < 3.0.0` is fixed from 2.1.3 on its own branch: the smallest one.
fn first_fix(fixed: &str) -> String {
    let versions = fixed.split(',').map(str::trim).filter(|part| !part.starts_with('<'));
    versions.map(|part| part.trim_start_matches([' ', '>', '='])).min().unwrap_or_default().to_owned()
}

/// The fixture database as advisories.
fn snapshot(db: &Path) -> Snapshot {
    let mut builder = Builder::new().unwrap();
    for file in ["python", "nodejs", "rust", "debian", "ubuntu"] {
        let text = fs::read_to_string(db.join(file).with_extension("yaml")).unwrap();
        let buckets: Vec<Value> = serde_saphyr::from_str(&text).unwrap();
        for bucket in &buckets {
            let name = bucket["bucket"].as_str().unwrap();
            let Some(space) = space(name) else { continue };
            builder.feed(feed(name, &[&space]));
            for package in bucket["pairs"].as_array().unwrap() {
                for pair in package["pairs"].as_array().unwrap() {
                    let affected = affected(&space, package["bucket"].as_str().unwrap(), &pair["value"]);
                    let id = pair["key"].as_str().unwrap().to_owned();
                    let affected = vec![affected];
                    builder
                        .advisory(Advisory { id, feed: name.to_owned(), affected, ..Advisory::default() })
                        .unwrap();
                }
            }
        }
    }
    open(bytes(builder))
}

fn space(bucket: &str) -> Option<String> {
    Some(match bucket.split_once("::").map_or(bucket, |(kind, _)| kind) {
        "pip" => "pypi".to_owned(),
        kind @ ("npm" | "cargo") => kind.to_owned(),
        release => {
            let (id, version) =
                release.split_once(' ').filter(|(id, _)| ["debian", "ubuntu"].contains(id))?;
            format!("{id}:{version}")
        }
    })
}

fn affected(space: &str, package: &str, value: &Value) -> Affected {
    let list =
        |key: &str| value[key].as_array().into_iter().flatten().filter_map(Value::as_str).collect::<Vec<_>>();
    let fixed = |version: &str| Range { fixed: Some(version.to_owned()), ..Range::default() };
    let mut ranges: Vec<Range> = Vec::new();
    for text in list("VulnerableVersions") {
        let bound = |sign: &str| {
            let parts = text.split(',').map(str::trim);
            parts.filter_map(|part| part.strip_prefix(sign)).map(|version| version.trim().to_owned()).next()
        };
        ranges.push(Range { introduced: bound(">="), fixed: bound("<"), ..Range::default() });
    }
    if ranges.is_empty() {
        let patched = list("PatchedVersions");
        // `>= 2.1.3, < 3.0.0` and `>= 3.1.0`: affected below 2.1.3 and from 3.0.0 to below 3.1.0.
        let mut branches: Vec<Vec<&str>> = patched.iter().map(|p| p.split(", ").collect()).collect();
        branches.sort();
        let mut from = None;
        for branch in &branches {
            let fixed = branch[0].trim_start_matches(">= ").to_owned();
            ranges.push(Range { introduced: from.take(), fixed: Some(fixed), ..Range::default() });
            from = branch.get(1).map(|end| end.trim_start_matches("< ").to_owned());
        }
    }
    ranges.extend(value["FixedVersion"].as_str().map(fixed));
    let status = if value["Status"] == 7 { Status::EndOfLife } else { Status::Affected };
    Affected { space: space.to_owned(), package: package.to_owned(), ranges, status, ..Affected::default() }
}
