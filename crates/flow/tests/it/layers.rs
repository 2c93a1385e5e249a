//! Images that share layers: what is found is the same as if every image were read alone, and the base is read once.

use std::{
    io::{self, Read},
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use boltseal_flow::{Cache, Looking, Wanted, look::look, sbom};
use boltseal_image::{Blobs, Error, Extracts, Options};
use boltseal_model::{Catalog, Digest};
use boltseal_testkit::{
    image::{Built, Compression, Image, Layer},
    shared, unpacked,
};

/// An image that counts what is read of its layers.
struct Counted<'b>(&'b Built, AtomicU64);

impl Blobs for Counted<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let count = self.0.layers().contains(digest).then_some(&self.1);
        Ok(Box::new(Count(self.0.blobs.get(digest).unwrap(), count)))
    }
}

struct Count<'c>(&'c [u8], Option<&'c AtomicU64>);

impl Read for Count<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.0.read(out)?;
        if let Some(count) = self.1 {
            count.fetch_add(read as u64, Ordering::SeqCst);
        }
        Ok(read)
    }
}

/// The catalog, and how many bytes of layers were read for it.
fn read(built: &Built, cache: Option<&Cache>) -> (Catalog, u64) {
    let counted = Counted(built, AtomicU64::new(0));
    let mut options = Options::default();
    options.extracts = cache.map(|cache| cache as &dyn Extracts);
    let (_, catalog) = look(Looking::default(), |eyes| {
        boltseal_image::read(&counted, &built.manifest, None, "x", eyes, &options)
    })
    .unwrap();
    (catalog, counted.1.into_inner())
}

const RELEASE: &str = "ID=debian\nVERSION_ID=12\nPRETTY_NAME=Debian\n";
const KEY: &str = "api_key = 9f8d7c6b5a4e3d2c1b0a\n";

fn dpkg(packages: &[&str]) -> String {
    let one = |name: &&str| {
        format!("Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n")
    };
    packages.iter().map(one).collect()
}

fn base() -> Layer {
    let tool = [b"\x7fELF".as_slice(), &[7; 200]].concat();
    Layer::new()
        .symlink("bin", "usr/bin")
        .file("usr/lib/os-release", RELEASE)
        .symlink("etc/os-release", "../usr/lib/os-release")
        .file("var/lib/dpkg/status", dpkg(&["libc6", "tool"]))
        .file("var/lib/dpkg/info/tool.list", "/usr/bin/tool\n/usr/share/tool/key\n")
        .executable("usr/bin/tool", &tool)
        .executable("usr/bin/stray", [tool.as_slice(), b"other"].concat())
        .file("usr/share/tool/key", KEY)
        .file("etc/secret", KEY)
        .file("var/cache/apt/archives/x.deb", vec![1; 3 << 20])
}

fn setuid(layer: Layer, path: &str, content: &[u8]) -> Layer {
    use boltseal_testkit::image::Entry;
    layer.entry(&Entry { mode: 0o4755, ..Entry::file(path, content) })
}

fn tops() -> Vec<Layer> {
    let package = "{\"name\": \"left-pad\", \"version\": \"1.1.0\"}";
    vec![
        Layer::new().file("var/lib/dpkg/status", dpkg(&["libc6", "tool", "more"])).whiteout("etc/secret"),
        setuid(
            Layer::new().file("app/node_modules/left-pad/package.json", package),
            "bin/su",
            b"#!/bin/sh\n",
        ),
        Layer::new().opaque("app").file("app/.env", "DB_PASSWORD=qjzw7Rkx2b\n").file("etc/secret", "none"),
        Layer::new().file("usr", "a file in the place of everything"),
        Layer::new().file("bin", "no link any more").file("usr/bin/tool", KEY),
        Layer::new().hard_link("app/tool", "usr/bin/tool").hard_link("app/key", "usr/share/tool/key"),
    ]
}

#[test]
fn a_catalog_is_the_same_whatever_was_read_before() {
    let folder = tempfile::tempdir().unwrap();
    let stacks: Vec<Vec<usize>> = vec![
        vec![],
        vec![0],
        vec![1, 2],
        vec![0, 1],
        vec![5],
        vec![3],
        vec![4, 5],
        vec![2, 1, 0],
        vec![0, 4, 3],
    ];
    for turn in 0..stacks.len() {
        let cache = Cache::at(&folder.path().join(turn.to_string()));
        let mut order = stacks.clone();
        order.rotate_left(turn);
        for stack in order {
            let image = Image::new().layer(base());
            let built = stack.iter().fold(image, |image, at| image.layer(tops()[*at].clone())).build();
            let (expected, _) = read(&built, None);
            assert_eq!(read(&built, Some(&cache)).0, expected, "{stack:?} in turn {turn}");
            assert_eq!(read(&built, Some(&cache)), (expected, 0), "{stack:?} in turn {turn}, again");
        }
    }
}

