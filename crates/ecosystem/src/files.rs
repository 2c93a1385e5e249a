//! Walking a tree's files by path.

use std::ops::Bound;

use boltseal_model::{File, Tree};

/// Files whose paths start with `prefix`, in order.
pub(crate) fn starting_with<'a>(
    tree: &'a Tree,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a str, &'a File)> {
    tree.files
        .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
        .take_while(move |(path, _)| path.starts_with(prefix))
        .map(|(path, file)| (&**path, file))
}
