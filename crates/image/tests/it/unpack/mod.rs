//! Layers unpacked into folders: what is written.

mod attacks;
mod killed;
mod scanned;
mod store;

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
};

use boltseal_image::{Error, Layers, Options, Unpacked};
use boltseal_model::Digest;
use boltseal_testkit::{
    image::{Compression, Entry, Image, Layer},
    skip,
};

/// A folder with a store in it, and beside it something that must not be touched.
struct Place {
    folder: tempfile::TempDir,
    layers: Layers,
}

impl Place {
    /// Nothing where tests do not run as root.
    fn new() -> Option<Self> {
        if !boltseal_sys::is_root() {
            skip("only root unpacks layers");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("outside")).unwrap();
        fs::write(folder.path().join("outside/canary"), "alive").unwrap();
        let layers = Layers::open(&folder.path().join("layers")).unwrap();
        Some(Self { folder, layers })
    }

    fn outside(&self) -> PathBuf {
        self.folder.path().join("outside")
    }

    fn unpack(&self, image: &Image) -> Result<Vec<Unpacked>, Error> {
        let at = tempfile::tempdir().unwrap();
        image.build().write_oci(at.path(), None);
        let target = format!("oci:{}", at.path().display());
        Ok(self.layers.unpack(&target, &Options::default())?.1)
    }

