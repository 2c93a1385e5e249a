//! Layers with a table of contents, read by it: the same as read whole, for fewer bytes, or whole where that is wiser.

use std::{io::Read as _, sync::atomic::Ordering};

use boltseal_image::{Error, Options, open};
use boltseal_model::{FileMeta, GapKind, Selector, Text, Want};
use boltseal_testkit::image::{Compression, Image, Layer, Seekable, estargz, zstd_chunked};
use serde_json::{Value, json};

use crate::{
    registry::{Manner, serve},
    tree::view,
};

/// How a table lies.
type Lie = (&'static str, &'static dyn Fn(&mut Value));

type Writer = fn(&Layer, usize, &dyn Fn(&mut Value)) -> Seekable;

const WRITERS: [(&str, Writer); 2] = [("eStargz", estargz), ("zstd:chunked", zstd_chunked)];

/// Wants what lies below `db`, and executables in `bin`.
struct Few {
    inspects: bool,
}

impl Selector for Few {
    fn want(&self, path: &str, meta: &FileMeta) -> Want {
        match path.split('/').next() {
            Some("db") => Want::Whole,
            Some("bin") if meta.mode & 0o111 != 0 => Want::Distilled,
            Some("sum") => Want::Hashed,
            _ => Want::Skip,
        }
    }
    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(Some(format!("{path}: {} bytes", bytes.len()).into_bytes()))
    }
    fn inspects(&self, _: &str, _: &FileMeta) -> bool {
        self.inspects
    }
    fn inspect(&self, _: &str, _: Text<'_>) -> Option<Vec<u8>> {
        None
    }
}

const FEW: Few = Few { inspects: false };

/// Bytes that do not become fewer.
fn noise(length: u32) -> Vec<u8> {
    let mix =
        |n: u32| (n ^ (n >> 15)).wrapping_mul(2_246_822_519).rotate_left(13).wrapping_mul(3_266_489_917);
    (0..length / 4).flat_map(|n| mix(n.wrapping_mul(2_654_435_761)).to_le_bytes()).collect()
}

fn base() -> Layer {
    let long = "db/".to_owned() + &"deep/".repeat(30) + "status";
    Layer::new()
        .dir("db")
        .file("db/status", "one\ntwo\n".repeat(5000))
        .file("share/film", noise(900_000))
        .file("db/empty", "")
        .executable("bin/tool", [b"\x7fELF".as_slice(), &noise(50_000)].concat())
        .executable("bin/script", "#!/bin/sh\n".repeat(900))
        .symlink("lib", "db")
        .file(&long, "a long way")
        .file("share/other", noise(600_000))
        .file("sum/me", noise(40_000))
        .file("share/pending", "kept under another name")
        .hard_link("db/linked", "share/pending")
        .hard_link("db/same", "db/status")
}

fn top() -> Layer {
    Layer::new()
        .whiteout("db/empty")
        .file("lib/behind", "a link")
        .file("share/film2", noise(300_000))
        .opaque("db/deep")
}

struct Looked {
    /// Of the tree, without gaps.
    view: Vec<String>,
    gaps: Vec<(GapKind, String)>,
    sent: u64,
}

fn look(image: &Image, selector: &dyn Selector, lazy: bool, no_ranges: bool) -> Result<Looked, Error> {
    let mut manner = Manner::default();
    manner.no_ranges = no_ranges;
    let sent = manner.sent.clone();
    let (address, _) = serve(&image.build(), manner);
    let mut options = Options::default();
    options.lazy = lazy;
    let opened = open(&format!("docker://{address}/team/app:v1"), selector, &options)?;
    let mut tree = opened.tree;
    let gaps = std::mem::take(&mut tree.gaps).into_iter().map(|gap| (gap.kind, gap.subject)).collect();
    assert_eq!(tree.layers.len(), image.build().layers().len());
    assert!(
        tree.layers.iter().zip(image.build().layers()).all(|(layer, digest)| layer.digest == Some(digest))
    );
    Ok(Looked { view: view(&tree), gaps, sent: sent.load(Ordering::SeqCst) })
}

fn image(writer: Writer, piece: usize) -> Image {
    Image::new().seekable(writer(&base(), piece, &|_| {})).seekable(writer(&top(), piece, &|_| {}))
}

