//! All ecosystems over one tree.

use boltseal_model::{Catalog, Gap, GapKind, Tree};

use crate::{ALL, Owners, distro::distro};

/// Everything installed in `tree`: distribution, packages with their owners, gaps. Sorted, without duplicates.
///
/// Gaps of the tree itself stay there; whoever writes the report adds them.
pub fn catalog(tree: &Tree) -> Catalog {
    let (distro, gaps) = distro(tree);
    let mut catalog = Catalog { distro: None, packages: Vec::new(), gaps };
    for ecosystem in ALL {
        ecosystem.catalog(tree, distro.as_ref(), &mut catalog);
    }
    catalog.distro = distro;
    assign_owners(tree, &mut catalog);
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
fn assign_owners(tree: &Tree, catalog: &mut Catalog) {
    let is_system = |id: &str| matches!(id, "debian" | "alpine");
    let (mut system, mut language): (Vec<_>, Vec<_>) =
        std::mem::take(&mut catalog.packages).into_iter().partition(|package| is_system(&package.ecosystem));
    if !language.is_empty() {
        let mut owners = Owners::wanted_by(tree, &language);
        for ecosystem in ALL {
            ecosystem.owners(tree, &mut owners);
        }
        for package in &mut language {
            package.owner =
                package.paths.first().and_then(|path| owners.of_linked(tree, path)).map(str::to_owned);
        }
    }
    system.append(&mut language);
    catalog.packages = system;
}

/// A gap for a file that should have named packages and did not.
pub(crate) fn not_parsed(ecosystem: &str, path: &str, why: impl std::fmt::Display) -> Gap {
    let detail = format!(
        "{why}; packages it lists are missing from this report: repair or remove the file, or report a bug \
         ({ecosystem})"
    );
    Gap::new(GapKind::FileNotParsed, path, detail)
}