#[test]
fn what_is_seen_of_a_layer_is_seen_again() {
    let built = Image::new().layer(base()).layer(tops()[1].clone()).layer(tops()[2].clone()).build();
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    read(&built, Some(&cache));
    let (catalog, read) = read(&built, Some(&cache));
    assert_eq!(read, 0);
    let leaks: Vec<String> = catalog.leaks.unwrap().iter().map(|leak| leak.place.to_string()).collect();
    assert!(leaks.iter().any(|place| place.starts_with("app/.env")), "{leaks:?}");
    assert_eq!(catalog.unowned.iter().map(|one| one.path.as_str()).collect::<Vec<_>>(), ["usr/bin/stray"]);
    let made: Vec<_> = catalog.misconfigurations.iter().map(|one| one.check.clone()).collect();
    assert!(made.iter().any(|check| check.contains("setuid")), "{made:?}");
    assert!(made.iter().any(|check| check.contains("cache")), "{made:?}");
}

/// Two processes that read different images into one folder, an interrupted write, and a full folder.
#[test]
fn processes_share_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let images: Vec<Built> =
        tops().into_iter().map(|top| Image::new().layer(base()).layer(top).build()).collect();
    let expected: Vec<Catalog> = images.iter().map(|built| read(built, None).0).collect();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let cache = Cache::at(folder.path());
                for (built, expected) in images.iter().zip(&expected) {
                    assert_eq!(read(built, Some(&cache)).0, *expected);
                }
            });
        }
    });
    let cache = Cache::at(folder.path());
    for entry in std::fs::read_dir(folder.path().join("cache")).unwrap() {
        let path = entry.unwrap().path();
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::File::options().write(true).open(&path).unwrap().set_len(length / 2).unwrap();
    }
    for (built, expected) in images.iter().zip(&expected) {
        assert_eq!(read(built, Some(&cache)).0, *expected, "everything is cut off");
        assert_eq!(read(built, Some(&cache)), (expected.clone(), 0));
    }
}

/// The report of `target` with nothing kept, and twice with a cache.
fn same(target: &str, cache: &Cache) {
    let options = Options::default();
    let wanted = Wanted { target, options: &options, cache: None, looking: Looking::default() };
    let Ok(expected) = sbom(&wanted) else { return };
    for turn in ["first", "second"] {
        let cached = Wanted { cache: Some(cache), ..wanted };
        assert_eq!(sbom(&cached).unwrap(), expected, "{target}: {turn}");
    }
}

#[test]
fn real_images_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    if let Some(alpine) = shared("data/fixtures/images/alpine-311-docker-archive.tar.gz") {
        same(&format!("docker-archive:{}", alpine.display()), &cache);
    }
    if let Some(odd) = unpacked("data/fixtures/images/odd-layers-and-layouts.tar.zst") {
        let root = odd.path("");
        let mut todo = vec![root];
        while let Some(path) = todo.pop() {
            same(&path.display().to_string(), &cache);
            let inside = std::fs::read_dir(&path).into_iter().flatten().flatten();
            todo.extend(inside.map(|entry| entry.path()));
        }
    }
}

/// A Docker archive names no stored bytes that could be known, so it is read; what it gave serves an OCI image.
#[test]
fn archives_warm_the_cache_for_others() {
    let folder = tempfile::tempdir().unwrap();
    let cache = Cache::at(folder.path());
    let built = Image::new().layer_as(base(), Compression::Plain).build();
    let path = folder.path().join("image.tar");
    std::fs::write(&path, built.docker_archive(&["x:1"])).unwrap();
    same(&archive(&path), &cache);
    let (expected, _) = read(&built, None);
    assert_eq!(read(&built, Some(&cache)), (expected, 0));
    let mut damaged = std::fs::read(&path).unwrap();
    let at = damaged.windows(9).position(|window| window == b"api_key =").unwrap();
    *damaged.get_mut(at).unwrap() ^= 1;
    std::fs::write(&path, damaged).unwrap();
    let options = Options::default();
    let wanted = Wanted {
        target: &archive(&path),
        options: &options,
        cache: Some(&cache),
        looking: Looking::default(),
    };
    assert!(sbom(&wanted).unwrap_err().to_string().contains("damaged or was replaced"));
}

fn archive(path: &Path) -> String {
    format!("docker-archive:{}", path.display())
}
