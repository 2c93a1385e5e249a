//! Proofs as paths of hashes: which nodes they are made of, and how they are checked (RFC 6962 section 2.1, RFC 9162
//! section 2.1, and for subtrees draft-ietf-plants-merkle-tree-certs section 4).
//!
//! A node `(level, index)` is the hash of the entries `index << level` up to `(index + 1) << level`, all of which exist.
//! Making a proof asks a [`Nodes`] for such nodes only, so it works from tiles as well as from a list of leaves.

use std::ops::Range;

use super::hash::Hash;

/// Hashes in a proof, at most: one for each level of a tree of 2⁶⁴ entries.
pub const MAX_PROOF: usize = 64;

/// Where the hashes of complete subtrees come from.
pub trait Nodes {
    /// Why a hash cannot be had.
    type Error;

    /// The hash of the entries `index << level` up to `(index + 1) << level`.
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}

/// Why a proof does not show what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The entries asked about are not in a tree of that size, or are no subtree of it.
    #[error(
        "entries {start} up to {end} are no part of a tree of {size} entries that a proof can speak about"
    )]
    Range {
        /// First entry.
        start: u64,
        /// The one after the last entry.
        end: u64,
        /// Entries of the tree.
        size: u64,
    },
    /// Too many or too few hashes for these sizes.
    #[error("the proof has {found} hashes, which do not fit a tree of {size} entries")]
    Length {
        /// Hashes of the proof.
        found: usize,
        /// Entries of the tree.
        size: u64,
    },
    /// The proof leads to another root.
    #[error("the proof leads to the root {computed}, not to {wanted}")]
    Root {
        /// Where it leads.
        computed: Hash,
        /// The root it was checked against.
        wanted: Hash,
    },
}

/// The root of a tree over these leaf hashes.
pub fn root(leaves: &[Hash]) -> Hash {
    let mut leaves = leaves;
    let size = u64::try_from(leaves.len()).unwrap_or(u64::MAX);
    match range(&mut leaves, 0, size) {
        Ok(root) => root,
        Err(never) => match never {},
    }
}

impl Nodes for &[Hash] {
    type Error = std::convert::Infallible;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error> {
        let from = usize::try_from(index << level).unwrap_or(usize::MAX);
        let some = self.get(from..).unwrap_or_default();
        let some = some.get(..1 << level).unwrap_or(some);
        Ok(perfect(some.to_vec()))
    }
}

/// The root over a power of two of hashes.
pub(super) fn perfect(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        let pairs = hashes.chunks(2);
        hashes = pairs
            .filter_map(|pair| match pair {
                [left, right] => Some(Hash::node(left, right)),
                [one] => Some(*one),
                _ => None,
            })
            .collect();
    }
    hashes.first().copied().unwrap_or_else(Hash::empty)
}

/// The hash of the entries `start..end`, where `start` is a multiple of the smallest power of two that is not below
/// their number, as in every range that a proof is made of.
pub(super) fn range<N: Nodes>(nodes: &mut N, start: u64, end: u64) -> Result<Hash, N::Error> {
    // The complete subtrees from the right, smallest first.
    let mut hash = None;
    let mut end = end;
    while end > start {
        let level = (end - start).trailing_zeros();
        let level = u8::try_from(level).unwrap_or(u8::MAX);
        end -= 1 << level;
        let left = nodes.node(level, end >> level)?;
        hash = Some(hash.map_or(left, |right| Hash::node(&left, &right)));
    }
    Ok(hash.unwrap_or_else(Hash::empty))
}

