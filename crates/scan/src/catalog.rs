//! What is installed in a tree.

use boltseal_model::{Catalog, Tree};

/// Asks every ecosystem what is installed in `tree`. Sorted, without duplicates; gaps of the tree come along.
pub fn catalog(tree: &Tree) -> Catalog {
    let mut catalog = boltseal_ecosystem::catalog(tree);
    catalog.gaps.extend(tree.gaps.iter().cloned());
    catalog.gaps.sort();
    catalog.gaps.dedup();
    catalog
}