    /// Of one layer: what is in its folder afterwards, or why it was refused.
    fn one(&self, layer: Layer) -> String {
        match self.unpack(&Image::new().layer(layer)) {
            Ok(unpacked) => listed(&unpacked[0].path),
            Err(error) => {
                assert_eq!(names(&self.folder.path().join("layers/unfinished")), Vec::<String>::new());
                format!("refused: {error}")
            }
        }
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn attribute(path: &Path, name: &str) -> Option<Vec<u8>> {
    let mut value = vec![0; 100];
    let length = rustix::fs::lgetxattr(path, name, &mut value[..]).ok()?;
    value.truncate(length);
    Some(value)
}

/// Everything below `root`, one line each.
fn listed(root: &Path) -> String {
    let mut lines = String::new();
    let mut todo = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        let meta = fs::symlink_metadata(&path).unwrap();
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let kind = meta.file_type();
        let what = if kind.is_symlink() {
            format!("-> {}", fs::read_link(&path).unwrap().display())
        } else if kind.is_dir() {
            let mut inside: Vec<PathBuf> = names(&path).into_iter().map(|name| path.join(name)).collect();
            inside.reverse();
            todo.extend(inside);
            let hides = attribute(&path, "trusted.overlay.opaque").is_some();
            format!("folder{}", if hides { " hides" } else { "" })
        } else if kind.is_char_device() && meta.rdev() == 0 {
            "whiteout".to_owned()
        } else if kind.is_file() {
            format!("= {}", fs::read_to_string(&path).unwrap())
        } else {
            format!("{kind:?}")
        };
        if path != root {
            writeln!(lines, "{name} {what}").unwrap();
        } else if what != "folder" {
            writeln!(lines, "/ {what}").unwrap();
        }
    }
    lines
}

/// A layer says what it hides in files of overlayfs.
#[test]
fn whiteouts_become_those_of_overlayfs() {
    let Some(place) = Place::new() else { return };
    let new = Layer::new;
    for (layer, wanted) in [
        (new().whiteout("a/b"), "a folder\na/b whiteout\n"),
        (new().opaque("a"), "a folder hides\n"),
        (new().opaque("a").file("a/b", "x"), "a folder hides\na/b = x\n"),
        (new().file("a/b", "x").whiteout("a/b"), "a folder\na/b = x\n"),
        (new().whiteout("a/b").file("a/b", "x"), "a folder\na/b = x\n"),
        (new().file("a/b", "x").whiteout("a"), "a folder hides\na/b = x\n"),
        (new().whiteout("a").file("a/b", "x"), "a folder hides\na/b = x\n"),
        (new().whiteout("a").dir("a").file("a/b", "x"), "a folder hides\na/b = x\n"),
        (new().file(".wh..wh.aufs", "").file("a", "x"), "a = x\n"),
        (new().file(".wh..wh..opq", "").file("a", "x"), "/ folder hides\na = x\n"),
    ] {
        assert_eq!(place.one(layer), wanted);
    }
    let unpacked = place.unpack(&Image::new().layer(new().file(".wh..wh..opq", "").file("a", "x"))).unwrap();
    assert!(unpacked[0].index.hides_all && !unpacked[0].is_new);
}

#[test]
fn files_are_what_the_archive_says() {
    let Some(place) = Place::new() else { return };
    let capability = "\u{1}\0\0\u{2}\0\u{20}\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let layer = Layer::new()
        .entry(&Entry { mode: 0o2775, owner: (1, 50), ..Entry::bare("var/mail", b'5', "") })
        .pax(&[("mtime", "1500000000.25")])
        .entry(&Entry { mode: 0o640, owner: (1000, 70_000), ..Entry::file("var/mail/inbox", b"text") })
        .pax(&[("SCHILY.xattr.security.capability", capability), ("SCHILY.xattr.user.x", "y")])
        .entry(&Entry { mode: 0o4755, ..Entry::file("bin/su", b"#!/bin/sh") })
        .symlink("link", "nowhere")
        .entry(&Entry { mode: 0o4755, ..Entry::bare("bin/same", b'1', "bin/su") })
        // Links say owner and mode of what they are another name of, and make it executable.
        .file("data", "#!/bin/data")
        .entry(&Entry { mode: 0o755, owner: (7, 8), ..Entry::bare("bin/data", b'1', "data") })
        .file("lib/libc.so", "\u{7f}ELF library")
        .file("short", "\u{7f}E")
        .file("empty", "");
    let unpacked = place.unpack(&Image::new().layer(layer)).unwrap();
    let root = &unpacked[0].path;
    let of = |path: &str| {
        let meta = fs::symlink_metadata(root.join(path)).unwrap();
        (meta.mode() & 0o7777, meta.uid(), meta.gid())
    };
    assert_eq!(of("var/mail"), (0o2775, 1, 50));
    assert_eq!(of("var/mail/inbox"), (0o640, 1000, 70_000));
    assert_eq!(of("bin/su"), (0o4755, 0, 0));
    assert_eq!(of("data"), (0o755, 7, 8));
    let inbox = fs::metadata(root.join("var/mail/inbox")).unwrap();
    assert_eq!((inbox.mtime(), inbox.mtime_nsec()), (1_500_000_000, 250_000_000));
    assert_eq!(attribute(&root.join("bin/su"), "security.capability").unwrap(), capability.as_bytes());
    assert_eq!(attribute(&root.join("bin/su"), "user.x"), None);
    let index = &unpacked[0].index;
    assert_eq!(index.implied, ["", "bin", "lib", "var"]);
    let found: BTreeMap<&str, _> = index.executables.iter().map(|one| (one.path.as_str(), one)).collect();
    assert_eq!(
        found.keys().copied().collect::<Vec<_>>(),
        ["bin/data", "bin/same", "bin/su", "data", "lib/libc.so"]
    );
    for (path, content) in [
        ("data", "#!/bin/data"),
        ("bin/data", "#!/bin/data"),
        ("bin/same", "#!/bin/sh"),
        ("bin/su", "#!/bin/sh"),
        ("lib/libc.so", "\u{7f}ELF library"),
    ] {
        let meta = fs::metadata(root.join(path)).unwrap();
        let one = found[path];
        assert_eq!(one.sha256, Digest::of(content.as_bytes()), "{path}");
        assert_eq!((one.inode, one.size), (meta.ino(), content.len() as u64), "{path}");
        assert_eq!((one.changed.0, i64::from(one.changed.1)), (meta.ctime(), meta.ctime_nsec()), "{path}");
    }
    let mode = fs::metadata(place.folder.path().join("layers")).unwrap().mode();
    assert_eq!(mode & 0o777, 0o700, "setuid files of images are nobody's on this machine");
}

/// In every form of storage, and of contents that come in pieces.
#[test]
fn contents_and_their_hashes() {
    let Some(place) = Place::new() else { return };
    let noise: Vec<u8> = (0..700_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    for (at, compression) in
        [Compression::Plain, Compression::Gzip, Compression::Zstd].into_iter().enumerate()
    {
        let layer =
            Layer::new().file("first", at.to_string()).executable("noise", &noise).executable("none", "");
        let unpacked = place.unpack(&Image::new().layer_as(layer, compression)).unwrap();
        assert!(fs::read(unpacked[0].path.join("noise")).unwrap() == noise);
        let sums: Vec<Digest> = unpacked[0].index.executables.iter().map(|one| one.sha256.clone()).collect();
        assert_eq!(sums, [Digest::of(&noise), Digest::of(b"")]);
    }
}

/// Holes stay holes, and are limited all the same.
#[test]
fn files_with_holes() {
    let Some(place) = Place::new() else { return };
    let sparse = |size: &str, mode: u32| {
        let records = [
            ("GNU.sparse.major", "0"),
            ("GNU.sparse.minor", "1"),
            ("GNU.sparse.size", size),
            ("GNU.sparse.map", "1048576,4"),
        ];
        Layer::new().pax(&records).entry(&Entry { mode, ..Entry::file("a", b"data") })
    };
    let unpacked = place.unpack(&Image::new().layer(sparse("2097152", 0o755))).unwrap();
    let path = unpacked[0].path.join("a");
    let mut wanted = vec![0; 2 << 20];
    wanted[1 << 20..][..4].copy_from_slice(b"data");
    assert!(fs::read(&path).unwrap() == wanted);
    assert!(fs::metadata(&path).unwrap().blocks() < 2048, "holes are not stored");
    assert_eq!(unpacked[0].index.executables[0].sha256, Digest::of(&wanted));
    for (size, mode, why) in [
        ("9000000000000000000", 0o644, "bytes of files in a layer"),
        ("2000000000", 0o755, "bytes of an executable with holes"),
    ] {
        let error = place.one(sparse(size, mode));
        assert!(error.contains(why), "{error}");
    }
}
