//! What is installed in a tree.

use std::collections::{BTreeMap, btree_map::Entry};

use boltseal_model::{Catalog, Digest, Package, Tree};

/// Asks every ecosystem what is installed in `tree`. Sorted, without duplicates; gaps of the tree come along.
///
/// The same version of a package in several places is one package with several paths: it has the same
/// vulnerabilities and the same fix everywhere. Different versions stay apart.
pub fn catalog(tree: &Tree) -> Catalog {
    let mut catalog = boltseal_ecosystem::catalog(tree);
    let order: BTreeMap<&Digest, usize> = tree
        .layers
        .iter()
        .enumerate()
        .rev()
        .filter_map(|(at, layer)| Some((layer.digest.as_ref()?, at)))
        .collect();
    let height = |package: &Package| package.layer.as_ref().and_then(|layer| order.get(layer)).copied();
    catalog.packages = merged(std::mem::take(&mut catalog.packages), &height);
    catalog.gaps.extend(tree.gaps.iter().cloned());
    catalog.gaps.sort();
    catalog.gaps.dedup();
    catalog
}

/// What makes two packages the same.
type Identity = (String, String, String, String);

fn merged(packages: Vec<Package>, height: &dyn Fn(&Package) -> Option<usize>) -> Vec<Package> {
    let mut all: BTreeMap<Identity, Package> = BTreeMap::new();
    for package in packages {
        let identity =
            (package.ecosystem.clone(), package.name.clone(), package.version.clone(), package.purl.clone());
        match all.entry(identity) {
            Entry::Vacant(free) => {
                free.insert(package);
            }
            Entry::Occupied(mut known) => join(known.get_mut(), package, height),
        }
    }
    let mut packages: Vec<Package> = all.into_values().collect();
    let order = |package: &Package| {
        (
            package.ecosystem.clone(),
            package.name.clone(),
            package.version.clone(),
            package.paths.first().cloned(),
        )
    };
    packages.sort_by_cached_key(order);
    packages
}

/// Adds what `other` says to `package`. The copy that speaks for both is the one that no operating system package
/// owns, because that one has to be looked at; then the one from the lower layer, which brought the version first.
fn join(package: &mut Package, mut other: Package, height: &dyn Fn(&Package) -> Option<usize>) {
    let speaks = |package: &Package| (package.owner.is_some(), height(package).unwrap_or(usize::MAX));
    if speaks(&other) < speaks(package) {
        std::mem::swap(package, &mut other);
    }
    for path in other.paths {
        if !package.paths.contains(&path) {
            package.paths.push(path);
        }
    }
    package.licenses.extend(other.licenses);
    package.licenses.sort();
    package.licenses.dedup();
    package.source = package.source.take().or(other.source);
    package.architecture = package.architecture.take().or(other.architecture);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(version: &str, path: &str, layer: &str, owner: Option<&str>) -> Package {
        Package {
            ecosystem: "npm".into(),
            name: "demo".into(),
            version: version.into(),
            purl: format!("pkg:npm/demo@{version}"),
            paths: vec![path.into()],
            layer: Some(Digest::of(layer.as_bytes())),
            owner: owner.map(str::to_owned),
            ..Package::default()
        }
    }

    #[test]
    fn copies_are_one_package_and_versions_are_not() {
        let layers = [Digest::of(b"base"), Digest::of(b"top")];
        let height =
            |package: &Package| layers.iter().position(|layer| Some(layer) == package.layer.as_ref());
        let packages = vec![
            package("2", "c", "top", None),
            package("1", "b", "top", None),
            package("1", "a", "base", None),
            package("1", "b", "top", None),
        ];
        let merged = merged(packages, &height);
        assert_eq!(merged.iter().map(|p| p.version.as_str()).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(
            (merged[0].paths.clone(), merged[0].layer.clone()),
            (vec!["a".into(), "b".into()], Some(Digest::of(b"base")))
        );
    }

    #[test]
    fn the_copy_that_nobody_owns_speaks() {
        let packages = vec![package("1", "a", "base", Some("node-demo")), package("1", "b", "top", None)];
        let merged = merged(packages, &|_| None);
        assert_eq!(
            (merged[0].owner.clone(), merged[0].paths.clone()),
            (None, vec!["b".to_owned(), "a".to_owned()])
        );
    }
}