#[test]
fn by_the_table_or_whole_it_is_the_same_tree() {
    for (name, writer) in WRITERS {
        for piece in [1 << 22, 10_000, 4096] {
            let image = image(writer, piece);
            let whole = look(&image, &FEW, false, false).unwrap();
            let lazy = look(&image, &FEW, true, false).unwrap();
            assert_eq!(lazy.view, whole.view, "{name} {piece}");
            assert!(
                whole.gaps.is_empty() && whole.view.iter().any(|line| line.starts_with("db/linked=kept"))
            );
            let layers = image.build().layers();
            let expected: Vec<_> =
                layers.iter().map(|layer| (GapKind::LayerNotVerified, layer.to_string())).collect();
            assert_eq!(lazy.gaps, expected, "{name} {piece}");
            println!("{name}, pieces of {piece}: {} of {} bytes fetched", lazy.sent, whole.sent);
            assert!(lazy.sent * 4 < whole.sent, "{name} {piece}: {} of {} bytes", lazy.sent, whole.sent);
        }
    }
}

#[test]
fn read_whole_where_that_is_wiser() {
    /// Wants everything.
    struct Greedy;
    impl Selector for Greedy {
        fn want(&self, path: &str, _: &FileMeta) -> Want {
            if path == "stargz.index.json" { Want::Skip } else { Want::Whole }
        }
        fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
            Ok(None)
        }
    }
    for (name, writer) in WRITERS {
        let image = image(writer, 10_000);
        let cases: [(&str, &dyn Selector, bool); 3] = [
            ("the registry sends no parts", &FEW, true),
            ("texts are inspected", &Few { inspects: true }, false),
            ("everything is wanted", &Greedy, false),
        ];
        for (what, selector, no_ranges) in cases {
            let whole = look(&image, selector, false, false).unwrap();
            let lazy = look(&image, selector, true, no_ranges).unwrap();
            assert_eq!((&lazy.view, &lazy.gaps), (&whole.view, &whole.gaps), "{name}: {what}");
            assert!(lazy.sent >= whole.sent, "{name}: {what}");
        }
    }
}

/// Bends the first entry called `name`.
fn bend(table: &mut Value, name: &str, key: &str, value: Value) {
    let entries = table["entries"].as_array_mut().unwrap();
    let entry = entries.iter_mut().find(|entry| entry["name"] == name).unwrap();
    entry[key] = value;
}

#[test]
fn tables_that_lie_are_not_used() {
    let changes: [Lie; 16] = [
        ("another version", &|table| table["version"] = json!(2)),
        ("no entries", &|table| table["entries"] = json!(null)),
        ("a piece beyond the blob", &|table| bend(table, "db/status", "offset", json!(1u64 << 40))),
        ("pieces over each other", &|table| {
            let place = table["entries"][1]["offset"].clone();
            bend(table, "share/film", "offset", place);
        }),
        ("a piece at the start", &|table| bend(table, "share/other", "offset", json!(0))),
        ("larger than its pieces", &|table| bend(table, "db/status", "size", json!(u64::MAX))),
        ("smaller than its pieces", &|table| bend(table, "db/status", "size", json!(10))),
        ("less than nothing", &|table| bend(table, "db/status", "size", json!(-5))),
        ("no digest", &|table| {
            bend(table, "db/status", "chunkDigest", json!(""));
            bend(table, "db/status", "digest", json!(""));
        }),
        ("an unheard-of digest", &|table| {
            bend(table, "db/status", "chunkDigest", json!("md5:00"));
            bend(table, "db/status", "digest", json!("md5:00"));
        }),
        ("an unheard-of type", &|table| bend(table, "db/status", "type", json!("socket"))),
        ("a piece of nothing", &|table| bend(table, "db/status", "type", json!("chunk"))),
        ("a path no system takes", &|table| bend(table, "db/status", "name", json!("a/".repeat(9000)))),
        ("a path with a zero", &|table| bend(table, "db/status", "name", json!("a\u{0}b"))),
        ("inside of another", &|table| bend(table, "db/status", "innerOffset", json!(7))),
        ("pieces in disorder", &|table| {
            let entries = table["entries"].as_array_mut().unwrap();
            entries.reverse();
        }),
    ];
    for (name, writer) in WRITERS {
        for (what, change) in changes {
            let image = Image::new().seekable(writer(&base(), 10_000, change));
            let whole = look(&image, &FEW, false, false).unwrap();
            let lazy = look(&image, &FEW, true, false).unwrap();
            assert_eq!((&lazy.view, lazy.gaps.len()), (&whole.view, 0), "{name}: {what}");
        }
        // Another table than the manifest promises.
        let mut layer = writer(&base(), 10_000, &|_| {});
        let other = writer(&top(), 10_000, &|_| {});
        for (key, value) in other.annotations.as_object().unwrap() {
            if key.contains("digest") || key.contains("checksum") {
                layer.annotations[key] = value.clone();
            }
        }
        let lazy = look(&Image::new().seekable(layer), &FEW, true, false).unwrap();
        assert!(lazy.gaps.is_empty(), "{name}: {:?}", lazy.gaps);
    }
}

