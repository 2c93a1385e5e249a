//! The layer that first brought a package, from the older versions of the file that lists it.

use std::collections::HashSet;
use std::hash::Hash;

use boltseal_model::{Digest, File, Layer, Tree};

/// The digest people know the layer at `index` by.
pub(crate) fn layer(tree: &Tree, index: u32) -> Option<Digest> {
    let layer: &Layer = tree.layers.get(usize::try_from(index).ok()?)?;
    layer.digest.clone().or_else(|| layer.diff_id.clone())
}

/// Older versions of a package database, each as the set of what it listed.
pub(crate) struct Past<K> {
    newest: u32,
    /// Newest first, as [`File::earlier`].
    older: Vec<(u32, HashSet<K>)>,
}

impl<K: Eq + Hash> Past<K> {
    /// Reads every older version of `file` with `keys`.
    pub(crate) fn of(file: &File, keys: impl Fn(&[u8]) -> HashSet<K>) -> Self {
        let older = file.earlier.iter().map(|(layer, content)| (*layer, keys(content))).collect();
        Self { newest: file.layer, older }
    }

    /// The oldest layer since which every version of the file has listed `key`.
    pub(crate) fn since(&self, key: &K) -> u32 {
        self.older
            .iter()
            .take_while(|(_, keys)| keys.contains(key))
            .last()
            .map_or(self.newest, |(layer, _)| *layer)
    }
}

/// The same for a file that describes one package: the oldest layer since which `same` has held.
pub(crate) fn since(file: &File, same: impl Fn(&[u8]) -> bool) -> u32 {
    file.earlier
        .iter()
        .take_while(|(_, content)| same(content))
        .last()
        .map_or(file.layer, |(layer, _)| *layer)
}

#[cfg(test)]
mod tests {
    use boltseal_model::FileMeta;

    use super::*;

    fn words(content: &[u8]) -> HashSet<String> {
        String::from_utf8_lossy(content).split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn a_package_belongs_to_the_layer_that_brought_and_kept_it() {
        let file = File {
            layer: 7,
            meta: FileMeta::default(),
            content: (*b"a b c d").into(),
            earlier: vec![(5, (*b"a b c").into()), (3, (*b"a b").into()), (1, (*b"a c").into())],
        };
        let past = Past::of(&file, words);
        for (word, layer) in [("a", 1), ("b", 3), ("c", 5), ("d", 7)] {
            assert_eq!(past.since(&word.to_owned()), layer, "{word}");
            assert_eq!(since(&file, |content| words(content).contains(word)), layer, "{word}");
        }
    }
}
