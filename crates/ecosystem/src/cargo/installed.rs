//! Records of executables to packages.

use boltseal_model::{Catalog, Package, Tree};

use crate::{
    executable::{self, Distilled},
    origin,
    purl::Purl,
};

pub(super) fn catalog(tree: &Tree, out: &mut Catalog) {
    for found in executable::records(tree, "cargo") {
        for line in String::from_utf8_lossy(found.record).lines() {
            out.packages
                .extend(line.split_once('\t').map(|(name, version)| package(tree, &found, name, version)));
        }
    }
}

fn package(tree: &Tree, found: &Distilled<'_>, name: &str, version: &str) -> Package {
    let line = format!("{name}\t{version}");
    let same = |content: &[u8]| {
        let old = executable::record(content, "cargo").unwrap_or_default();
        String::from_utf8_lossy(old).lines().any(|old| old == line)
    };
    Package {
        ecosystem: "cargo".to_owned(),
        name: name.to_owned(),
        version: version.to_owned(),
        purl: Purl::new("cargo", name).version(version).to_string(),
        source: None,
        architecture: None,
        licenses: Vec::new(),
        paths: vec![found.path.to_owned()],
        layer: origin::layer(tree, origin::since(found.file, same)),
        owner: None,
    }
}
