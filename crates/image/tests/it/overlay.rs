//! What a container would see of layers on top of each other.

use boltseal_image::{Options, open};
use boltseal_model::Selector;
use boltseal_testkit::image::{Image, Layer};

use crate::tree::{All, Only, view};

fn check_as(selector: &dyn Selector, name: &str, layers: &[Layer], expected: &[&str]) {
    let image = layers.iter().fold(Image::new(), |image, layer| image.layer(layer.clone())).build();
    let folder = tempfile::tempdir().unwrap();
    image.write_oci(folder.path(), None);
    let target = format!("oci:{}", folder.path().display());
    let opened = open(&target, selector, &Options::default()).unwrap();
    assert_eq!(view(&opened.tree), expected, "{name}");
}

fn check(name: &str, layers: &[Layer], expected: &[&str]) {
    check_as(&All, name, layers, expected);
}

#[test]
fn later_entries_win() {
    let base = || Layer::new().file("etc/a", "old").file("etc/b", "b");
    check("upper file", &[base(), Layer::new().file("etc/a", "new")], &["etc/a=new@1", "etc/b=b@0"]);
    check("same layer", &[base().file("etc/a", "again")], &["etc/a=again@0", "etc/b=b@0"]);
    check("file for directory", &[base(), Layer::new().file("etc", "x")], &["etc=x@1"]);
    check("link for directory", &[base(), Layer::new().symlink("etc", "usr/etc")], &["etc->usr/etc"]);
    check(
        "directory for file",
        &[Layer::new().file("x", "1"), Layer::new().dir("x").file("x/y", "2")],
        &["x/y=2@1"],
    );
    check("unsaid directory for file", &[Layer::new().file("x", "1").file("x/y", "2")], &["x/y=2@0"]);
    check(
        "directories merge",
        &[base(), Layer::new().dir("etc").file("etc/c", "c")],
        &["etc/a=old@0", "etc/b=b@0", "etc/c=c@1"],
    );
    check(
        "directory for link",
        &[Layer::new().symlink("x", "y"), Layer::new().dir("x").file("x/z", "1")],
        &["x/z=1@1"],
    );
}

#[test]
fn whiteouts_hide_what_is_below() {
    let base = || Layer::new().file("d/a", "a").file("d/e/b", "b").file("dd", "dd");
    let rows: [(&str, Layer, &[&str]); 8] = [
        ("a file", Layer::new().whiteout("d/a"), &["d/e/b=b@0", "dd=dd@0"]),
        ("a directory", Layer::new().whiteout("d"), &["dd=dd@0"]),
        (
            "only below",
            Layer::new().file("d/a", "new").whiteout("d/a"),
            &["d/a=new@1", "d/e/b=b@0", "dd=dd@0"],
        ),
        ("opaque", Layer::new().opaque("d"), &["dd=dd@0"]),
        ("opaque, order", Layer::new().file("d/n", "n").opaque("d"), &["d/n=n@1", "dd=dd@0"]),
        ("opaque root", Layer::new().file(".wh..wh..opq", "").file("n", "n"), &["n=n@1"]),
        (
            "aufs leftovers",
            Layer::new().dir(".wh..wh.plnk").file(".wh..wh.aufs", ""),
            &["d/a=a@0", "d/e/b=b@0", "dd=dd@0"],
        ),
        ("nothing there", Layer::new().whiteout("d/zz"), &["d/a=a@0", "d/e/b=b@0", "dd=dd@0"]),
    ];
    for (name, upper, expected) in rows {
        check(name, &[base(), upper], expected);
    }
    let comes_back = [base(), Layer::new().whiteout("d/a"), Layer::new().file("d/a", "3")];
    check("comes back", &comes_back, &["d/a=3@2", "d/e/b=b@0", "dd=dd@0"]);
}

#[test]
fn names_lead_through_links() {
    let usr = || Layer::new().symlink("lib", "usr/lib").symlink("abs", "/usr/../usr/lib/");
    check(
        "through a link",
        &[usr(), Layer::new().file("lib/x", "x")],
        &["abs->/usr/../usr/lib/", "lib->usr/lib", "usr/lib/x=x@1"],
    );
    check(
        "through an absolute one",
        &[usr().file("abs/x", "x")],
        &["abs->/usr/../usr/lib/", "lib->usr/lib", "usr/lib/x=x@0"],
    );
    check(
        "whiteout through a link",
        &[usr().file("usr/lib/x", "x"), Layer::new().whiteout("lib/x")],
        &["abs->/usr/../usr/lib/", "lib->usr/lib"],
    );
    check(
        "out of the root",
        &[Layer::new().symlink("up", "../../..").file("up/x", "x")],
        &["up->../../..", "x=x@0"],
    );
    let circle = Layer::new().symlink("a", "b").symlink("b", "a").file("a/x", "x");
    check("in a circle", &[circle], &["a->b", "b->a", "!a/x"]);
    check("cleaned names", &[Layer::new().file("/../x/./y//z", "1")], &["x/y/z=1@0"]);
}

