//! One layer alone.

use boltseal_model::{Selector, Tree};

use crate::{
    Error, LayerName, Options,
    assemble::{Step, assemble},
    layer::Part,
};

/// The tree of a single layer that is in memory: plain, gzip or zstd, with no digest promised.
///
/// What an attacker fully controls goes through here without any wrapping, so this is also the seam that fuzzing
/// and tests of odd archives use.
pub fn layer(bytes: &[u8], selector: &dyn Selector, options: &Options<'_>) -> Result<Tree, Error> {
    let part = Part {
        name: LayerName::Place("in memory".to_owned()),
        digest: None,
        diff_id: None,
        size: None,
        open: Box::new(move || Ok(Box::new(bytes))),
    };
    assemble(&[Step { part, created_by: None, unread: None, table: None }], selector, options)
}
