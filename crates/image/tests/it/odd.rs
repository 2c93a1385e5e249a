//! Odd layers and layouts that other scanners keep for their tests.

use std::fs;

use boltseal_image::{Options, layer};
use boltseal_testkit::unpacked;

use crate::tree::{All, open_all, view};

const FIXTURES: &str = "data/fixtures/images/odd-layers-and-layouts.tar.zst";

#[test]
fn odd_layers() {
    let Some(odd) = unpacked(FIXTURES) else { return };
    let crozzy = "home/crozzy/.local/share/containers/storage/overlay/2a9c4b01";
    let rows: [(&str, &[&str]); 8] = [
        (
            "claircore/pkg/tarfs/testdata/bad_name.tar",
            &["____________________________________________________________"],
        ),
        // A directory replaces the link that an archive appended to had in its place.
        ("claircore/pkg/tarfs/testdata/concat.tar", &["run/logs/log.txt=@0", "var/run/console/algo.txt=@0"]),
        ("claircore/pkg/tarfs/testdata/known/oddlayer.tar", &["!in memory"]),
        ("claircore/whiteout/testdata/whiteout.layer", &[]),
        ("claircore/whiteout/testdata/whiteout_opaque.layer", &["b/not.a.wh..wh..opq=@0"]),
        (
            "claircore/rpm/testdata/dangling_symlink",
            &["tar_creation/algo.txt=@0", "tar_creation/rpmdb.sqlite->/tmp/algo"],
        ),
        ("claircore/python/testdata/layer-with-bad-version.tar", &[crozzy; 5]),
        (
            "scalibr/artifact/image/unpack/testdata/escape.tar",
            &[
                "escape->trampoline/trampoline/trampoline/trampoline/trampoli",
                "trampoline->.",
                "usr/share/doc/a/copyright->/trampoline",
                "usr/share/doc/b/copyright->/escape",
                "usr/share/doc/c/copyright->/escape/poc.txt",
                "!in memory",
            ],
        ),
    ];
    for (name, expected) in rows {
        let bytes = fs::read(odd.path(&format!("layers/{name}"))).unwrap();
        let tree = layer(&bytes, &All, &Options::default()).unwrap();
        let short: Vec<String> = view(&tree).iter().map(|line| line.chars().take(60).collect()).collect();
        assert_eq!(short, expected, "{name}");
    }
}

/// Images of one layer each, in archives of `docker save`.
#[test]
fn odd_images() {
    let Some(odd) = unpacked(FIXTURES) else { return };
    let rows: [(&str, &[&str]); 5] = [
        ("overwrite-file", &["sample.txt=overwritten sample text file\n@1"]),
        (
            "symlink-attack",
            &[
                "dir1/attack-symlink-absolute.txt->/../secret.txt",
                "dir1/attack-symlink.txt->../../secret.txt",
            ],
        ),
        (
            "symlink-cycle",
            &[
                "dir1/absolute-symlink.txt->/dir1/sample.txt",
                "dir1/chain-symlink.txt->absolute-symlink.txt",
                "dir1/sample.txt->/dir1/chain-symlink.txt",
            ],
        ),
        (
            "symlink-basic",
            &[
                "dir1/absolute-symlink.txt->/dir1/sample.txt",
                "dir1/chain-symlink.txt->absolute-symlink.txt",
                "dir1/relative-dot-symlink.txt->./sample.txt",
                "dir1/relative-symlink.txt->sample.txt",
                "dir1/sample.txt=sample text\n@0",
            ],
        ),
        ("single-file", &["foo.txt=foo\n@0"]),
    ];
    for (name, expected) in rows {
        let path = format!("layers/scalibr/artifact/image/layerscanning/image/testdata/{name}.tar");
        let tree = open_all(&format!("docker-archive:{}", odd.path(&path).display())).unwrap().tree;
        assert_eq!(view(&tree), expected, "{name}");
        assert!(tree.content("dir1/attack-symlink.txt").is_none());
        if name == "symlink-basic" {
            assert_eq!(tree.content("dir1/chain-symlink.txt"), Some(&b"sample text\n"[..]));
        }
    }
}

#[test]
fn nothing_in_the_collection_breaks_us() {
    let Some(odd) = unpacked(FIXTURES) else { return };
    let mut todo = vec![odd.root().to_owned()];
    let mut seen = 0;
    while let Some(path) = todo.pop() {
        if path.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        for transport in ["", "rootfs:", "oci:", "oci-archive:", "docker-archive:", "dir:"] {
            let _ = open_all(&format!("{transport}{}", path.display()));
        }
        seen += 1;
    }
    assert!(seen > 60, "{seen}");
}

#[test]
fn odd_layouts() {
    let Some(odd) = unpacked(FIXTURES) else { return };
    let rows = [
        ("test.oci", Ok(1)),
        ("test_image_tag.oci", Ok(1)),
        ("test_bad_index_json.oci", Err("index.json of")),
        ("test_no_valid_manifests.oci", Err("schemaVersion is 0")),
    ];
    for (name, expected) in rows {
        let path = odd.path(&format!("layers/trivy/pkg/fanal/test/testdata/{name}"));
        match (open_all(&format!("oci:{}", path.display())), expected) {
            (Ok(opened), Ok(entries)) => assert_eq!(opened.tree.entries, entries, "{name}"),
            (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{name}: {error}"),
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}
