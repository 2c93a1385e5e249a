//! What of an image can be executed, and which packages that belongs to: by this, what a container was seen to do says which
//! packages it uses.

use std::collections::BTreeMap;

use boltseal_ecosystem::accounted;
use boltseal_image::{Executable, Extracts, Index};
use boltseal_inventory::File;
use boltseal_model::{Catalog, Layer, Tree};
use serde::{Deserialize, Serialize};

use crate::{Error, Looking, Wanted, look::look};

/// What there is in an image, and which of its files can be executed. It depends on the image alone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// Bottom first.
    pub layers: Vec<Layer>,
    /// What is installed.
    pub catalog: Catalog,
    /// What can be executed or loaded.
    pub files: Vec<File>,
}

/// Looks into an image of which `layers` are the indexes of its unpacked layers, bottom first. Where its layers were looked into
/// before, little is read: the manifest, and what its configuration says.
///
/// # Errors
/// Where it cannot be read.
pub fn known(wanted: &Wanted<'_>, layers: &[&Index]) -> Result<Known, Error> {
    let mut options = wanted.options.clone();
    options.extracts = wanted.cache.map(|cache| cache as &dyn Extracts);
    let (image, catalog) =
        look(Looking::default(), |eyes| boltseal_image::open(wanted.target, eyes, &options))?;
    let files = files(layers, &image.tree, &catalog);
    Ok(Known { layers: image.tree.layers, catalog, files })
}

/// The files of an image that can be executed or loaded. `layers` are the indexes of its unpacked layers, bottom first; `tree` and
/// `catalog` what [`look`](crate::look::look) found in it.
///
/// A file of an upper layer stands for those of its name below. One that an upper layer only deletes is listed: it is in the
/// image, and no container can execute it.
pub fn files(layers: &[&Index], tree: &Tree, catalog: &Catalog) -> Vec<File> {
    let bottom = layers.iter().rposition(|layer| layer.hides_all).unwrap_or(0);
    let above = layers.get(bottom..).unwrap_or_default();
    let files: BTreeMap<&str, &Executable> =
        above.iter().flat_map(|layer| &layer.executables).map(|one| (one.path.as_str(), one)).collect();
    let packages = accounted::belongs(tree, catalog, files.keys().copied());
    let file = |(one, package): (&Executable, Option<usize>)| File {
        path: one.path.clone(),
        sha256: one.sha256.clone(),
        package,
    };
    files.into_values().zip(packages).map(file).collect()
}
