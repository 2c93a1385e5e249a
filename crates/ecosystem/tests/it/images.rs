//! Real images.

use std::collections::BTreeSet;
use std::io::Read as _;

use boltseal_ecosystem::{by_id, catalog};

use crate::shared::{self, Builder};

#[test]
fn debian_bookworm_standard() {
    let Some(files) = shared::archive("data/fixtures/images/bookworm-standard-dpkg.tar.zst") else { return };
    let tree =
        files.iter().fold(Builder::default().layer(), |tree, (path, bytes)| tree.file(path, bytes)).tree();
    let found = catalog(&tree);
    assert_eq!(found.gaps, []);
    assert_eq!(found.distro.as_ref().map(|distro| (&*distro.id, &*distro.version)), Some(("debian", "12")));
    assert_eq!(found.packages.len(), 262);
    let package = |name: &str| found.packages.iter().find(|package| package.name == name).unwrap();
    assert_eq!(package("libc6").source_name(), "glibc");
    assert_eq!(package("bash").architecture.as_deref(), Some("amd64"));
    let debian = by_id("debian").unwrap();
    for package in &found.packages {
        for version in [&*package.version, package.source_version()] {
            assert!(debian.compare(version, version).is_ok(), "{version}");
        }
        assert_eq!(debian.space(package, found.distro.as_ref()).as_deref(), Some("debian:12"));
        assert_eq!(package.layer, tree.layers[0].digest);
    }
}

#[test]
fn alpine_3_11() {
    let Some(outer) = shared::archive("data/fixtures/images/alpine-311-docker-archive.tar.gz") else {
        return;
    };
    let layers = outer.iter().filter(|(path, _)| path.contains(".tar"));
    let mut tree = Builder::default();
    let mut listed = BTreeSet::new();
    for (_, layer) in layers {
        let mut plain = Vec::new();
        if layer.starts_with(b"\x1f\x8b") {
            flate2::read::GzDecoder::new(&layer[..]).read_to_end(&mut plain).unwrap();
        } else {
            plain.clone_from(layer);
        }
        tree = tree.layer();
        for (path, mode, bytes) in shared::members(&plain) {
            if path == "lib/apk/db/installed" {
                let text = String::from_utf8(bytes.clone()).unwrap();
                listed.extend(text.lines().filter_map(|line| line.strip_prefix("P:")).map(str::to_owned));
            }
            tree = tree.with_mode(&path, mode, &bytes);
        }
    }
    let found = catalog(&tree.tree());
    assert_eq!(found.gaps, []);
    let names: BTreeSet<_> = found.packages.iter().map(|package| package.name.clone()).collect();
    assert_eq!(names, listed);
    assert_eq!(found.packages.len(), 14);
    let distro = found.distro.as_ref().unwrap();
    assert!(distro.end_of_life.is_some() && distro.version.starts_with("3.11."), "{distro:?}");
    let package = found.packages.iter().find(|package| package.name == "libcrypto1.1").unwrap();
    assert_eq!(package.source_name(), "openssl");
    assert_eq!(by_id("alpine").unwrap().space(package, Some(distro)).as_deref(), Some("alpine:v3.11"));
}
