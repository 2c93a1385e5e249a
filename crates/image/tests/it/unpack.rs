//! Layers unpacked into folders: what is written, what hostile archives try, and what a killed process leaves.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs,
    io::{self, BufRead as _, BufReader, Read, Write as _},
    os::unix::fs::{FileTypeExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use boltseal_image::{Blobs, Error, Layers, Options, Unpacked};
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

/// Each tries to reach a file beside the store, or to make something that would do harm later.
#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn archives_cannot_get_out() {
    let Some(place) = Place::new() else { return };
    let outside = place.outside().display().to_string();
    let inside = outside.trim_start_matches('/').to_owned();
    let up = "../".repeat(40);
    let new = Layer::new;
    let deep = |file: &str| {
        let mut lines = String::new();
        let mut path = String::new();
        for part in inside.split('/') {
            path = if path.is_empty() { part.to_owned() } else { format!("{path}/{part}") };
            writeln!(lines, "{path} folder").unwrap();
        }
        format!("{lines}{inside}/{file} = x\n")
    };
    let table = [
        ("an absolute name", new().file(&format!("{outside}/a"), "x"), deep("a")),
        ("a name that goes up", new().file(&format!("{up}{inside}/a"), "x"), deep("a")),
        ("a name that goes up in its middle", new().file(&format!("b/{up}{inside}/a"), "x"), deep("a")),
        (
            "a file through a link to a folder outside",
            new().symlink("link", &outside).file("link/a", "x"),
            format!("link -> {outside}\n{}", deep("a")),
        ),
        (
            "a file through a link that goes up",
            new().symlink("link", &format!("{up}{inside}")).file("link/a", "x"),
            format!("link -> {up}{inside}\n{}", deep("a")),
        ),
        (
            "a file through a link through a link",
            new().symlink("one", "/").symlink("two", &format!("one{outside}")).file("two/a", "x"),
            format!("one -> /\n{}two -> one{outside}\n", deep("a")),
        ),
        (
            "a file over a link to a file outside",
            new().symlink("a", &format!("{outside}/canary")).file("a", "x"),
            "a = x\n".into(),
        ),
        (
            "a folder over a link, and a file in it",
            new().symlink("a", &outside).dir("a").file("a/canary", "x"),
            "a folder hides\na/canary = x\n".into(),
        ),
        (
            "a link over a folder, and a file through it",
            new().dir("a").file("a/b", "y").symlink("a", &outside).file("a/canary", "x"),
            format!("a -> {outside}\n{}", deep("canary")),
        ),
        (
            "a hard link to a file outside",
            new().hard_link("a", &format!("{outside}/canary")),
            "refused: a hard link to".into(),
        ),
        (
            "a hard link that goes up to a file outside",
            new().hard_link("a", &format!("{up}{inside}/canary")),
            "refused: a hard link to".into(),
        ),
        (
            "a hard link through a link to a folder outside",
            new().symlink("link", &outside).hard_link("a", "link/canary"),
            "refused: a hard link to".into(),
        ),
        (
            "a hard link to a link outside, and a file over it",
            new().symlink("link", &format!("{outside}/canary")).hard_link("a", "link").file("a", "x"),
            format!("a = x\nlink -> {outside}/canary\n"),
        ),
        ("a hard link to a folder", new().dir("d").hard_link("a", "d"), "refused: a hard link to d, which is no file".into()),
        (
            "a hard link to a whiteout",
            new().whiteout("w").hard_link("a", "w"),
            "refused: a hard link to w, which is no file".into(),
        ),
        ("a hard link to the root", new().hard_link("a", "/"), "refused: a hard link to".into()),
        ("a hard link to itself", new().file("a", "x").hard_link("a", "a"), "a = x\n".into()),
        (
            "a whiteout through a link to a folder outside",
            new().symlink("link", &outside).whiteout("link/canary"),
            format!("link -> {outside}\n{}", deep("canary").replace("= x", "whiteout")),
        ),
        ("a whiteout of the folder above", new().file(".wh...", ""), "refused: a whiteout that hides nothing".into()),
        (
            "an opaque folder through a link",
            new().symlink("link", &outside).opaque("link"),
            format!("link -> {outside}\n{}", deep("a").replace(&format!("{inside}/a = x\n"), "").replace("outside folder", "outside folder hides")),
        ),
        (
            "links in a circle",
            new().symlink("a", "b").symlink("b", "a").file("a/c", "x").file("d", "x"),
            "a -> b\nb -> a\nd = x\n".into(),
        ),
        (
            "magic links of /proc",
            new().symlink("a", "/proc/self/root").file("a/b", "x"),
            "a -> /proc/self/root\nproc folder\nproc/self folder\nproc/self/root folder\nproc/self/root/b = x\n".into(),
        ),
        (
            "a disk of the machine",
            new().entry(&Entry::bare("disk", b'4', "")).entry(&Entry::bare("memory", b'3', "")),
            "disk whiteout\nmemory whiteout\n".into(),
        ),
        ("a pipe", new().entry(&Entry::bare("pipe", b'6', "")), "pipe whiteout\n".into()),
        (
            "attributes that have overlayfs look elsewhere",
            new()
                .pax(&[("SCHILY.xattr.trusted.overlay.redirect", "/etc"), ("SCHILY.xattr.trusted.overlay.opaque", "y")])
                .dir("a"),
            "a folder\n".into(),
        ),
        ("a name longer than a file system takes", new().file(&"n".repeat(256), "x"), "refused: File name too long".into()),
        ("a path longer than Linux takes", new().file(&"n/".repeat(2100), "x"), "refused: more than".into()),
        ("too many folders in each other", new().file(&"n/".repeat(600), "x"), "refused: more than 512 names".into()),
        (
            "a name with a zero byte",
            new().pax(&[("path", "a\0b")]).file("a", "x"),
            "refused: an extended header with a zero byte in a name".into(),
        ),
        (
            "a file where a folder was",
            new().file("a/b/c", "x").file("a", "y"),
            "a = y\n".into(),
        ),
        (
            "a folder where a file was",
            new().file("a", "y").file("a/b/c", "x"),
            "a folder hides\na/b folder\na/b/c = x\n".into(),
        ),
    ];
    for (attack, layer, wanted) in table {
        let found = place.one(layer);
        if let Some(why) = wanted.strip_prefix("refused: ") {
            assert!(found.starts_with("refused: ") && found.contains(why), "{attack}: {found}");
        } else {
            assert_eq!(found, wanted, "{attack}");
        }
        assert_eq!(fs::read_to_string(place.outside().join("canary")).unwrap(), "alive", "{attack}");
        assert_eq!(names(&place.outside()), ["canary"], "{attack}");
    }
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
        .hard_link("bin/same", "bin/su")
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
    let inbox = fs::metadata(root.join("var/mail/inbox")).unwrap();
    assert_eq!((inbox.mtime(), inbox.mtime_nsec()), (1_500_000_000, 250_000_000));
    assert_eq!(attribute(&root.join("bin/su"), "security.capability").unwrap(), capability.as_bytes());
    assert_eq!(attribute(&root.join("bin/su"), "user.x"), None);
    let index = &unpacked[0].index;
    assert_eq!(index.implied, ["", "bin", "lib", "var"]);
    let found: BTreeMap<&str, _> = index.executables.iter().map(|one| (one.path.as_str(), one)).collect();
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), ["bin/same", "bin/su", "lib/libc.so"]);
    for (path, content) in
        [("bin/same", "#!/bin/sh"), ("bin/su", "#!/bin/sh"), ("lib/libc.so", "\u{7f}ELF library")]
    {
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

/// Wherever people keep images, and archives that say nothing of themselves.
#[test]
fn each_layer_once() {
    let Some(place) = Place::new() else { return };
    let base = Layer::new().file("base", "x");
    let one = Image::new().layer(base.clone()).layer(Layer::new().file("one", "x"));
    let two = Image::new().layer(base.clone()).layer(Layer::new().file("two", "x")).layer(base.clone());
    let new = |unpacked: &[Unpacked]| unpacked.iter().map(|layer| layer.is_new).collect::<Vec<_>>();
    let first = place.unpack(&one).unwrap();
    assert_eq!(new(&first), [true, true]);
    let second = place.unpack(&two).unwrap();
    assert_eq!(new(&second), [false, true, false]);
    assert_eq!(first[0].path, second[2].path);
    let archive = place.folder.path().join("root.tar");
    fs::write(&archive, base.tar()).unwrap();
    let target = format!("rootfs:{}", archive.display());
    let (image, third) = place.layers.unpack(&target, &Options::default()).unwrap();
    assert_eq!((new(&third), &third[0].path), (vec![true], &first[0].path));
    assert_eq!(image.tree.layers[0].diff_id.as_ref(), Some(&first[0].diff_id));
    let target = format!("rootfs:{}", place.outside().display());
    let error = place.layers.unpack(&target, &Options::default()).unwrap_err().to_string();
    assert!(error.contains("is a folder: it has no layers to unpack"), "{error}");
}

#[test]
fn damage_leaves_nothing() {
    let Some(place) = Place::new() else { return };
    let image = Image::new().layer_as(Layer::new().file("a", "x".repeat(5000)), Compression::Plain);
    let mut built = image.build();
    let layer = built.layers()[0].clone();
    let bytes = built.blobs.get_mut(&layer).unwrap();
    bytes[700] ^= 1;
    let at = tempfile::tempdir().unwrap();
    built.write_oci(at.path(), None);
    let error =
        place.layers.unpack(&format!("oci:{}", at.path().display()), &Options::default()).unwrap_err();
    assert!(matches!(error, Error::Digest { .. }), "{error}");
    assert_eq!(place.layers.list().unwrap(), []);
    assert_eq!(names(&place.folder.path().join("layers/unfinished")), Vec::<String>::new());
}

#[test]
fn layers_go_when_nobody_wants_them() {
    let Some(place) = Place::new() else { return };
    let layer = |name: &str| Image::new().layer(Layer::new().file(name, "x"));
    let (one, two, three) = (place.unpack(&layer("1")), place.unpack(&layer("2")), place.unpack(&layer("3")));
    let (one, two, three) = (one.unwrap().remove(0), two.unwrap().remove(0), three.unwrap().remove(0));
    let id = |layer: &Unpacked| layer.diff_id.clone();
    let (first, second, third) = (id(&one), id(&two), id(&three));
    drop((two, three));
    assert_eq!(place.layers.in_use().unwrap(), std::slice::from_ref(&first));
    assert_eq!(place.layers.prune(std::slice::from_ref(&second)).unwrap(), std::slice::from_ref(&third));
    let mut left = [first.clone(), second.clone()];
    left.sort();
    assert_eq!(place.layers.list().unwrap(), left);
    assert!(place.layers.get(&third).unwrap().is_none() && place.layers.get(&second).unwrap().is_some());
    drop(one);
    place.layers.prune(&[]).unwrap();
    assert_eq!(place.layers.list().unwrap(), []);
    assert!(place.unpack(&layer("1")).unwrap()[0].is_new);
}

/// What a process leaves that was killed is removed; what another one works on is not.
#[test]
fn leftovers_are_removed() {
    let Some(place) = Place::new() else { return };
    let store = place.folder.path().join("layers");
    for name in ["sha256-dead", "sha256-alive"] {
        fs::create_dir_all(store.join("unfinished").join(name).join("root/etc")).unwrap();
        fs::write(store.join("locks").join(name), "").unwrap();
    }
    let alive = fs::File::open(store.join("locks/sha256-alive")).unwrap();
    rustix::fs::flock(&alive, rustix::fs::FlockOperation::LockExclusive).unwrap();
    Layers::open(&store).unwrap();
    assert_eq!(names(&store.join("unfinished")), ["sha256-alive"]);
    assert_eq!(names(&store.join("locks")), ["sha256-alive"]);
    drop(alive);
    Layers::open(&store).unwrap();
    assert_eq!(names(&store.join("unfinished")), Vec::<String>::new());
}

/// Several at once: one unpacks a layer, all get it, and nobody waits for those who hold it.
#[test]
fn several_at_once() {
    let Some(place) = Place::new() else { return };
    let image = Image::new().layer(Layer::new().file("a", "x")).layer(Layer::new().file("b", "y"));
    let made: Vec<Vec<Unpacked>> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| place.unpack(&image).unwrap())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let new = |at: usize| made.iter().filter(|unpacked| unpacked[at].is_new).count();
    assert_eq!((new(0), new(1)), (1, 1));
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

/// Tells the process that is to be killed where to unpack to.
const VICTIM: &str = "BOLTSEAL_TEST_UNPACK";

fn two_files() -> Image {
    Image::new().layer_as(Layer::new().file("a", "x").file("b", vec![b'y'; 3 << 20]), Compression::Plain)
}

/// Blobs of which the layer never ends.
struct Stuck(boltseal_testkit::image::Built);

impl Blobs for Stuck {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let bytes = self.0.blobs[digest].as_slice();
        let half = &bytes[..bytes.len() / 2];
        if self.0.layers().contains(digest) { Ok(Box::new(half.chain(Forever))) } else { Ok(Box::new(bytes)) }
    }
}

struct Forever;

impl Read for Forever {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        io::stdout().write_all(b"\nin the middle\n").unwrap();
        loop {
            std::thread::park();
        }
    }
}

/// Does nothing unless [`killed_in_the_middle`] asks for it.
#[test]
fn victim() {
    let Some(folder) = env::var_os(VICTIM) else { return };
    let built = two_files().build();
    let manifest = built.manifest.clone();
    let layers = Layers::open(Path::new(&folder)).unwrap();
    layers.unpack_from(&Stuck(built), &manifest, None, "stuck", &Options::default()).unwrap();
}

#[test]
fn killed_in_the_middle() {
    let Some(place) = Place::new() else { return };
    let store = place.folder.path().join("layers");
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "unpack::victim", "--nocapture"])
        .env(VICTIM, &store)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(said.map_while(Result::ok).any(|line| line == "in the middle"));
    Layers::open(&store).unwrap();
    assert_eq!(names(&store.join("unfinished")).len(), 1, "it is alive");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(place.layers.list().unwrap(), []);
    Layers::open(&store).unwrap();
    assert_eq!(names(&store.join("unfinished")), Vec::<String>::new());
    assert!(place.unpack(&two_files()).unwrap()[0].is_new);
}
