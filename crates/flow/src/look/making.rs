//! How the image is made, for `check::image`.

use std::collections::BTreeMap;

use boltseal_check::image::{Facts, FoundFile, run};
use boltseal_ecosystem::Owners;
use boltseal_image::Image;
use boltseal_model::{Catalog, Misconfiguration};

use super::UNUSUAL;

pub(super) fn misconfigurations(
    image: &Image,
    catalog: &Catalog,
    caches: BTreeMap<&'static str, u64>,
) -> Vec<Misconfiguration> {
    // A folder has no configuration that could be wrong.
    if image.subject.config.is_none() && image.subject.digest.is_none() {
        return Vec::new();
    }
    let tree = &image.tree;
    let unusual = || tree.files.iter().filter(|(_, file)| file.meta.mode & UNUSUAL != 0);
    let owners = Owners::at(tree, unusual().map(|(path, _)| &**path));
    let files: Vec<(&str, u32, u32)> =
        unusual().map(|(path, file)| (&**path, file.meta.mode, file.layer)).collect();
    let found = files.into_iter().map(|(path, mode, layer)| FoundFile {
        path,
        mode,
        layer: tree.layers.get(layer as usize).and_then(|layer| layer.digest.as_ref()),
        owner: owners.of_linked(tree, path),
    });
    run(&Facts {
        config: &image.config,
        steps: image.history.iter().filter_map(|made| made.created_by.as_deref()).collect(),
        packages: &catalog.packages,
        files: found.collect(),
        caches: caches.into_iter().collect(),
    })
}
