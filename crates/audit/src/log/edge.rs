//! The right edge of a tree: all that is needed to add entries and to know the root.

use super::{
    hash::Hash,
    tile::{Kind, TILE_HEIGHT, TILE_WIDTH, Tile, count},
};

/// Complete subtrees of the tree from the left, and the hashes of the tiles that are not full yet.
#[derive(Clone, Debug, Default)]
pub(super) struct Edge {
    size: u64,
    /// Roots of the largest complete subtrees, one for each bit that is set in `size`, largest first.
    peaks: Vec<Hash>,
    /// Hashes in the partial tile of each level.
    tiles: Vec<Vec<Hash>>,
}

impl Edge {
    /// Rebuilds the edge of a tree of `size` entries. `tile` gives the hashes of a partial tile.
    pub(super) fn read<E>(size: u64, mut tile: impl FnMut(Tile) -> Result<Vec<Hash>, E>) -> Result<Self, E> {
        let mut edge = Self { size, ..Self::default() };
        let mut level = 0;
        while count(Kind::Hashes(level), size) > 0 {
            edge.tiles.push(Tile::partial(Kind::Hashes(level), size).map_or(Ok(Vec::new()), &mut tile)?);
            level += 1;
        }
        // Each bit of the size is a complete subtree; eight bits lie within the partial tile of one level.
        for hashes in edge.tiles.iter().rev() {
            let mut rest = hashes.as_slice();
            for bit in (0..TILE_HEIGHT).rev() {
                if rest.len() >= 1 << bit {
                    let (subtree, right) = rest.split_at(1 << bit);
                    edge.peaks.push(super::tree::perfect(subtree.to_vec()));
                    rest = right;
                }
            }
        }
        Ok(edge)
    }

    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The hashes in the partial tile of a level; none where there is no such tile.
    pub(super) fn hashes(&self, level: u8) -> &[Hash] {
        self.tiles.get(usize::from(level)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Levels of tiles, partial or empty at the edge.
    pub(super) fn levels(&self) -> u8 {
        u8::try_from(self.tiles.len()).unwrap_or(u8::MAX)
    }

    pub(super) fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else { return Hash::empty() };
        peaks.fold(*last, |right, left| Hash::node(left, &right))
    }

    /// Adds an entry by its hash. `full` is handed every tile that it fills, lowest level first.
    pub(super) fn push<E>(
        &mut self,
        leaf: Hash,
        mut full: impl FnMut(Tile, &[Hash]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut hash = leaf;
        let (mut below, mut level) = (self.size, 0_u8);
        self.size += 1;
        self.hang(hash, 0, &mut full)?;
        // A set bit is a complete subtree as large as the one that was just completed: together they are the next.
        while below & 1 == 1 {
            let Some(left) = self.peaks.pop() else { break };
            hash = Hash::node(&left, &hash);
            below >>= 1;
            level += 1;
            if level.is_multiple_of(TILE_HEIGHT) {
                self.hang(hash, level / TILE_HEIGHT, &mut full)?;
            }
        }
        self.peaks.push(hash);
        Ok(())
    }

    /// Puts a hash into the partial tile of a level.
    fn hang<E>(
        &mut self,
        hash: Hash,
        level: u8,
        full: &mut impl FnMut(Tile, &[Hash]) -> Result<(), E>,
    ) -> Result<(), E> {
        let place = usize::from(level);
        if self.tiles.len() <= place {
            self.tiles.resize_with(place + 1, || Vec::with_capacity(usize::from(TILE_WIDTH)));
        }
        let Some(hashes) = self.tiles.get_mut(place) else { return Ok(()) };
        hashes.push(hash);
        if hashes.len() >= usize::from(TILE_WIDTH) {
            let kind = Kind::Hashes(level);
            let index = (count(kind, self.size) - 1) / u64::from(TILE_WIDTH);
            full(Tile { kind, index, width: TILE_WIDTH }, hashes)?;
            hashes.clear();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;
    use crate::log::tree::root;

    #[test]
    fn the_edge_has_the_root_of_its_leaves_however_it_was_made() {
        let mut edge = Edge::default();
        let mut leaves = Vec::new();
        let mut tiles = 0;
        for number in 0..700_u64 {
            assert_eq!(edge.root(), root(&leaves), "{number} entries");
            let again = Edge::read::<Infallible>(edge.size(), |tile| {
                let Kind::Hashes(level) = tile.kind else { panic!("{tile}") };
                assert_eq!(usize::from(tile.width), edge.hashes(level).len(), "{tile}");
                Ok(edge.hashes(level).to_vec())
            });
            let again = again.unwrap();
            assert_eq!((again.root(), again.levels()), (edge.root(), edge.levels()), "{number} entries");
            let leaf = Hash::leaf(&number.to_be_bytes());
            leaves.push(leaf);
            edge.push::<Infallible>(leaf, |tile, hashes| {
                assert_eq!((tile.index, hashes.len()), (tiles, 256));
                tiles += 1;
                Ok(())
            })
            .unwrap();
        }
        assert_eq!(tiles, 2);
    }
}
