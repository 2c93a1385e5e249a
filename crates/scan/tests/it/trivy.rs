//! Trivy's own fixture database, repositories and golden reports: the same packages and advisories must give the same
//! findings.
//!
//! Repositories are scanned from their files to findings. Reports of images come without the images, so their packages
//! are taken from the report and only matching is compared: package, version, vulnerability and fixed version.

use std::{collections::BTreeSet, fs, path::Path};

use boltseal_ecosystem::Everything;
use boltseal_model::{
    Advisory, Affected, Catalog, File, FileMeta, Package, Range, Selector as _, Status, Tree, Want,
};
use boltseal_scan::{Builder, Snapshot, findings};
use serde_json::Value;

use crate::support::{NOW, bytes, catalog, feed, open};

/// A report, the ecosystem of its packages, and the release.
const GOLDEN: [(&str, &str, &str); 2] = [
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
    assert!(compared >= 4, "only {compared}");
}

/// From files to findings. A report lists several fixed versions where several branches have one; ours is the one for the
/// branch that is installed, so it must be among them.
#[test]
fn repositories() {
    let Some(fixture) = boltseal_testkit::unpacked("data/fixtures/trivy-e2e.tar.zst") else { return };
    let root = fixture.path("trivy-e2e");
    let root = if root.is_dir() { root } else { fixture.root().to_owned() };
    let snapshot = snapshot(&root.join("db"));
    let (mut scanned, mut compared) = (0, 0);
    for folder in fs::read_dir(root.join("repo")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let catalog = boltseal_scan::catalog(&project(&root.join("repo").join(&name)));
        assert_eq!(catalog.gaps, [], "{name}");
        let found: BTreeSet<Row> = (findings(&catalog, &snapshot, NOW).findings.into_iter())
            .map(|f| (f.package, f.installed, f.id, f.fixed.unwrap_or_default()))
            .collect();
        let text = fs::read_to_string(root.join(format!("golden/{name}.golden"))).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        let mut expected: BTreeSet<Row> = BTreeSet::new();
        for hit in report["Results"].as_array().into_iter().flatten() {
            for hit in hit["Vulnerabilities"].as_array().into_iter().flatten() {
                let text = |key: &str| hit[key].as_str().unwrap_or_default().to_owned();
                let (package, version, id) =
                    (text("PkgName"), text("InstalledVersion"), text("VulnerabilityID"));
                let fixes = text("FixedVersion");
                let mut fixes =
                    fixes.split(", ").map(|fix| fix.trim_start_matches([' ', '>', '=']).to_owned());
                let ours = |fix: &String| {
                    found.contains(&(package.clone(), version.clone(), id.clone(), fix.clone()))
                };
                let fix = fixes.find(ours).unwrap_or_default();
                expected.insert((package.clone(), version.clone(), id.clone(), fix));
            }
        }
        assert_eq!(found, expected, "{name}");
        scanned += 1;
        compared += expected.len();
    }
    eprintln!("trivy: {scanned} repositories, {compared} findings, all the same");
    assert!(scanned == 15 && compared >= 19, "only {compared} findings in {scanned} repositories");
}

/// The files of a folder that a catalog is made of.
fn project(root: &Path) -> Tree {
    let mut tree = Tree::default();
    let mut todo = vec![root.to_owned()];
    while let Some(folder) = todo.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                todo.push(path);
                continue;
            }
            let content = fs::read(&path).unwrap();
            let meta = FileMeta { size: content.len() as u64, mode: 0o644, uid: 0, gid: 0 };
            let name = path.strip_prefix(root).unwrap().to_str().unwrap();
            if Everything.want_in_folder(name, &meta) == Want::Whole {
                let file = File { layer: 0, meta, content: content.into(), earlier: Vec::new() };
                tree.files.insert(name.into(), file);
            }
        }
    }
    tree
}

/// Packages of `ecosystem` in a report, and what it says about them.
fn read(report: &Value, ecosystem: &str) -> (Vec<Package>, BTreeSet<Row>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lock = |kind: &str| if kind == "ubuntu" { "debian" } else { "" };
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
    for file in [
        "python",
        "nodejs",
        "rust",
        "java",
        "composer",
        "nuget",
        "erlang",
        "cocoapods",
        "ruby",
        "pub",
        "conan",
        "go",
        "swift",
        "debian",
        "ubuntu",
    ] {
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
        "composer" => "packagist".to_owned(),
        "erlang" => "hex".to_owned(),
        "go" => "golang".to_owned(),
        kind @ ("npm" | "cargo" | "maven" | "nuget" | "cocoapods" | "rubygems" | "pub" | "conan"
        | "swift") => kind.to_owned(),
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
        ranges.push(range(text, &list("PatchedVersions")));
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

/// `>= 1.0, < 2.0`, `<= 1.9` fixed in the only version that is patched, `[1.0,2.0)`.
fn range(text: &str, patched: &[&str]) -> Range {
    if let Some((from, to)) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(')')?.split_once(','))
    {
        return Range { introduced: Some(from.to_owned()), fixed: Some(to.to_owned()), ..Range::default() };
    }
    let bound = |sign: &str| {
        let mut parts = text.split(',').map(str::trim);
        parts
            .find_map(|part| part.strip_prefix(sign))
            .filter(|rest| !rest.starts_with('='))
            .map(|v| v.trim().to_owned())
    };
    let last = bound("<=");
    let fixed = bound("<").or_else(|| last.as_ref().and(patched.first()).map(|fix| (*fix).to_owned()));
    Range {
        introduced: bound(">="),
        last_affected: if fixed.is_none() { last } else { None },
        fixed,
        ..Range::default()
    }
}
