//! Walking a tree's files by path, and reading them as text.

use std::{borrow::Cow, ops::Bound};

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

/// As text; what is no UTF-8 becomes U+FFFD. The library's function of that kind looks at each byte even where all is well,
/// and lists of what packages brought are megabytes.
pub(crate) fn text(content: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(content).map_or_else(|_| String::from_utf8_lossy(content), Cow::Borrowed)
}
