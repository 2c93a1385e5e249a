//! What of an image can be executed, and which packages that belongs to: by this, what a container was seen to do says which
//! packages it uses.

use std::collections::BTreeMap;

use boltseal_ecosystem::accounted;
use boltseal_image::{Executable, Index};
use boltseal_inventory::File;
use boltseal_model::{Catalog, Tree};

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
