//! All ecosystems over one tree.
use boltseal_model::{Catalog, Tree};

use crate::{ALL, Owners, distro::distro};

/// Everything installed in `tree`: distribution, packages with their owners, gaps. Sorted, without duplicates.
pub fn catalog(tree: &Tree) -> Catalog {
    let (distro, gaps) = distro(tree);
    let mut catalog = Catalog { gaps, ..Catalog::default() };
    for ecosystem in ALL {
        ecosystem.catalog(tree, distro.as_ref(), &mut catalog);
    }
    catalog.distro = distro;
    let mut owners = Owners::default();
    for ecosystem in ALL {
        ecosystem.owners(tree, &mut owners);
    }
    catalog.packages.sort();
    catalog.packages.dedup();
    catalog.gaps.sort();
    catalog.gaps.dedup();
    catalog
}