/// The path from entry `index` to the root of the subtree `within`, from the leaf's sibling upwards.
///
/// `within` is `0..size` for the whole tree. The entry must be in it, and it must be a subtree; otherwise the path is
/// empty.
pub fn inclusion<N: Nodes>(nodes: &mut N, index: u64, within: &Range<u64>) -> Result<Vec<Hash>, N::Error> {
    let mut path = Vec::new();
    let (mut start, mut end) = (within.start, within.end);
    if !is_subtree(start, end) || !within.contains(&index) {
        return Ok(path);
    }
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(range(nodes, middle, end)?);
            end = middle;
        } else {
            path.push(range(nodes, start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof that the subtree over the entries `old` is part of the tree of `size` entries; `0..n` for the tree as it
/// was with `n` entries.
///
/// `old` must be a subtree of the tree; otherwise the proof is empty, as it is for no entries at all.
pub fn consistency<N: Nodes>(nodes: &mut N, old: &Range<u64>, size: u64) -> Result<Vec<Hash>, N::Error> {
    let mut proof = Vec::new();
    if !is_subtree(old.start, old.end) || old.end > size {
        return Ok(proof);
    }
    let (mut start, mut end) = (0, size);
    // Whether the old subtree is a node of the tree itself, whose hash the verifier has.
    let mut known = true;
    let mut wanted = old.clone();
    while wanted != (start..end) {
        let middle = start + split(end - start);
        if wanted.end <= middle {
            proof.push(range(nodes, middle, end)?);
            end = middle;
        } else {
            proof.push(range(nodes, start, middle)?);
            if wanted.start < middle {
                known = false;
                wanted.start = middle;
            }
            start = middle;
        }
    }
    if !known {
        proof.push(range(nodes, start, end)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Checks that the entry with hash `leaf` is at `index` of the tree of `size` entries under `root`.
pub fn verify_inclusion(
    index: u64,
    size: u64,
    leaf: &Hash,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    verify_subtree_inclusion(index, &(0..size), leaf, path, root)
}

/// Checks that the entry with hash `leaf` is at `index` of the subtree `within` under `root`.
pub fn verify_subtree_inclusion(
    index: u64,
    within: &Range<u64>,
    leaf: &Hash,
    path: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    let (start, end) = (within.start, within.end);
    if !is_subtree(start, end) || !within.contains(&index) {
        return Err(ProofError::Range { start: index, end: index.saturating_add(1), size: end });
    }
    let wrong = ProofError::Length { found: path.len(), size: end };
    let (mut at, mut last) = (index - start, end - start - 1);
    let mut hash = *leaf;
    for sibling in path {
        if last == 0 {
            return Err(wrong);
        }
        if at & 1 == 1 || at == last {
            hash = Hash::node(sibling, &hash);
            // A node without a right neighbour is its own parent, however often.
            let skipped = if at == 0 { 0 } else { at.trailing_zeros() };
            (at, last) = (at >> skipped, last >> skipped);
        } else {
            hash = Hash::node(&hash, sibling);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    if last != 0 {
        return Err(wrong);
    }
    equal(hash, *root)
}

/// Checks that the tree of `old` entries under `old_root` is the beginning of the tree of `size` entries under `root`.
///
/// The empty tree is the beginning of every tree and proves nothing, so `old` may not be 0.
pub fn verify_consistency(
    old: u64,
    size: u64,
    old_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old == 0 {
        return Err(ProofError::Range { start: 0, end: 0, size });
    }
    verify_subtree_consistency(&(0..old), size, old_root, root, proof)
}

/// Checks that the subtree over the entries `old` under `old_root` is part of the tree of `size` entries under `root`.
///
/// A subtree without entries is part of every tree if its root says that it is empty.
pub fn verify_subtree_consistency(
    old: &Range<u64>,
    size: u64,
    old_root: &Hash,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    let (start, end) = (old.start, old.end);
    let wrong = ProofError::Length { found: proof.len(), size };
    if start == end && end <= size {
        return if proof.is_empty() { equal(Hash::empty(), *old_root) } else { Err(wrong) };
    }
    if !is_subtree(start, end) || end > size {
        return Err(ProofError::Range { start, end, size });
    }
    let (mut first, mut last, mut top) = (start, end - 1, size - 1);
    // Up to the largest complete subtree at the right end of the old one.
    while first != last && (last & 1 == 1 || last == top) {
        (first, last, top) = (first >> 1, last >> 1, top >> 1);
    }
    let mut rest = proof.iter();
    let seed = if first == last { *old_root } else { *rest.next().ok_or(wrong)? };
    let (mut old_hash, mut hash) = (seed, seed);
    for sibling in rest {
        if top == 0 {
            return Err(wrong);
        }
        if last & 1 == 1 || last == top {
            if first < last {
                old_hash = Hash::node(sibling, &old_hash);
            }
            hash = Hash::node(sibling, &hash);
            let skipped = if last == 0 { 0 } else { last.trailing_zeros() };
            (first, last, top) = (first >> skipped, last >> skipped, top >> skipped);
        } else {
            hash = Hash::node(&hash, sibling);
        }
        (first, last, top) = (first >> 1, last >> 1, top >> 1);
    }
    if top != 0 {
        return Err(wrong);
    }
    equal(old_hash, *old_root)?;
    equal(hash, *root)
}

/// Whether `start..end` is a subtree: not empty, and starting at a multiple of the power of two that holds it.
fn is_subtree(start: u64, end: u64) -> bool {
    let Some(count) = end.checked_sub(start).filter(|count| *count > 0) else { return false };
    start == 0 || count.checked_next_power_of_two().is_some_and(|power| start.is_multiple_of(power))
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << count.saturating_sub(1).checked_ilog2().unwrap_or(0)
}

fn equal(computed: Hash, wanted: Hash) -> Result<(), ProofError> {
    if computed == wanted { Ok(()) } else { Err(ProofError::Root { computed, wanted }) }
}
