//! Archives as tools write them, and as they should not be.

use std::{fs, process::Command};

use boltseal_image::{Options, layer};
use boltseal_testkit::{
    image::{Compression, Entry, Layer},
    peer,
};

use crate::tree::{All, view};

fn look(archive: &[u8]) -> Result<Vec<String>, String> {
    layer(archive, &All, &Options::default()).map(|tree| view(&tree)).map_err(|error| error.to_string())
}

#[test]
fn long_names_and_extended_headers() {
    let long = "d/".repeat(120) + "name";
    let huge = (9u64 << 33).to_string();
    let rows: [(&str, Layer, Vec<String>); 9] = [
        ("GNU long name", Layer::new().file(&long, "x"), vec![format!("{long}=x@0")]),
        ("GNU long link", Layer::new().symlink("l", &long), vec![format!("l->{long}")]),
        ("pax path", Layer::new().pax(&[("path", &long)]).file("short", "x"), vec![format!("{long}=x@0")]),
        ("pax link", Layer::new().pax(&[("linkpath", "t")]).symlink("l", "wrong"), vec!["l->t".into()]),
        (
            "pax once",
            Layer::new().pax(&[("path", "a")]).file("x", "1").file("b", "2"),
            vec!["a=1@0".into(), "b=2@0".into()],
        ),
        (
            "empty takes back",
            Layer::new().pax(&[("path", "a"), ("path", "")]).file("x", "1"),
            vec!["x=1@0".into()],
        ),
        (
            "global changes nothing",
            Layer::new().pax_global(&[("path", "a"), ("size", "9"), ("comment", "c")]).file("x", "1"),
            vec!["x=1@0".into()],
        ),
        (
            "links have no content",
            Layer::new().pax(&[("size", &huge)]).symlink("l", "t").file("x", "1"),
            vec!["l->t".into(), "x=1@0".into()],
        ),
        (
            "unknown kinds are passed over",
            Layer::new().entry(&Entry { kind: b'V', ..Entry::file("label", b"xyz") }).file("x", "1"),
            vec!["x=1@0".into()],
        ),
    ];
    for (name, archive, expected) in rows {
        assert_eq!(look(&archive.tar()), Ok(expected), "{name}");
    }
}

#[test]
fn ends_of_archives() {
    let one = Layer::new().file("x", "1");
    let expected = Ok(vec!["x=1@0".to_owned()]);
    let doubtful = Ok(vec!["x=1@0".to_owned(), "!in memory".to_owned()]);
    assert_eq!(look(one.unfinished()), doubtful, "no end");
    assert_eq!(look(&one.unfinished()[..513]), doubtful, "stops in the padding");
    assert_eq!(look(&[one.unfinished(), &[0; 512]].concat()), expected, "half an end");
    let junk = [one.tar(), Layer::new().file("hidden", "2").tar(), b"junk".to_vec()].concat();
    assert_eq!(look(&junk), expected, "what follows the end is not unpacked");
    for compression in [Compression::Gzip, Compression::Zstd] {
        let tar = one.tar();
        let (first, second) = tar.split_at(700);
        let parts = [compression.pack(first), compression.pack(second)].concat();
        assert_eq!(look(&parts), expected, "{compression:?} in two parts");
    }
    let skippable =
        [&[0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3], Compression::Zstd.pack(&one.tar()).as_slice()]
            .concat();
    assert_eq!(look(&skippable), expected, "a skippable frame first");
    assert_eq!(look(&[]), Ok(vec!["!in memory".to_owned()]), "nothing");
    assert_eq!(look(&Compression::Gzip.pack(&[0; 1024])), Ok(vec![]), "an end, compressed");
}

