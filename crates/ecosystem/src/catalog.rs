//! All ecosystems over one tree.

use std::collections::HashMap;

use boltseal_model::{Catalog, Digest, Gap, GapKind, Package, Tree};

use crate::{
    ALL, Owners, binary, by_id,
    distro::{distro, is_database, unlisted},
    lock, origin,
};

/// Everything installed in `tree`: distribution, packages with their owners, gaps. Sorted, without duplicates.
///
/// Gaps of the tree itself stay there; whoever writes the report adds them.
pub fn catalog(tree: &Tree) -> Catalog {
    let (distro, gaps) = distro(tree);
    let mut catalog = Catalog { gaps, ..Catalog::default() };
    for ecosystem in ALL {
        ecosystem.catalog(tree, distro.as_ref(), &mut catalog);
    }
    if distro.is_none() && lock::counts(tree) {
        lock::catalog(tree, &mut catalog);
    }
    catalog.gaps.extend(distro.as_ref().and_then(|distro| unlisted(tree, distro)));
    catalog.distro = distro;
    assign_owners(tree, &mut catalog);
    // The package that brought a program is listed already.
    catalog.packages.retain(|package| package.ecosystem != binary::ID || package.owner.is_none());
    catalog.packages.sort_by(|a, b| {
        (&a.ecosystem, &a.name, &a.version, &a.paths, a).cmp(&(
            &b.ecosystem,
            &b.name,
            &b.version,
            &b.paths,
            b,
        ))
    });
    catalog.packages.dedup();
    catalog.gaps.sort();
    catalog.gaps.dedup();
    catalog
}

/// Tells each language package which operating system package brought the file it was read from.
///
/// The vendor's advisories speak for such files; that one of them could not be read hides nothing then.
fn assign_owners(tree: &Tree, catalog: &mut Catalog) {
    let is_language = |package: &Package| by_id(&package.ecosystem).is_none_or(|e| !e.is_system());
    // Package managers may own their own databases; who could not read those has no vendor to rely on.
    let unread = |gap: &Gap| gap.kind == GapKind::FileNotParsed && !is_database(&gap.subject);
    let mut owners = {
        let packages = catalog.packages.iter().filter(|package| is_language(package));
        let paths = packages.filter_map(|package| package.paths.first().map(String::as_str));
        let gaps = catalog.gaps.iter().filter(|gap| unread(gap)).map(|gap| gap.subject.as_str());
        Owners::wanted_at(tree, paths.chain(gaps))
    };
    for ecosystem in ALL {
        ecosystem.owners(tree, &mut owners);
    }
    let owner = |path: &str| owners.vendor_of(tree, path);
    let places = places(tree);
    let place = |package: &Package| places.get(package.layer.as_ref()?).copied();
    let brought: HashMap<String, u32> = catalog
        .packages
        .iter()
        .filter(|package| !is_language(package))
        .filter_map(|package| Some((package.name.clone(), place(package)?.1)))
        .collect();
    for package in catalog.packages.iter_mut().filter(|package| is_language(package)) {
        // What a later layer put in the place of the vendor's file is not the vendor's any more.
        let first = place(package).map(|(first, _)| first);
        let replaced =
            |name: &&str| brought.get(*name).is_some_and(|own| first.is_some_and(|first| *own < first));
        let name = package.paths.first().and_then(|path| owner(path)).filter(|name| !replaced(name));
        package.owner = name.map(str::to_owned);
    }
    catalog.gaps.retain(|gap| !unread(gap) || owner(&gap.subject).is_none());
}

/// First and last index of each layer; equal layers may lie in an image several times.
fn places(tree: &Tree) -> HashMap<Digest, (u32, u32)> {
    let mut places: HashMap<Digest, (u32, u32)> = HashMap::new();
    let count = u32::try_from(tree.layers.len()).unwrap_or(u32::MAX);
    for (index, digest) in (0..count).filter_map(|index| Some((index, origin::layer(tree, index)?))) {
        places.entry(digest).and_modify(|(_, last)| *last = index).or_insert((index, index));
    }
    places
}

/// A gap for a file that should have named packages and did not.
pub(crate) fn not_parsed(ecosystem: &str, path: &str, why: impl std::fmt::Display) -> Gap {
    let detail = format!(
        "{why}; packages it lists are missing from this report: repair or remove the file, or report a bug \
         ({ecosystem})"
    );
    Gap::new(GapKind::FileNotParsed, path, detail)
}
