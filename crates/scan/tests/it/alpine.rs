//! A real image of Alpine 3.11 against the secdb of its release.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Read as _,
    path::{Path, PathBuf},
};

use boltseal_model::Tree;
use boltseal_scan::findings;

use crate::support::{NOW, imported, tree};

/// The files of the only layer of the Docker archive that catalogs read.
fn image() -> Option<Tree> {
    let path = boltseal_testkit::shared("data/fixtures/images/alpine-311-docker-archive.tar.gz")?;
    let mut outer = tar::Archive::new(flate2::read::GzDecoder::new(File::open(path).unwrap()));
    let layer =
        outer.entries().unwrap().map(Result::unwrap).find(|e| e.path().unwrap().ends_with("layer.tar"));
    let mut files = Vec::new();
    for entry in tar::Archive::new(layer.unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let path = entry.path().unwrap().to_str().unwrap().to_owned();
        if entry.header().entry_type().is_file()
            && (path.starts_with("lib/apk/db/") || path.starts_with("etc/"))
        {
            let mut content = Vec::new();
            entry.read_to_end(&mut content).unwrap();
            files.push((path, content));
        }
    }
    Some(tree(files))
}

#[test]
fn an_old_release_and_its_own_data() {
    let (Some(tree), Some(secdb)) =
        (image(), boltseal_testkit::unpacked("data/vulns/native/alpine/secdb.tar.zst"))
    else {
        return;
    };
    let v311 = walk(secdb.root(), "v3.11");
    let snapshot = imported(std::slice::from_ref(&v311));
    let catalog = boltseal_scan::catalog(&tree);
    let names: BTreeSet<&str> = catalog.packages.iter().map(|package| package.name.as_str()).collect();
    assert_eq!(names.len(), 14, "{names:?}");
    let matched = findings(&catalog, &snapshot, NOW);
    assert!(matched.gaps.is_empty(), "{:?}", matched.gaps);
    let found: BTreeSet<_> = (matched.findings.iter())
        .map(|f| (f.package.clone(), f.id.clone(), f.fixed.clone().unwrap_or_default()))
        .collect();
    let mut expected = BTreeSet::new();
    for package in &catalog.packages {
        for (fixed, id) in facts(&v311, package.source_name()) {
            if boltseal_ecosystem::by_id("alpine").unwrap().compare(&package.version, &fixed).unwrap().is_lt()
            {
                expected.insert((package.name.clone(), id, fixed));
            }
        }
    }
    assert_eq!(found, expected);
    assert_eq!(found.len(), 45);
}

/// Every fixed version and vulnerability that the files in `folder` name for a source package.
fn facts(folder: &Path, package: &str) -> Vec<(String, String)> {
    let mut facts = Vec::new();
    for repository in ["main.json", "community.json"] {
        let text = std::fs::read(folder.join(repository)).unwrap();
        let json: serde_json::Value = serde_json::from_slice(&text).unwrap();
        for entry in json["packages"].as_array().unwrap().iter().map(|entry| &entry["pkg"]) {
            for (version, ids) in
                entry["secfixes"].as_object().filter(|_| entry["name"] == package).into_iter().flatten()
            {
                facts.extend(
                    ids.as_array()
                        .unwrap()
                        .iter()
                        .map(|id| (version.clone(), id.as_str().unwrap().to_owned())),
                );
            }
        }
    }
    facts
}

/// The folder called `name` somewhere below `root`.
fn walk(root: &Path, name: &str) -> PathBuf {
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        if folder.file_name().is_some_and(|last| last == name) {
            return folder;
        }
        folders.extend(
            std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).filter(|path| path.is_dir()),
        );
    }
    panic!("no folder {name}");
}
