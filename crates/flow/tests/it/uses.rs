//! From what a container was seen to do to the packages that it uses.

use boltseal_flow::{Looking, look, uses};
use boltseal_image::{Layers, Options};
use boltseal_inventory::{Container, How, Image as Stored, Inventory, Use, Why};
use boltseal_model::{Catalog, Digest, Timestamp};
use boltseal_testkit::{
    image::{Image, Layer},
    shared, skip,
};

const ALPINE: &str = "data/fixtures/images/alpine-311-docker-archive.tar.gz";

/// A file and its package.
type Named = (String, Option<String>);

/// What is in the image, and an inventory in which it runs; nothing where tests do not run as root.
fn started(target: &str) -> Option<(Catalog, Vec<Named>, Inventory)> {
    if !boltseal_sys::is_root() {
        skip("only root unpacks layers");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let options = Options::default();
    let unpacked = Layers::open(folder.path()).unwrap().unpack(target, &options).unwrap().1;
    let indexes: Vec<_> = unpacked.iter().map(|layer| &layer.index).collect();
    let (image, catalog) =
        look::look(Looking::default(), |selector| boltseal_image::open(target, selector, &options)).unwrap();
    let files = uses::files(&indexes, &image.tree, &catalog);
    let name =
        |at: Option<usize>| at.and_then(|at| catalog.packages.get(at)).map(|package| package.name.clone());
    let named = files.iter().map(|file| (file.path.clone(), name(file.package))).collect();
    let digest = Digest::of(target.as_bytes());
    let mut inventory = Inventory::default();
    inventory.put(&Stored {
        digest: &digest,
        names: &[],
        layers: &[],
        packages: &catalog.packages,
        findings: &[],
        keys: &[],
        files: Some(&files),
        is_complete: catalog.gaps.is_empty(),
    });
    inventory.start(Container {
        id: "1".into(),
        name: "one".into(),
        node: "node".into(),
        image: digest,
        since: Timestamp::UNIX_EPOCH,
        is_watched: true,
    });
    Some((catalog, named, inventory))
}

#[test]
fn a_real_image() {
    let Some(archive) = shared(ALPINE) else { return };
    let Some((catalog, files, mut inventory)) = started(&format!("docker-archive:{}", archive.display()))
    else {
        return;
    };
    assert!(catalog.packages.iter().any(|package| package.name == "musl"));
    let of = |path: &str| files.iter().find(|file| file.0 == path).and_then(|file| file.1.as_deref());
    for (path, package) in [
        ("bin/busybox", "busybox"),
        ("lib/ld-musl-x86_64.so.1", "musl"),
        ("lib/libcrypto.so.1.1", "libcrypto1.1"),
        ("sbin/apk", "apk-tools"),
    ] {
        assert_eq!(of(path), Some(package), "{path}");
    }
    let used = |inventory: &Inventory, package: &str| inventory.find(package).running.remove(0).used;
    assert_eq!(used(&inventory, "musl"), Use::Present { why: Why::NotSeen });
    assert_eq!(used(&inventory, "alpine-keys"), Use::Present { why: Why::NoFiles });
    inventory.saw("1", "/bin/busybox", How::Executed);
    inventory.saw("1", "/lib/ld-musl-x86_64.so.1", How::Loaded);
    assert_eq!(used(&inventory, "busybox"), Use::Executed { path: "bin/busybox".into() });
    assert_eq!(used(&inventory, "musl"), Use::Loaded { path: "lib/ld-musl-x86_64.so.1".into() });
}

const DPKG: &str = "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2\n\
                    Maintainer: Debian Developers <a@debian.org>\n\n\
                    Package: python3-yaml\nStatus: install ok installed\nArchitecture: amd64\nVersion: 6.0\n\
                    Maintainer: Debian Developers <a@debian.org>\n";
const YAML: &str = "Metadata-Version: 2.1\nName: PyYAML\nVersion: 6.0\n";

/// Of the system under another name of its folder, of a language with and without a package of the system, of nobody.
#[test]
fn files_of_all_kinds() {
    let folder = tempfile::tempdir().unwrap();
    let elf = "\u{7f}ELF\0\0\0\0";
    let base = Layer::new()
        .file("etc/os-release", "ID=debian\nVERSION_ID=12\n")
        .file("var/lib/dpkg/status", DPKG)
        .file("var/lib/dpkg/info/bash.list", "/bin/bash\n")
        .file("var/lib/dpkg/info/python3-yaml.list", "/usr/lib/python3/dist-packages/yaml/_yaml.so\n")
        .symlink("bin", "usr/bin")
        .executable("usr/bin/bash", elf)
        .executable("usr/bin/replaced", "#!/bin/sh")
        .file("usr/lib/python3/dist-packages/yaml/_yaml.so", elf);
    let top = Layer::new()
        .file("usr/local/lib/python3.12/site-packages/PyYAML-6.0.dist-info/METADATA", YAML)
        .file("usr/local/lib/python3.12/site-packages/pyyaml/_yaml.so", elf)
        .executable("usr/bin/replaced", "#!/bin/dash")
        .executable("app/program", elf);
    Image::new().layer(base).layer(top).build().write_oci(folder.path(), None);
    let Some((_, files, _)) = started(&format!("oci:{}", folder.path().display())) else { return };
    let told: Vec<String> =
        files.iter().map(|(path, of)| format!("{path} {}", of.as_deref().unwrap_or("-"))).collect();
    assert_eq!(
        told,
        [
            "app/program -",
            "usr/bin/bash bash",
            "usr/bin/replaced -",
            "usr/lib/python3/dist-packages/yaml/_yaml.so python3-yaml",
            "usr/local/lib/python3.12/site-packages/pyyaml/_yaml.so PyYAML",
        ]
    );
}
