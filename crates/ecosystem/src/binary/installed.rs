//! Records of programs to packages.

use boltseal_model::{Catalog, Package, Tree};

use super::{Binary, ID};
use crate::{Ecosystem as _, executable, origin};

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for found in executable::records(tree, ID) {
        let record = String::from_utf8_lossy(found.record);
        let Some((name, version)) = record.split_once('\t') else { continue };
        let same = |content: &[u8]| executable::record(content, ID) == Some(found.record);
        out.packages.push(Package {
            paths: vec![found.path.to_owned()],
            layer: origin::layer(tree, origin::since(found.file, same)),
            ..Binary.named(name, version)
        });
    }
}
