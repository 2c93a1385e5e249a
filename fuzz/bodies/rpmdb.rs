//! Any bytes as an rpm database of any kind: no panic, no package without a name, the same answer twice.

use boltseal_ecosystem::{Ecosystem as _, Owners, catalog, rpm::Rpm};
use boltseal_model::{File, FileMeta, Tree};

/// The whole input is the file; its first bytes say of which kind.
pub fn body(data: &[u8]) {
    let path = "var/lib/rpm/Packages";
    let mut tree = Tree::default();
    for (path, content) in [("etc/os-release", &b"ID=fedora\nVERSION_ID=40\n"[..]), (path, data)] {
        let meta = FileMeta { size: content.len() as u64, ..FileMeta::default() };
        tree.files.insert(path.into(), File { layer: 0, meta, content: content.into(), earlier: Vec::new() });
    }
    let found = catalog(&tree);
    assert_eq!(found, catalog(&tree), "the same input gave another output");
    assert!(found.packages.len() <= data.len() / 8, "more packages than there is room for");
    for package in &found.packages {
        assert!(!package.name.is_empty() && !package.version.is_empty(), "{package:?}");
        let shown = [&package.name, &package.version, &package.purl];
        assert!(shown.iter().all(|text| !text.contains(char::is_control)), "{package:?}");
        assert!(package.purl.starts_with("pkg:rpm/") && package.purl.is_ascii(), "{package:?}");
        assert!(Rpm.space(package, found.distro.as_ref()).is_some(), "{package:?}");
        assert!(!Rpm.known_as(package).is_empty(), "{package:?}");
    }
    let mut owners = Owners::default();
    Rpm.owners(&tree, &mut owners);
}