#[test]
fn a_table_that_hides_a_file_hides_it_and_the_tree_says_what_it_is_worth() {
    for (name, writer) in WRITERS {
        let hide = |table: &mut Value| {
            let entries = table["entries"].as_array_mut().unwrap();
            entries.retain(|entry| entry["name"] != "db/status" && entry["name"] != "db/same");
        };
        let image = Image::new().seekable(writer(&base(), 1 << 22, &hide));
        let shows = |looked: &Looked| looked.view.iter().any(|line| line.starts_with("db/status="));
        let (whole, lazy) =
            (look(&image, &FEW, false, false).unwrap(), look(&image, &FEW, true, false).unwrap());
        assert!(shows(&whole) && !shows(&lazy), "{name}");
        assert!(matches!(lazy.gaps.as_slice(), [(GapKind::LayerNotVerified, _)]), "{name}: {:?}", lazy.gaps);
    }
}

#[test]
fn pieces_that_are_not_what_the_table_says_are_refused() {
    for (name, writer) in WRITERS {
        for (path, other) in [("db/status", "elsewhere"), ("bin/script", "#!/bin/zsh"), ("sum/me", "")] {
            let digest = boltseal_model::Digest::of(other.as_bytes());
            let change = |table: &mut Value| {
                bend(table, path, "chunkDigest", json!(digest));
                bend(table, path, "digest", json!(digest));
            };
            let image = Image::new().seekable(writer(&base(), 1 << 22, &change));
            let error = look(&image, &FEW, true, false).map(|looked| looked.view).unwrap_err();
            assert!(matches!(error, Error::Digest { .. }), "{name} {path}: {error}");
        }
    }
}

/// Written by the tools that define the formats.
#[test]
fn what_others_write_is_read() {
    /// Wants what names packages.
    struct Packages;
    impl Selector for Packages {
        fn want(&self, path: &str, meta: &FileMeta) -> Want {
            match path {
                "etc/os-release" | "var/lib/dpkg/status" => Want::Whole,
                "usr/share/again" => Want::Hashed,
                _ if meta.mode & 0o111 != 0 => Want::Distilled,
                _ => Want::Skip,
            }
        }
        fn distill(&self, _: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
            Ok(Some(bytes.to_vec()))
        }
    }
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/data");
    for (name, compression) in [("estargz", Compression::Gzip), ("zstd-chunked", Compression::Zstd)] {
        let blob = std::fs::read(folder.join(format!("{name}.blob"))).unwrap();
        let annotations = std::fs::read(folder.join(format!("{name}.json"))).unwrap();
        let annotations = serde_json::from_slice(&annotations).unwrap();
        let mut tar = Vec::new();
        match compression {
            Compression::Zstd => zstd::stream::copy_decode(blob.as_slice(), &mut tar).unwrap(),
            _ => drop(flate2::read::MultiGzDecoder::new(blob.as_slice()).read_to_end(&mut tar).unwrap()),
        }
        let image = Image::new().seekable(Seekable { tar, blob, compression, annotations });
        let whole = look(&image, &Packages, false, false).unwrap();
        let lazy = look(&image, &Packages, true, false).unwrap();
        assert_eq!(lazy.view, whole.view, "{name}");
        let expected = ["bin->usr/bin", "etc/os-release=ID=debian\nVERSION_ID=12\n@0"];
        assert_eq!(lazy.view.get(..2).unwrap(), expected, "{name}");
        assert_eq!(lazy.view.len(), 5, "{name}: {:?}", lazy.view);
        assert!(matches!(lazy.gaps.as_slice(), [(GapKind::LayerNotVerified, _)]), "{name}: {:?}", lazy.gaps);
        println!("{name}: {} of {} bytes fetched", lazy.sent, whole.sent);
        assert!(lazy.sent < whole.sent, "{name}: {} of {} bytes", lazy.sent, whole.sent);
    }
}
