//! Records of archives, and unpacked archives, to packages.

use boltseal_model::{Catalog, File, Package, Tree};

use super::{
    Maven,
    identity::{self, Library},
    jar::{self, Line},
};
use crate::{
    Ecosystem as _,
    catalog::not_parsed,
    executable::{self, Distilled},
    origin,
    purl::Purl,
};

/// Whether the file at `path` names a library of an archive that was unpacked into the image.
pub(super) fn is_unpacked(path: &str) -> bool {
    path.ends_with("/pom.properties") && identity::folder(path).is_some()
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for found in executable::records(tree, "maven") {
        for line in jar::lines(found.record) {
            match line {
                Line::Library { group, artifact, version, inside } => {
                    let named = named(group, artifact, version);
                    out.packages.push(package(tree, &found, line, named, inside));
                }
                Line::Problem(why) => out.gaps.push(not_parsed("maven", found.path, why)),
            }
        }
    }
    for (path, file) in tree.files.iter().filter(|(path, _)| is_unpacked(path)) {
        match identity::properties(&String::from_utf8_lossy(&file.content)) {
            Some(library) => out.packages.push(unpacked(tree, path, file, &library)),
            None => out.gaps.push(not_parsed("maven", path, "it names no group, artifact and version")),
        }
    }
}

fn package(tree: &Tree, found: &Distilled<'_>, line: Line<'_>, named: Package, inside: &str) -> Package {
    let same = |content: &[u8]| {
        let old = executable::record(content, "maven").unwrap_or_default();
        jar::lines(old).any(|old| old == line)
    };
    let mut paths = vec![found.path.to_owned()];
    if !inside.is_empty() {
        paths.push(format!("{}!/{inside}", found.path));
    }
    Package { paths, layer: origin::layer(tree, origin::since(found.file, same)), ..named }
}

fn unpacked(tree: &Tree, path: &str, file: &File, library: &Library) -> Package {
    let same = |old: &[u8]| identity::properties(&String::from_utf8_lossy(old)).as_ref() == Some(library);
    Package {
        paths: vec![path.to_owned()],
        layer: origin::layer(tree, origin::since(file, same)),
        ..named(&library.group, &library.artifact, &library.version)
    }
}

/// Without a group it is nobody's library by Maven's rules, but somebody's program all the same.
fn named(group: &str, artifact: &str, version: &str) -> Package {
    if group.is_empty() {
        let purl = Purl::new("generic", artifact).version(version).to_string();
        return Package { purl, ..Maven.named(artifact, version) };
    }
    Maven.named(&format!("{group}:{artifact}"), version)
}
