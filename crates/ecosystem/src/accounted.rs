//! Which executables belong to a package, and which nobody answers for.
//!
//! [`hashed`] adds the SHA-256 of an executable to the record that ecosystems made of it, while its bytes pass; afterwards
//! [`unowned`] lists those that no package explains: not one of the operating system, not one of a language that names the
//! file or whose folder it lies in, and not the program's own build information.

use std::collections::{HashMap, HashSet};

use boltseal_model::{Catalog, Digest, Tree, Unowned};

use crate::{Owners, executable, origin};

/// The record's id.
const ID: &str = "sha256";

/// Folders of libraries; what lies in one belongs to the library that its next part names.
const LIBRARIES: [&str; 3] = ["node_modules", "site-packages", "dist-packages"];

/// The library of a language whose folder `path` lies in: `x` for `app/node_modules/x/index.js`.
pub fn library(path: &str) -> Option<&str> {
    let mut parts = path.split('/');
    parts.by_ref().find(|part| LIBRARIES.contains(part))?;
    let name = parts.next()?;
    parts.next().is_some().then_some(name)
}

/// `record`, as [`Everything`](crate::Everything) distilled it, with the SHA-256 of what it was distilled from.
pub fn hashed(record: Option<Vec<u8>>, digest: &Digest) -> Vec<u8> {
    let mut records = executable::Records::continued(record.unwrap_or_default());
    records.push(ID, digest.bytes());
    records.finish().unwrap_or_default()
}

/// Path and hash of every executable and library in `tree` that was [`hashed`].
pub fn executables(tree: &Tree) -> impl Iterator<Item = (&str, u32, Digest)> {
    executable::records(tree, ID).filter_map(|found| {
        let digest = Digest::of_sha256(found.record)?;
        Some((found.path, found.file.layer, digest))
    })
}

/// Those that belong to no package of `catalog`, by path.
pub fn unowned(tree: &Tree, catalog: &Catalog) -> Vec<Unowned> {
    let owners = Owners::at(tree, executables(tree).map(|(path, ..)| path));
    let named: HashSet<&str> =
        catalog.packages.iter().flat_map(|package| package.paths.iter().map(String::as_str)).collect();
    let accounted = |path: &str| {
        owners.of_linked(tree, path).is_some() || named.contains(path) || library(path).is_some()
    };
    let unowned = executables(tree).filter(|(path, ..)| !accounted(path));
    let one = |(path, layer, digest): (&str, u32, Digest)| Unowned {
        path: path.to_owned(),
        digest,
        layer: origin::layer(tree, layer),
    };
    unowned.map(one).collect()
}

/// The package that each of `paths` belongs to, by its place in the packages of `catalog`: the one that names the file, the one of
/// the operating system that brought it, or the library of a language whose folder it lies in.
pub fn belongs<'a>(
    tree: &Tree,
    catalog: &Catalog,
    paths: impl Iterator<Item = &'a str> + Clone,
) -> Vec<Option<usize>> {
    let owners = Owners::at(tree, paths.clone());
    let (mut by_path, mut by_name, mut libraries) = (HashMap::new(), HashMap::new(), HashMap::new());
    for (at, package) in catalog.packages.iter().enumerate() {
        for path in &package.paths {
            by_path.entry(path.as_str()).or_insert(at);
        }
        if crate::ALL.iter().any(|one| one.is_system() && one.id() == package.ecosystem) {
            by_name.entry(package.name.as_str()).or_insert(at);
        } else {
            libraries.entry(plain(&package.name)).or_insert(at);
        }
    }
    let one = |path: &str| {
        let named = by_path.get(path);
        let brought = || owners.of_linked(tree, path).and_then(|name| by_name.get(name));
        let within = || library(path).and_then(|name| libraries.get(&plain(name)));
        // What a package manager of the system brought is patched by its vendor, whatever language it is of.
        brought().or(named).or_else(within).copied()
    };
    paths.map(one).collect()
}

/// A name as folders and packages may both have it: `PyYAML` and `pyyaml`, `zope-interface` and `zope_interface`.
fn plain(name: &str) -> String {
    name.to_ascii_lowercase().replace(['-', '.'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries() {
        for (path, name) in [
            ("app/node_modules/left-pad/index.js", Some("left-pad")),
            ("usr/lib/python3/dist-packages/jwt/test.pem", Some("jwt")),
            ("usr/lib/python3/dist-packages/secret.py", None),
            ("etc/passwd", None),
        ] {
            assert_eq!(library(path), name, "{path}");
        }
    }
}