#[test]
fn broken_archives_are_refused_by_name_and_place() {
    let ok = || Layer::new().file("first", "1");
    let entry = |size: &[u8; 12]| ok().entry(&Entry { size: Some(*size), ..Entry::file("bad", b"") }).tar();
    let mut sum = ok().tar();
    sum[3] ^= 1;
    let noise = [0x42; 2048].to_vec();
    let sparse = |records: &[(&str, &str)]| ok().pax(records).file("s", "12345").tar();
    let rows: [(&str, Vec<u8>, &str); 16] = [
        ("wrong sum", sum, "checksum is wrong"),
        ("no archive", noise, "byte 512: the header's checksum is wrong"),
        (
            "negative size",
            entry(b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            "size is negative (-1)",
        ),
        ("size of letters", entry(b"xyzxyzxyzxyz"), "size is not a number"),
        (
            "beyond all numbers",
            entry(b"\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"),
            "size is not a number",
        ),
        ("larger than the archive", entry(b"77777777777\0"), "ends in the middle"),
        ("cut header", ok().tar()[..700].to_vec(), ""),
        ("lone zero block", [ok().unfinished(), &[0; 512], ok().unfinished()].concat(), "lone zero block"),
        ("negative pax size", ok().pax(&[("size", "-5")]).file("x", "").tar(), "`-5` is not a number"),
        ("zero in a name", ok().pax(&[("path", "a\0b")]).file("x", "").tar(), "zero byte"),
        (
            "records of nothing",
            ok().entry(&Entry { kind: b'x', ..Entry::file("p", b"99 path=x\n") }).tar(),
            "no list of records",
        ),
        ("whiteout of nothing", ok().file("d/.wh.", "").tar(), "layer in memory, entry d//.wh.: a whiteout"),
        (
            "sparse without size",
            sparse(&[("GNU.sparse.major", "0"), ("GNU.sparse.minor", "1"), ("GNU.sparse.map", "0,5")]),
            "without its size",
        ),
        (
            "overlapping pieces",
            sparse(&[("GNU.sparse.size", "9"), ("GNU.sparse.map", "0,4,2,1")]),
            "pieces overlap",
        ),
        (
            "pieces beyond the file",
            sparse(&[("GNU.sparse.size", "9"), ("GNU.sparse.map", "5,5")]),
            "does not fit",
        ),
        (
            "pieces beyond all numbers",
            sparse(&[
                ("GNU.sparse.size", "9"),
                ("GNU.sparse.map", "9223372036854775807,9223372036854775807,0,0"),
            ]),
            "sparse map",
        ),
    ];
    for (name, archive, words) in rows {
        match look(&archive) {
            Ok(view) => assert_eq!(words, "", "{name} was accepted: {view:?}"),
            Err(error) => assert!(
                !words.is_empty() && error.contains(words) && error.starts_with("layer in memory"),
                "{name}: {error}"
            ),
        }
    }
}

#[test]
fn sparse_files_get_their_holes_back() {
    let map =
        |records: &[(&str, &str)], stored: &str| look(&Layer::new().pax(records).file("s", stored).tar());
    let expected = Ok(vec!["s=\0\0ab\0\0\0c\0@0".to_owned()]);
    assert_eq!(map(&[("GNU.sparse.size", "9"), ("GNU.sparse.map", "2,2,7,1")], "abc"), expected, "0.1");
    let pairs = [
        ("GNU.sparse.size", "9"),
        ("GNU.sparse.numblocks", "2"),
        ("GNU.sparse.offset", "2"),
        ("GNU.sparse.numbytes", "2"),
        ("GNU.sparse.offset", "7"),
        ("GNU.sparse.numbytes", "1"),
    ];
    assert_eq!(map(&pairs, "abc"), expected, "0.0");
    let one = [
        ("GNU.sparse.major", "1"),
        ("GNU.sparse.minor", "0"),
        ("GNU.sparse.name", "s"),
        ("GNU.sparse.realsize", "9"),
    ];
    let mut content = b"2\n2\n2\n7\n1\n".to_vec();
    content.resize(512, 0);
    content.extend_from_slice(b"abc");
    assert_eq!(look(&Layer::new().pax(&one).file("GNUSparseFile.0/s", &content).tar()), expected, "1.0");
    // A file of eight exbibytes takes no room, neither here nor there.
    let vast = Layer::new()
        .pax(&[("GNU.sparse.size", "9223372036854775807"), ("GNU.sparse.map", "0,1")])
        .file("s", "x");
    assert_eq!(look(&vast.tar()), Ok(vec!["!s".to_owned()]));
}

#[test]
fn what_gnu_tar_writes() {
    let Some(tar) = peer("tar") else { return };
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let deep = "long-directory-name/".repeat(8);
    fs::create_dir_all(root.join(&deep)).unwrap();
    fs::write(root.join(&deep).join("file"), "deep").unwrap();
    fs::write(root.join("plain"), "text").unwrap();
    fs::hard_link(root.join("plain"), root.join("twin")).unwrap();
    std::os::unix::fs::symlink("plain", root.join("link")).unwrap();
    // Real holes: forty pieces need extension blocks in the old format.
    let sparse = fs::File::create(root.join("sparse")).unwrap();
    for piece in 0..40u64 {
        std::os::unix::fs::FileExt::write_at(&sparse, b"data", piece * (128 << 10)).unwrap();
    }
    sparse.set_len(6 << 20).unwrap();
    let content = fs::read(root.join("sparse")).unwrap();
    let formats: [&[&str]; 6] = [
        &["--format=ustar"],
        &["--format=gnu"],
        &["--format=gnu", "--sparse"],
        &["--format=pax", "--sparse", "--sparse-version=0.0"],
        &["--format=pax", "--sparse", "--sparse-version=0.1"],
        &["--format=pax", "--sparse", "--sparse-version=1.0"],
    ];
    for format in formats {
        let archive =
            Command::new(&tar).args(format).args(["-C"]).arg(&root).args(["-cf", "-", "."]).output().unwrap();
        assert!(archive.status.success(), "{format:?}");
        if format.contains(&"--sparse") && archive.stdout.len() > 3 << 20 {
            eprintln!("skipped: this file system keeps no holes");
        }
        let tree = layer(&archive.stdout, &All, &Options::default()).unwrap();
        assert_eq!(tree.content("sparse"), Some(content.as_slice()), "{format:?}");
        assert_eq!(tree.content(&format!("{deep}file")), Some(&b"deep"[..]), "{format:?}");
        assert_eq!(
            (tree.content("plain"), tree.content("twin"), tree.content("link")),
            (Some(&b"text"[..]), Some(&b"text"[..]), Some(&b"text"[..]))
        );
        assert_eq!((tree.files.len(), tree.links.len(), tree.gaps.len()), (4, 1, 0), "{format:?}");
    }
}
