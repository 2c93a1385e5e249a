//! The 518 vectors for RFC 6962 proofs, and proofs of our own for every small tree.

use std::ops::Range;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_audit::log::{
    Hash,
    tree::{self, Nodes as _, ProofError},
};
use serde_json::Value;

use super::entry;

/// A hash of a vector. Some vectors have words in place of hashes, which only have to be told apart.
fn hash(value: &Value) -> Option<Hash> {
    let mut bytes = STANDARD.decode(value.as_str()?).unwrap();
    bytes.resize(if bytes.is_empty() { 0 } else { 32 }, 0);
    Some(Hash::from(<[u8; 32]>::try_from(bytes).ok()?))
}

fn number(vector: &Value, name: &str) -> u64 {
    vector[name].as_u64().unwrap_or_else(|| panic!("no {name} in {vector}"))
}

/// Runs the vectors of one file; `run` says whether a proof is refused, or `None` where it could not even be read.
fn check(file: &str, count: usize, run: impl Fn(&Value, &[Hash]) -> Option<Result<(), ProofError>>) {
    let Some(path) = boltseal_testkit::shared(&format!("data/secrets/tlog/rfc6962-vectors/{file}.jsonl"))
    else {
        return;
    };
    let text = std::fs::read_to_string(path).unwrap();
    let mut seen = 0;
    for line in text.lines() {
        let vector: Value = serde_json::from_str(line).unwrap();
        let proof = vector["proof"].as_array().cloned().unwrap_or_default();
        let proof: Option<Vec<Hash>> = proof.iter().map(hash).collect();
        let result = proof.and_then(|proof| run(&vector, &proof));
        let is_refused = !matches!(result, Some(Ok(())));
        assert_eq!(is_refused, vector["wantErr"], "{file} {}: {result:?}", vector["_file"]);
        seen += 1;
    }
    assert_eq!(seen, count, "{file}");
}

#[test]
fn inclusion_vectors() {
    check("inclusion", 98, |v, proof| {
        let (index, size) = (number(v, "leafIdx"), number(v, "treeSize"));
        Some(tree::verify_inclusion(index, size, &hash(&v["leafHash"])?, proof, &hash(&v["root"])?))
    });
}

#[test]
fn consistency_vectors() {
    check("consistency", 98, |v, proof| {
        let (old, size) = (number(v, "size1"), number(v, "size2"));
        Some(tree::verify_consistency(old, size, &hash(&v["root1"])?, &hash(&v["root2"])?, proof))
    });
}

#[test]
fn subtree_inclusion_vectors() {
    check("subtreeinclusion", 204, |v, proof| {
        let (index, within) = (number(v, "leafIdx"), number(v, "start")..number(v, "end"));
        Some(tree::verify_subtree_inclusion(
            index,
            &within,
            &hash(&v["leafHash"])?,
            proof,
            &hash(&v["root"])?,
        ))
    });
}

#[test]
fn subtree_consistency_vectors() {
    check("subtreeconsistency", 118, |v, proof| {
        let (old, size) = (number(v, "start")..number(v, "end"), number(v, "size"));
        Some(tree::verify_subtree_consistency(&old, size, &hash(&v["root1"])?, &hash(&v["root2"])?, proof))
    });
}

fn leaves(size: u64) -> Vec<Hash> {
    (0..size).map(|number| Hash::leaf(&entry(number))).collect()
}

/// The root of some leaves straight from the definition: split at the largest power of two below their number.
fn defined(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => Hash::empty(),
        [leaf] => *leaf,
        more => {
            let middle = more.len().next_power_of_two() / 2;
            Hash::node(&defined(&more[..middle]), &defined(&more[middle..]))
        }
    }
}

/// All subtrees of a tree.
fn subtrees(size: u64) -> impl Iterator<Item = Range<u64>> {
    let is_one = |range: &Range<u64>| {
        range.start == 0 || range.start.is_multiple_of((range.end - range.start).next_power_of_two())
    };
    (0..size).flat_map(move |start| (start + 1..=size).map(move |end| start..end)).filter(is_one)
}

#[test]
fn every_subtree_of_every_small_tree_is_proven_and_nothing_else() {
    for size in 1..=33 {
        let all = leaves(size);
        let root = tree::root(&all);
        assert_eq!(root, defined(&all), "{size} entries");
        for old in subtrees(size) {
            let part = &all[usize::try_from(old.start).unwrap()..usize::try_from(old.end).unwrap()];
            let part_root = defined(part);
            let proof = tree::consistency(&mut all.as_slice(), &old, size).unwrap();
            let verify = |root_of_part, proof: &[Hash]| {
                tree::verify_subtree_consistency(&old, size, &root_of_part, &root, proof)
            };
            assert_eq!(verify(part_root, &proof), Ok(()), "{old:?} of {size}");
            assert!(verify(Hash::leaf(b"another"), &proof).is_err(), "{old:?} of {size}");
            for place in 0..proof.len() {
                let mut wrong = proof.clone();
                wrong[place] = Hash::leaf(b"another");
                assert!(verify(part_root, &wrong).is_err(), "{old:?} of {size}, hash {place}");
                wrong.remove(place);
                assert!(verify(part_root, &wrong).is_err(), "{old:?} of {size}, without hash {place}");
            }
            for index in old.clone() {
                let path = tree::inclusion(&mut all.as_slice(), index, &old).unwrap();
                let leaf = all[usize::try_from(index).unwrap()];
                let verify = |at| tree::verify_subtree_inclusion(at, &old, &leaf, &path, &part_root);
                for at in 0..size {
                    assert_eq!(verify(at).is_ok(), at == index, "{at} of {old:?}");
                }
            }
        }
    }
}

#[test]
fn what_is_no_subtree_has_no_proof() {
    let all = leaves(8);
    for (old, size) in
        [(0..0, 8), (3..3, 8), (1..3, 8), (0..9, 8), (8..9, 8), (2..2, 1), (0..u64::MAX, u64::MAX)]
    {
        let proof = tree::consistency(&mut all.as_slice(), &old, size).unwrap();
        assert_eq!(proof, [], "{old:?} of {size}");
    }
    assert_eq!(tree::inclusion(&mut all.as_slice(), 8, &(0..8)), Ok(Vec::new()));
    let mut nodes = all.as_slice();
    assert_eq!(nodes.node(3, 0), Ok(defined(&all)));
}
