//! Thousands of catalogs against a new snapshot, without opening an image again.

use std::{collections::BTreeMap, sync::Arc};

use boltseal_model::{Catalog, Digest, Finding, Gap};

use crate::{Error, Matching, Snapshot};

/// Catalogs in memory, each distinct package kept once.
#[derive(Default)]
pub struct Fleet {}

/// One image's share of a [`Rematch`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImageMatch {
    /// In the order of [`Finding::rank`]; shared with other images that have the same package in the same layer.
    pub findings: Vec<Arc<Finding>>,
    /// As in [`crate::Matched`].
    pub gaps: Arc<[Gap]>,
}

/// What a snapshot says about every catalog of a fleet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rematch {
    /// By the digest that the catalog was inserted with.
    pub images: BTreeMap<Digest, ImageMatch>,
}

impl Fleet {
    /// Adds or replaces a catalog.
    pub fn insert(&mut self, image: Digest, catalog: &Catalog) {
        let _ = (image, catalog);
    }

    /// Forgets a catalog.
    pub fn remove(&mut self, image: &Digest) -> bool {
        let _ = image;
        false
    }

    /// How many catalogs there are.
    pub fn len(&self) -> usize {
        0
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Matches every distinct package once, and says for each image what hits it: equal to [`crate::findings()`].
    pub fn rematch(&self, snapshot: &Snapshot, matching: &Matching) -> Rematch {
        let _ = (snapshot, matching);
        Rematch::default()
    }
}

/// The images for which `new` says something else than `old`, or that are only in one of them. Sorted.
pub fn changed(old: &Rematch, new: &Rematch) -> Vec<Digest> {
    let _ = (old, new);
    Vec::new()
}

/// A catalog as few bytes, for the store.
pub fn encode(catalog: &Catalog) -> Result<Vec<u8>, Error> {
    let _ = catalog;
    Ok(Vec::new())
}

/// What [`encode`] wrote.
pub fn decode(bytes: &[u8]) -> Result<Catalog, Error> {
    let _ = bytes;
    Ok(Catalog::default())
}
