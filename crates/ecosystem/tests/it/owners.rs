//! Which operating system package a language package belongs to.

use boltseal_ecosystem::catalog;

use crate::catalog::{DEBIAN_12, paragraph};
use crate::shared::Builder;

#[test]
fn language_packages_know_the_system_package_that_brought_them() {
    let metadata =
        |name: &str| format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\nBody\nName: no\n");
    let tree = Builder::default()
        .layer()
        .file("etc/os-release", DEBIAN_12)
        .file(
            "var/lib/dpkg/status",
            paragraph("python3-idna", "3.3-1")
                + &paragraph("node-once", "1.4.0-7")
                + &paragraph("broken", "1"),
        )
        .file(
            "var/lib/dpkg/info/not-installed.list",
            "/usr/local/lib/python3.11/site-packages/idna-3.4.dist-info/METADATA\n",
        )
        .file(
            "var/lib/dpkg/info/python3-idna.list",
            "/.\n/usr/lib/python3/dist-packages/idna.egg-info/PKG-INFO\n",
        )
        .file("var/lib/dpkg/info/node-once:all.list", "/lib/nodejs/node_modules/once/package.json\n")
        .file("usr/lib/python3/dist-packages/idna.egg-info/PKG-INFO", metadata("idna"))
        .file("usr/lib/nodejs/node_modules/once/package.json", r#"{"name": "once", "version": "1.4.0"}"#)
        .file("usr/local/lib/python3.11/site-packages/idna-3.4.dist-info/METADATA", metadata("idna"))
        .file("var/lib/dpkg/info/broken.list", "/usr/lib/python3/broken.egg-info\n")
        .file("usr/lib/python3/broken.egg-info", "")
        .tree();
    assert_eq!(catalog(&tree).gaps, [], "the vendor speaks for a file that cannot be read");
    let owners: Vec<_> =
        catalog(&tree).packages.into_iter().map(|package| (package.name, package.owner)).collect();
    let owned = |name: &str, owner: Option<&str>| (name.to_owned(), owner.map(str::to_owned));
    assert_eq!(
        owners,
        [
            owned("broken", None),
            owned("node-once", None),
            owned("python3-idna", None),
            owned("once", Some("node-once")),
            owned("idna", Some("python3-idna")),
            owned("idna", None),
        ]
    );
}

#[test]
fn other_vendors_packages_own_nothing_in_the_eyes_of_the_distribution() {
    for (maintainer, owned) in [
        ("Debian Python Team <team+python@tracker.debian.org>", true),
        ("Ubuntu Developers <ubuntu-devel-discuss@lists.ubuntu.com>", true),
        ("Jane <jane@debian.org>", true),
        ("Example Inc. <support@example.com>", false),
        ("Example Inc. <debian.org@example.com>", false),
        ("Example Inc. <x@notdebian.org>", false),
    ] {
        let status = format!("Maintainer: {maintainer}\n{}", paragraph("tool", "1.0"));
        let tree = Builder::default()
            .layer()
            .file("etc/os-release", DEBIAN_12)
            .file("var/lib/dpkg/status", status)
            .file("var/lib/dpkg/info/tool.list", "/opt/tool/node_modules/once/package.json\n")
            .file("opt/tool/node_modules/once/package.json", r#"{"name": "once", "version": "1.4.0"}"#)
            .tree();
        assert_eq!(catalog(&tree).packages[1].owner.is_some(), owned, "{maintainer}");
    }
}

#[test]
fn what_a_later_layer_replaced_is_the_vendors_no_more() {
    let path = "usr/lib/python3/dist-packages/idna.egg-info/PKG-INFO";
    let base = Builder::default()
        .layer()
        .file("etc/os-release", DEBIAN_12)
        .file("var/lib/dpkg/status", paragraph("python3-idna", "3.3-1"))
        .file("var/lib/dpkg/info/python3-idna.list", format!("/{path}\n"))
        .file(path, "Name: idna\nVersion: 3.3\n");
    let copied = base.layer().file(path, "Name: idna\nVersion: 3.3\n\n");
    let owner = |tree: &boltseal_model::Tree| catalog(tree).packages[1].owner.clone();
    let tree = copied.tree();
    assert_eq!(owner(&tree).as_deref(), Some("python3-idna"));
    let replaced = Builder::from(tree).layer().file(path, "Name: idna\nVersion: 3.1\n").tree();
    assert_eq!(owner(&replaced), None);
}
