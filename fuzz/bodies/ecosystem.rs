//! Any bytes in any place where an ecosystem reads: no panic, and only packages that are well-formed.

use boltseal_ecosystem::{ALL, Everything, catalog, lock::pins};
use boltseal_model::{File, FileMeta, Selector as _, Tree, Want};

/// Places in which files are read, of every ecosystem. New ones go to the end: seeds name them by number.
const PLACES: &[&str] = &[
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/base",
    "var/lib/dpkg/info/a.list",
    "lib/apk/db/installed",
    "usr/lib/apk/db/installed",
    "usr/lib/python3/a.dist-info/METADATA",
    "usr/lib/python3/a.egg-info",
    "usr/lib/python3/a.egg",
    "usr/lib/node_modules/a/package.json",
    "app/package.json",
    "usr/bin/tool",
    "etc/os-release",
    "etc/debian_version",
    "app/a.jar",
    "app/META-INF/maven/g/a/pom.properties",
    "gems/specifications/a-1.gemspec",
    "vendor/composer/installed.json",
    "app/a.deps.json",
    "opt/conda/conda-meta/a.json",
    "usr/lib/R/library/a/DESCRIPTION",
    "requirements.txt",
    "Pipfile.lock",
    "poetry.lock",
    "pdm.lock",
    "uv.lock",
    "pylock.toml",
    "package-lock.json",
    "yarn.lock",
    "pnpm-lock.yaml",
    "bun.lock",
    "go.mod",
    "vendor/modules.txt",
    "Cargo.lock",
    "pom.xml",
    "gradle.lockfile",
    "gradle/verification-metadata.xml",
    "packages.lock.json",
    "packages.config",
    "project.assets.json",
    "paket.lock",
    "Gemfile.lock",
    "a.gemspec",
    "composer.lock",
    "pubspec.lock",
    "mix.lock",
    "rebar.lock",
    "manifest.toml",
    "Package.resolved",
    "Podfile.lock",
    "conan.lock",
    "Manifest.toml",
    "renv.lock",
    "cabal.project.freeze",
    "stack.yaml.lock",
    "var/lib/rpmmanifest/container-manifest-2",
    "var/lib/rpmmanifest/container-manifest-1",
    "usr/share/bottlerocket/application-inventory.json",
    "var/lib/pacman/local/a-1-1/desc",
    "var/lib/pacman/local/a-1-1/files",
    "var/db/pkg/a/b-1/PF",
    "var/db/pkg/a/b-1/CONTENTS",
    "var/lib/chisel/manifest.wall",
    "usr/lib/opkg/status",
    "etc/redhat-release",
    "var/lib/ubuntu-advantage/status.json",
    "usr/sbin/nginx",
    "usr/bin/python3.11",
    "usr/bin/redis-server",
    "opt/java/release",
    "opt/bitnami/a/.spdx-a.spdx",
];

/// First byte: the ecosystem. Second byte: where the rest lies in an image.
pub fn body(data: &[u8]) {
    let [which, place, content @ ..] = data else { return };
    let ecosystem = ALL[usize::from(*which) % ALL.len()];
    let path = PLACES[usize::from(*place) % PLACES.len()];
    let meta = FileMeta { size: content.len() as u64, mode: 0o755, uid: 0, gid: 0 };
    let kept = match Everything.want_in_folder(path, &meta) {
        // No ecosystem asks for hashes; others do, to compare images.
        Want::Skip | Want::Hashed => return,
        Want::Whole => content.to_vec(),
        Want::Distilled => match (ecosystem.distill(path, content), Everything.distill(path, content)) {
            (_, Ok(Some(record))) => record,
            (own, Ok(None)) => return assert_eq!(own, Ok(None)),
            (_, Err(problem)) => return assert!(!problem.is_empty()),
        },
    };
    let mut tree = Tree::default();
    let older = kept[..kept.len() / 2].into();
    tree.files.insert(path.into(), File { layer: 1, meta, content: kept.into(), earlier: vec![(0, older)] });
    let found = catalog(&tree);
    assert_eq!(found, catalog(&tree), "the same input gave another output");
    for package in &found.packages {
        // Only a lock file may leave a version open.
        let unknown = package.version.is_empty() && pins(&tree, path).is_none();
        assert!(!package.name.is_empty() && !unknown, "{package:?}");
        let shown = [&package.name, &package.version, &package.purl];
        assert!(shown.iter().all(|text| !text.contains(char::is_control)), "{package:?}");
        assert!(package.purl.starts_with("pkg:") && package.purl.is_ascii(), "{package:?}");
        assert_eq!(package.paths.first().map(String::as_str), Some(path));
        let family = ALL.iter().find(|family| family.id() == package.ecosystem).unwrap();
        assert!(!family.fix_command(package, &package.version).contains(char::is_control));
        let _ = (family.space(package, found.distro.as_ref()), family.normalise(&package.name));
        if let Ok(order) = family.compare(&package.version, &package.version) {
            assert!(order.is_eq(), "{package:?}");
        }
    }
}
