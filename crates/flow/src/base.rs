//! What of an image comes from the image it was built on, and what another base would change. Pure.
//!
//! A base is recognised by its layers: an image is built on another if its archives begin with all of the other's, in
//! order. What the lowest layers brought is theirs, everything above is yours.
//!
//! [`rebase`] says what would go and come if the same own layers lay on another base: findings in *their* packages are
//! compared with the findings of the new base; yours stay. It does not build: whether your layers work on it, only a build
//! tells.

use std::collections::BTreeSet;

use boltseal_model::{Digest, Finding, Layer, Report};
use serde::{Deserialize, Serialize};

use crate::diff::{Hit, hit};

/// Whose something is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// How many layers.
    pub layers: usize,
    /// Bytes of them, as stored.
    pub bytes: u64,
    /// Packages that they brought.
    pub packages: usize,
    /// What is wrong with those, worst first.
    pub findings: Vec<Hit>,
}

/// An image in two parts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parts {
    /// What the base brought.
    pub theirs: Share,
    /// What was built on it.
    pub yours: Share,
}

/// What another base would change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebase {
    /// Findings that would go.
    pub removes: Vec<Hit>,
    /// Findings that would come.
    pub brings: Vec<Hit>,
    /// Findings of the base that both have.
    pub keeps: usize,
}

/// How many of the image's lowest layers are those of `base`; `None` where it was not built on it.
pub fn built_on(image: &[Layer], base: &[Layer]) -> Option<usize> {
    let same = |(a, b): (&Layer, &Layer)| match (&a.diff_id, &b.diff_id) {
        (Some(a), Some(b)) => a == b,
        _ => a.digest.is_some() && a.digest == b.digest,
    };
    let fits = !base.is_empty() && base.len() <= image.len() && image.iter().zip(base).all(same);
    fits.then_some(base.len())
}

/// What the lowest `layers` layers of an image brought, and what the others did.
///
/// A package of which nobody knows the layer (of a database that later layers rewrote beyond recognition) is yours: then
/// nothing is promised that a new base does not keep.
pub fn parts(report: &Report, layers: usize) -> Parts {
    let (low, high) = report.layers.split_at_checked(layers).unwrap_or((&report.layers, &[]));
    let low_digests: BTreeSet<&Digest> = low.iter().filter_map(|layer| layer.digest.as_ref()).collect();
    let is_theirs = |layer: Option<&Digest>| layer.is_some_and(|layer| low_digests.contains(layer));
    let share = |layers: &[Layer], theirs: bool| Share {
        layers: layers.len(),
        bytes: layers.iter().map(|layer| layer.size).sum(),
        packages: report
            .packages
            .iter()
            .filter(|package| is_theirs(package.layer.as_ref()) == theirs)
            .count(),
        findings: hits(
            report.findings.iter().filter(|finding| is_theirs(finding.proof.layer.as_ref()) == theirs),
        ),
    };
    Parts { theirs: share(low, true), yours: share(high, false) }
}

/// What would change if `theirs` were the findings of `new`.
pub fn rebase(theirs: &Share, new: &Report) -> Rebase {
    let new = hits(new.findings.iter());
    let key = |hit: &Hit| (hit.id.clone(), hit.package.clone());
    let (old_keys, new_keys): (BTreeSet<_>, BTreeSet<_>) =
        (theirs.findings.iter().map(key).collect(), new.iter().map(key).collect());
    Rebase {
        removes: theirs.findings.iter().filter(|hit| !new_keys.contains(&key(hit))).cloned().collect(),
        brings: new.iter().filter(|hit| !old_keys.contains(&key(hit))).cloned().collect(),
        keeps: old_keys.intersection(&new_keys).count(),
    }
}

/// Worst first, each vulnerability once a package.
fn hits<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<Hit> {
    let mut hits: Vec<Hit> = findings.map(hit).collect();
    hits.sort_by(|a, b| {
        b.severity.cmp(&a.severity).then_with(|| (&a.id, &a.package).cmp(&(&b.id, &b.package)))
    });
    hits.dedup_by(|a, b| (&a.id, &a.package) == (&b.id, &b.package));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(name: &str) -> Layer {
        let diff_id = Some(Digest::of(name.as_bytes()));
        Layer {
            digest: Some(Digest::of(format!("{name} packed").as_bytes())),
            diff_id,
            size: 10,
            created_by: None,
        }
    }

    #[test]
    fn a_base_is_what_the_archives_begin_with() {
        let layers = |names: &[&str]| names.iter().map(|name| layer(name)).collect::<Vec<_>>();
        let image = layers(&["a", "b", "c"]);
        for (base, expected) in [
            (layers(&["a"]), Some(1)),
            (layers(&["a", "b"]), Some(2)),
            (layers(&["a", "b", "c"]), Some(3)),
            (layers(&["b"]), None),
            (layers(&["a", "c"]), None),
            (layers(&["a", "b", "c", "d"]), None),
            (Vec::new(), None),
        ] {
            assert_eq!(built_on(&image, &base), expected);
        }
        // Packed otherwise, the archives are the same.
        let mut packed = layers(&["a"]);
        for layer in &mut packed {
            layer.digest = None;
        }
        assert_eq!(built_on(&image, &packed), Some(1));
    }
}