#[test]
fn hard_links_share_content() {
    let one = Layer::new().file("a", "text").hard_link("b", "a").hard_link("./c", "/b");
    check("chain", &[one], &["a=text@0", "b=text@0", "c=text@0"]);
    let moved = Layer::new().file("a", "one").hard_link("b", "a").file("a", "two");
    check("keeps what was linked", &[moved], &["a=two@0", "b=one@0"]);
    let below = [Layer::new().file("a", "text"), Layer::new().hard_link("b", "a")];
    check("to a lower layer", &below, &["a=text@0", "b=text@1"]);
    check("to a link", &[Layer::new().symlink("a", "t").hard_link("b", "a")], &["a->t", "b->t"]);
    check("to nothing", &[Layer::new().hard_link("b", "a")], &["!b"]);
    check("to itself", &[Layer::new().hard_link("b", "b")], &["!b"]);
    let elf = b"\x7fELF nothing".as_slice();
    let looked_at = Layer::new().executable("bin/a", elf);
    let mut link = boltseal_testkit::image::Entry::bare("bin/b", b'1', "bin/a");
    link.mode = 0o755;
    check("to what was of no interest", &[looked_at.entry(&link)], &[]);
}

#[test]
fn hard_links_to_files_that_nobody_wanted() {
    let only = Only(&["wanted"]);
    let first = || Layer::new().file("x", "old").file("other", "text");
    let rows: [(&str, Vec<Layer>, &[&str]); 7] = [
        ("same layer", vec![first().hard_link("wanted", "other")], &["wanted=text@0"]),
        (
            "over an unwanted name",
            vec![first().hard_link("n", "other").hard_link("wanted", "n")],
            &["wanted=text@0"],
        ),
        (
            "what came later does not count",
            vec![first().hard_link("wanted", "other").file("other", "late")],
            &["wanted=text@0"],
        ),
        ("the last before", vec![first().file("other", "2").hard_link("wanted", "other")], &["wanted=2@0"]),
        (
            "lower layer",
            vec![first(), Layer::new(), Layer::new().hard_link("wanted", "other")],
            &["wanted=text@2"],
        ),
        (
            "replaced meanwhile",
            vec![first().hard_link("wanted", "other"), Layer::new().file("wanted", "w")],
            &["wanted=w@1"],
        ),
        (
            "hidden meanwhile",
            vec![first().hard_link("wanted", "other"), Layer::new().whiteout("wanted")],
            &[],
        ),
    ];
    for (name, layers, expected) in rows {
        check_as(&only, name, &layers, expected);
    }
}

#[test]
fn remembers_earlier_versions() {
    let layers = ["one", "two", "three"].map(|text| Layer::new().file("status", text));
    let image =
        layers.into_iter().fold(Image::new(), Image::layer).layer(Layer::new().file("b", "b")).build();
    let folder = tempfile::tempdir().unwrap();
    image.write_oci(folder.path(), None);
    let target = format!("oci:{}", folder.path().display());
    let tree = open(&target, &All, &Options::default()).unwrap().tree;
    let file = tree.file("status").unwrap();
    let versions: Vec<(u32, &[u8])> = file.earlier.iter().map(|(layer, text)| (*layer, &**text)).collect();
    assert_eq!((file.layer, versions), (2, vec![(1, &b"two"[..]), (0, b"one")]));
    assert_eq!(tree.layers[3].created_by.as_deref(), Some("step 3"));
    assert_eq!(
        tree.layers.iter().map(|layer| layer.digest.clone().unwrap()).collect::<Vec<_>>(),
        image.layers()
    );

    let mut options = Options::default();
    options.limits.earlier = 3;
    let tree = open(&target, &All, &options).unwrap().tree;
    assert_eq!(tree.file("status").unwrap().earlier.len(), 1, "only one version fits");
}

#[test]
fn executables_are_boiled_down() {
    let big = [b"\x7fELF", vec![7; 300_000].as_slice(), b"keep me"].concat();
    let layer = Layer::new()
        .executable("bin/go", &big)
        .executable("bin/small", b"\x7fELF keep me")
        .executable("bin/c", b"\x7fELF and nothing else")
        .executable("bin/script", b"#!/bin/sh\n# keep me")
        .executable("bin/broken", b"MZ\x90\x00")
        .executable("bin/empty", b"");
    let expected = ["bin/go=300011 bytes@0", "bin/small=12 bytes@0", "!bin/broken"];
    check("in memory", std::slice::from_ref(&layer), &expected);

    let mut options = Options::default();
    options.limits.memory = 1000;
    let tree = boltseal_image::layer(&layer.tar(), &All, &options).unwrap();
    assert_eq!(view(&tree), expected, "through a temporary file");

    options.limits.executable = 1000;
    let tree = boltseal_image::layer(&layer.tar(), &All, &options).unwrap();
    assert_eq!(view(&tree), ["bin/small=12 bytes@0", "!bin/go", "!bin/broken"], "over the limit");
}
