//! Package files with known answers, made by others.

use std::collections::{BTreeMap, BTreeSet};

use boltseal_ecosystem::catalog;
use boltseal_model::{Catalog, GapKind};
use serde_json::Value;

use crate::shared::{self, Builder};

const CASES: &str = "data/fixtures/catalog-scalibr.tar.zst";

/// Cases whose expectation is not ours, each with the reason. Reviewed.
const EXCEPTIONS: &str = include_str!("data/catalog-exceptions.txt");

/// Folder of cases, ecosystem, and where a file of that folder lies in an image; `*` is the file's own name.
const PLACES: &[(&str, &str, &str)] = &[
    ("os/dpkg/testdata/dpkg/status.d/", "debian", "var/lib/dpkg/status.d/*"),
    ("os/dpkg/testdata/opkg/", "debian", "usr/lib/opkg/status"),
    ("os/chisel/testdata/", "debian", "var/lib/chisel/manifest.wall"),
    ("os/pacman/testdata/", "arch", "var/lib/pacman/local/*-1/desc"),
    ("os/portage/testdata/", "gentoo", "var/db/pkg/dev-perl/*-1/PF"),
    ("os/dpkg/testdata/", "debian", "var/lib/dpkg/status"),
    ("os/apk/testdata/", "alpine", "lib/apk/db/installed"),
    ("os/rpm/testdata/", "rpm", "var/lib/rpm/Packages"),
    ("language/python/wheelegg/testdata/egginfo", "pypi", "usr/lib/python3/dist-packages/x.egg-info"),
    ("language/python/wheelegg/testdata/monotonic", "pypi", "usr/lib/python3/dist-packages/*"),
    ("language/python/wheelegg/testdata/", "pypi", "usr/lib/python3/dist-packages/x.dist-info/METADATA"),
    ("language/javascript/packagejson/testdata/", "npm", "app/package.json"),
    ("language/golang/gobinary/testdata/", "golang", "usr/bin/*"),
    ("language/rust/cargoauditable/testdata/", "cargo", "usr/bin/*"),
];

#[test]
fn cases_of_scalibr() {
    let Some(files) = shared::archive(CASES) else { return };
    let cases: serde_json::Map<String, Value> =
        serde_json::from_slice(&files["catalog/expected.json"]).unwrap();
    let (mut passed, mut problems) = (0, Vec::new());
    for (name, case) in &cases {
        let Some(relative) = name.strip_prefix("extractor/filesystem/") else { continue };
        let Some((_, ecosystem, place)) = PLACES.iter().find(|(folder, _, _)| relative.starts_with(folder))
        else {
            continue;
        };
        let file = name.split('#').next().unwrap();
        let own_name = file.rsplit('/').next().unwrap();
        let tree = Builder::default()
            .layer()
            .file("etc/os-release", os_release(case))
            .with_mode(&place.replace('*', own_name), 0o755, &files[&format!("catalog/{file}")])
            .tree();
        let problem = check(case, ecosystem, &catalog(&tree));
        let excepted = EXCEPTIONS.lines().any(|line| line.split('\t').next() == Some(relative));
        match (problem, excepted) {
            (None, false) => passed += 1,
            (Some(_), true) => {}
            (None, true) => problems.push(format!("{relative}: passes, remove the exception")),
            (Some(problem), false) => problems.push(format!("{relative}: {problem}")),
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert!(passed >= 25, "only {passed} cases were read");
}

fn os_release(case: &Value) -> String {
    match case["os_release"].as_str() {
        None | Some("DebianBookworm" | "OpkgRelease") => "ID=debian\nVERSION_ID=\"12\"\n".to_owned(),
        Some(literal) => literal.trim_matches(['`', '"']).to_owned(),
    }
}

/// What differs from the expectation.
fn check(case: &Value, ecosystem: &str, found: &Catalog) -> Option<String> {
    let expected: BTreeSet<(&str, &str)> = case["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package[0].as_str().unwrap(), package[1].as_str().unwrap()))
        .collect();
    let packages: BTreeSet<(&str, &str)> = found
        .packages
        .iter()
        .filter(|package| package.ecosystem == ecosystem)
        .map(|package| (&*package.name, &*package.version))
        .collect();
    let refused = found.gaps.iter().any(|gap| gap.kind == GapKind::FileNotParsed);
    if packages != expected {
        return Some(format!("found {packages:?}, expected {expected:?}, gaps {:?}", found.gaps));
    }
    (case["error"] == true && !refused).then(|| "should have been refused".to_owned())
}

/// What is installed in the end-to-end repositories of Trivy; most hold only lock files.
const REPOSITORIES: &[(&str, &[&str])] =
    &[("pnpm", &["jquery@3.3.9", "lodash@4.17.4"]), ("yarn", &["integration@1.0.0", "jquery@3.2.1"])];

/// Those without packages of ours, each with the reason. Reviewed.
const REPOSITORY_EXCEPTIONS: &str = include_str!("data/repository-exceptions.txt");

#[test]
fn repositories_of_trivy() {
    let Some(files) = shared::archive("data/fixtures/trivy-e2e.tar.zst") else { return };
    let mut trees: BTreeMap<&str, Builder> = BTreeMap::new();
    for (path, bytes) in &files {
        let Some((repository, path)) =
            path.strip_prefix("trivy-e2e/repo/").and_then(|path| path.split_once('/'))
        else {
            continue;
        };
        let tree = trees.remove(repository).unwrap_or_else(|| Builder::default().layer());
        trees.insert(repository, tree.file(path, bytes));
    }
    assert_eq!(trees.len(), 15);
    for (repository, tree) in trees {
        let found = catalog(&tree.tree());
        let names: Vec<_> =
            found.packages.iter().map(|package| format!("{}@{}", package.name, package.version)).collect();
        let expected =
            REPOSITORIES.iter().find(|(name, _)| *name == repository).map_or(&[][..], |(_, names)| names);
        assert_eq!(names, expected, "{repository}");
        assert_eq!(found.gaps, [], "{repository}");
        let excepted = REPOSITORY_EXCEPTIONS.lines().any(|line| line.split('\t').next() == Some(repository));
        assert_eq!(names.is_empty(), excepted, "{repository} must have packages or a reason why not");
    }
}
