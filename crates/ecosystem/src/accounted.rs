//! Which executables belong to a package, and which nobody answers for.
//!
//! [`hashed`] adds the SHA-256 of an executable to the record that ecosystems made of it, while its bytes pass; afterwards
//! [`unowned`] lists those that no package explains: not one of the operating system, not one of a language that names the
//! file or whose folder it lies in, and not the program's own build information.

use std::collections::HashSet;

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
