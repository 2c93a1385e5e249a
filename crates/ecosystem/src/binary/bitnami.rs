//! `/opt/bitnami/**/.spdx-*.spdx`: SPDX documents, in JSON, of the components of Bitnami's images.

use boltseal_model::{Catalog, Package, Tree};
use serde_json::Value;

use super::ID;
use crate::{
    catalog::not_parsed,
    lock::{file_end, file_name, list, text},
    origin,
    purl::Purl,
    word::is_word,
};

/// Whether the file at `path` is one.
pub(super) fn is_one(path: &str) -> bool {
    let name = file_name(path);
    path.starts_with("opt/bitnami/") && name.starts_with(".spdx-") && file_end(name) == Some("spdx")
}

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for (path, file) in tree.files.iter().filter(|(path, _)| is_one(path)) {
        let components = match components(&file.content) {
            Ok(components) => components,
            Err(why) => {
                out.gaps.push(not_parsed(ID, path, why));
                continue;
            }
        };
        for component in components {
            let same = |old: &[u8]| self::components(old).is_ok_and(|old| old.contains(&component));
            let (name, version) = &component;
            out.packages.push(Package {
                ecosystem: ID.to_owned(),
                purl: Purl::new("bitnami", name).version(version).to_string(),
                paths: vec![path.to_string()],
                layer: origin::layer(tree, origin::since(file, same)),
                name: name.clone(),
                version: version.clone(),
                ..Package::default()
            });
        }
    }
}

/// Names and versions of the packages that have a package URL of Bitnami's, without the revision of the build: advisories
/// speak of what was built.
fn components(content: &[u8]) -> Result<Vec<(String, String)>, String> {
    let document: Value = serde_json::from_slice(content).map_err(|error| error.to_string())?;
    let is_component = |package: &&Value| {
        list(package, "externalRefs")
            .any(|reference| text(reference, "referenceLocator").starts_with("pkg:bitnami/"))
    };
    let pairs = list(&document, "packages").filter(is_component).map(|package| {
        let version = text(package, "versionInfo");
        let release =
            version.rsplit_once('-').filter(|(_, revision)| revision.bytes().all(|b| b.is_ascii_digit()));
        (text(package, "name").to_owned(), release.map_or(version, |(release, _)| release).to_owned())
    });
    Ok(pairs.filter(|(name, version)| is_word(name) && is_word(version)).collect())
}
