//! Images made to break their reader.

use std::{
    fs,
    io::{self, Read},
    path::Path,
};

use boltseal_image::{Blobs, Error, Options, layer, open, read};
use boltseal_model::{Digest, FileMeta, Selector, Want};
use boltseal_testkit::image::{Built, Compression, Entry, Image, Layer};

use crate::tree::{All, Only};

/// Blobs in memory.
struct Memory<'a>(&'a Built);

impl Blobs for Memory<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        match self.0.blobs.get(digest) {
            Some(bytes) => Ok(Box::new(bytes.as_slice())),
            None => Err(Error::NoBlob { digest: digest.clone(), place: "memory".into() }),
        }
    }
}

fn error_of(built: &Built) -> String {
    let nothing = Only(&[]);
    read(&Memory(built), &built.manifest, None, "test", &nothing, &Options::default())
        .unwrap_err()
        .to_string()
}

fn two_layers(compression: Compression) -> Built {
    let noise: Vec<u8> = (0..400_000u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    Image::new()
        .layer_as(Layer::new().file("a", "a"), compression)
        .layer_as(Layer::new().file("noise", noise), compression)
        .build()
}

#[test]
fn every_changed_byte_is_noticed() {
    for compression in [Compression::Plain, Compression::Gzip, Compression::Zstd] {
        let built = two_layers(compression);
        let layer = built.layers()[1].clone();
        let length = built.blobs[&layer].len();
        for at in [0, 11, 300, length / 2, length - 700, length - 1] {
            let mut changed = built.clone();
            changed.blobs.get_mut(&layer).unwrap()[at] ^= 0x10;
            let error = error_of(&changed);
            assert!(error.contains(&layer.to_string()), "{compression:?}, byte {at}: {error}");
        }
        for cut in [0, 1, 5, length / 2, length - 1] {
            let mut short = built.clone();
            short.blobs.get_mut(&layer).unwrap().truncate(cut);
            let error = error_of(&short);
            assert!(error.contains(&layer.to_string()), "{compression:?}, cut at {cut}: {error}");
        }
        let mut longer = built.clone();
        longer.blobs.get_mut(&layer).unwrap().extend_from_slice(&[0; 100]);
        let error = error_of(&longer);
        assert!(error.contains(&layer.to_string()), "{compression:?}: {error}");
    }
}

#[test]
fn swapped_documents_and_blobs_are_noticed() {
    let built = two_layers(Compression::Gzip);
    for victim in [&built.manifest, &built.config] {
        let mut changed = built.clone();
        changed.blobs.get_mut(victim).unwrap().push(b' ');
        let error = error_of(&changed);
        assert!(
            error.contains(&format!("expected {victim}")) && error.contains("digest is sha256:"),
            "{error}"
        );
        changed.blobs.remove(victim);
        assert!(error_of(&changed).contains(&format!("blob {victim} is missing")), "{victim}");
    }
    // The same length, another content: only the digest can tell.
    let layer = built.layers()[0].clone();
    let mut changed = built.clone();
    let tar = Layer::new().file("a", "b").tar();
    let other = Compression::Gzip.pack(&tar);
    assert_eq!(other.len(), built.blobs[&layer].len());
    changed.blobs.insert(layer.clone(), other.clone());
    let error = error_of(&changed);
    assert!(error.contains(&format!("digest is {}, expected {layer}", Digest::of(&other))), "{error}");
}

#[test]
fn a_configuration_that_names_other_archives_is_noticed() {
    // The blob is what the manifest says, the archive is not what the configuration says.
    let built = two_layers(Compression::Gzip);
    let config = String::from_utf8(built.blobs[&built.config].clone()).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&config).unwrap();
    let diff_id = parsed["rootfs"]["diff_ids"][0].as_str().unwrap();
    let forged = config.replace(diff_id, &Digest::of(b"other").to_string());
    let manifest = String::from_utf8(built.manifest_bytes().to_vec()).unwrap();
    let manifest = manifest.replace(&built.config.to_string(), &Digest::of(forged.as_bytes()).to_string());
    let mut changed = built.clone();
    changed.blobs.insert(Digest::of(forged.as_bytes()), forged.into_bytes());
    changed.manifest = Digest::of(manifest.as_bytes());
    changed.blobs.insert(changed.manifest.clone(), manifest.into_bytes());
    let error = error_of(&changed);
    assert!(error.contains("uncompressed: digest is") && error.contains(diff_id), "{error}");
}

#[test]
fn what_is_no_image_is_refused() {
    let with = |from: &str, to: &str| {
        let built = two_layers(Compression::Gzip);
        let manifest = String::from_utf8(built.manifest_bytes().to_vec()).unwrap();
        assert!(manifest.contains(from), "{manifest}");
        let manifest = manifest.replace(from, to);
        let mut changed = built;
        changed.manifest = Digest::of(manifest.as_bytes());
        changed.blobs.insert(changed.manifest.clone(), manifest.into_bytes());
        changed
    };
    let helm = with("application/vnd.oci.image.config.v1+json", "application/vnd.cncf.helm.config.v1+json");
    assert!(error_of(&helm).contains("helm.config.v1+json`, which is not a container image"));
    let all = |built: &Built| {
        let image = read(&Memory(built), &built.manifest, None, "test", &All, &Options::default()).unwrap();
        image.tree.gaps.iter().map(|gap| gap.detail.clone()).collect::<Vec<_>>()
    };
    let encrypted = with("layer.v1.tar+gzip", "layer.v1.tar+gzip+encrypted");
    assert!(all(&encrypted).iter().all(|why| why.contains("encrypted")) && all(&encrypted).len() == 2);
    let model = with("application/vnd.oci.image.layer.v1.tar+gzip", "application/vnd.example.weights");
    assert!(all(&model)[0].contains("is no layer of files that we know"));
    let mut foreign = with(
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    );
    assert!(all(&foreign).is_empty(), "a foreign layer that is there is read");
    let layer = foreign.layers()[0].clone();
    foreign.blobs.remove(&layer);
    assert!(all(&foreign)[0].contains("kept elsewhere"));
}

#[test]
fn layers_in_foreign_compressions_say_so() {
    for (magic, name) in [(&b"BZh91AY"[..], "bzip2"), (b"\xfd7zXZ\0\0", "xz"), (b"\x04\x22\x4d\x18", "lz4")] {
        let error = layer(magic, &All, &Options::default()).unwrap_err().to_string();
        assert!(error.contains(&format!("compressed with {name}")), "{error}");
    }
    // A zstd frame that asks for a window of two gigabytes.
    let window = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0, 0, 0];
    assert!(layer(&window, &All, &Options::default()).unwrap_err().to_string().contains("broken zstd"));
}

#[test]
fn bombs_are_defused() {
    let mut options = Options::default();
    options.limits.bytes = 20 << 20;
    let zeros = Layer::new().file("zeros", vec![0; 64 << 20]).tar();
    for compression in [Compression::Gzip, Compression::Zstd] {
        let bomb = compression.pack(&zeros);
        assert!(bomb.len() < 100_000);
        let error = layer(&bomb, &Only(&[]), &options).unwrap_err().to_string();
        assert!(error.contains("more than 20971520 uncompressed bytes in the image"), "{error}");
        let mut options = Options::default();
        options.limits.ratio_from = 10 << 20;
        let error = layer(&bomb, &Only(&[]), &options).unwrap_err().to_string();
        assert!(error.contains("more than 250 uncompressed bytes for each stored one"), "{error}");
    }
}

type Set = fn(&mut boltseal_image::Limits);

#[test]
fn every_limit_is_told() {
    let many = (0..50).fold(Layer::new(), |layer, n| layer.file(&format!("f{n}"), "12345678"));
    let rows: [(&str, Set, Layer, &str); 8] = [
        (
            "entries",
            |limits| limits.entries = 49,
            many.clone(),
            "entry f49: more than 49 entries in the image",
        ),
        (
            "headers count",
            |limits| limits.entries = 9,
            (0..10).fold(Layer::new(), |layer, _| layer.pax(&[("path", "x")])).file("y", ""),
            "more than 9 entries",
        ),
        (
            "path",
            |limits| limits.path = 20,
            Layer::new().file("abcdefghij/klmnopqrst", ""),
            "more than 20 bytes in a path",
        ),
        ("depth", |limits| limits.depth = 3, Layer::new().file("a/b/c/d", ""), "more than 3 names in a path"),
        (
            "header",
            |limits| limits.header = 50,
            Layer::new().file(&"x".repeat(101), ""),
            "more than 50 bytes in an extended header",
        ),
        (
            "link",
            |limits| limits.path = 5,
            Layer::new().symlink("l", "123456"),
            "entry l: more than 5 bytes in a link",
        ),
        (
            "sparse",
            |limits| limits.sparse = 1,
            Layer::new().pax(&[("GNU.sparse.size", "9"), ("GNU.sparse.map", "1,1,3,1")]).file("s", "ab"),
            "more than 1 pieces",
        ),
        (
            "depth after cleaning",
            |limits| limits.depth = 2,
            Layer::new().file("a/../b/../c/../d/e/f", ""),
            "names in a path",
        ),
    ];
    for (name, set, archive, words) in rows {
        let mut options = Options::default();
        set(&mut options.limits);
        let error = layer(&archive.tar(), &All, &options).unwrap_err().to_string();
        assert!(error.contains(words), "{name}: {error}");
    }
}

#[test]
fn what_only_costs_memory_is_given_up_piece_by_piece() {
    let many = (0..50).fold(Layer::new(), |layer, n| layer.file(&format!("f{n}"), "12345678"));
    let links = (0..50).fold(Layer::new(), |layer, n| layer.symlink(&format!("l{n}"), "target"));
    let rows: [(&str, Set, &Layer, usize, usize); 4] = [
        ("kept bytes", |limits| limits.kept = 100, &many, 12, 38),
        ("names", |limits| limits.names = 1360, &links, 10, 40),
        ("file", |limits| limits.file = 7, &many, 0, 50),
        ("gaps", |limits| (limits.file, limits.gaps) = (7, 3), &many, 0, 4),
    ];
    for (name, set, archive, kept, gaps) in rows {
        let mut options = Options::default();
        set(&mut options.limits);
        let tree = layer(&archive.tar(), &All, &options).unwrap();
        assert_eq!((tree.files.len() + tree.links.len(), tree.gaps.len()), (kept, gaps), "{name}");
    }
    let built = two_layers(Compression::Gzip);
    let mut options = Options::default();
    options.limits.layers = 1;
    let error = read(&Memory(&built), &built.manifest, None, "test", &All, &options).unwrap_err().to_string();
    assert!(error.contains("has 2 layers, more than 1"), "{error}");
}

/// An endless archive of small entries, made as it is read.
struct Endless {
    block: Vec<u8>,
    at: usize,
}

impl Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let rest = &self.block[self.at..];
        let take = rest.len().min(out.len());
        out[..take].copy_from_slice(&rest[..take]);
        self.at = (self.at + take) % self.block.len();
        Ok(take)
    }
}

#[test]
fn ten_million_entries_end_in_an_error() {
    struct Source {
        built: Built,
        endless: Digest,
        block: Vec<u8>,
    }
    impl Blobs for Source {
        fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
            if *digest == self.endless {
                return Ok(Box::new(Endless { block: self.block.clone(), at: 0 }));
            }
            Ok(Box::new(self.built.blobs[digest].as_slice()))
        }
    }
    let built = Image::new().layer_as(Layer::new().file("x", ""), Compression::Plain).build();
    let endless = built.layers()[0].clone();
    let link = |n: u32| Entry::bare(["a", "b/c", "d"][n as usize % 3], b"0215"[n as usize % 4], "b/t");
    let block = (0..500).fold(Layer::new(), |layer, n| layer.entry(&link(n))).unfinished().to_vec();
    let mut manifest: serde_json::Value = serde_json::from_slice(built.manifest_bytes()).unwrap();
    manifest["layers"][0]["size"] = (u64::MAX / 4).into();
    let manifest = serde_json::to_vec(&manifest).unwrap();
    let mut built = built;
    built.manifest = Digest::of(&manifest);
    built.blobs.insert(built.manifest.clone(), manifest);
    let source = Source { built, endless, block };
    let mut options = Options::default();
    // The same path as for the default of five million, in a fraction of the time.
    options.limits.entries = 200_000;
    let manifest = source.built.manifest.clone();
    let error = read(&source, &manifest, None, "test", &All, &options).unwrap_err().to_string();
    assert!(
        error.contains("more than 200000 entries in the image")
            && error.contains(&source.endless.to_string()),
        "{error}"
    );
}

#[test]
fn slow_paths_end_too() {
    // Every entry leads through forty links of a thousand names each.
    let step = "x/../".repeat(700);
    let links =
        (0..39).fold(Layer::new(), |layer, n| layer.symlink(&format!("l{n}"), &format!("{step}l{}", n + 1)));
    let entries = (0..200).fold(links, |layer, n| layer.file(&format!("l0/d{n}/f"), ""));
    let tree = layer(&entries.tar(), &Only(&[]), &Options::default()).unwrap();
    assert_eq!(tree.entries, 239);
}

/// Wants everything but `t`.
struct Links;
impl Selector for Links {
    fn want(&self, path: &str, _: &FileMeta) -> Want {
        if path == "t" { Want::Skip } else { Want::Whole }
    }
    fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

/// Few bytes that ask for much work: emptying a full directory, and fetching for many links, again and again.
#[test]
fn work_out_of_proportion_is_refused() {
    let mut options = Options::default();
    options.limits.steps = 20_000;
    let full = || (0..500).fold(Layer::new(), |layer, n| layer.symlink(&format!("d/l{n}"), "t"));
    let emptied = (0..100).fold(full(), |layer, _| layer.opaque("d"));
    assert!(layer(&full().opaque("d").tar(), &All, &options).is_ok());
    let error = layer(&emptied.tar(), &All, &options).unwrap_err().to_string();
    assert!(error.contains("entry d: more than 20000 names looked at"), "{error}");

    let targets = (0..100).fold(Layer::new(), |layer, n| layer.file("t", n.to_string()));
    let links = (0..100).fold(targets, |layer, n| layer.hard_link(&format!("l{n}"), "t"));
    assert_eq!(layer(&links.tar(), &Links, &Options::default()).unwrap().content("l7"), Some(&b"99"[..]));
    let error = layer(&links.tar(), &Links, &options).unwrap_err().to_string();
    assert!(error.contains("names looked at"), "{error}");
}

#[test]
fn pipes_and_folders_in_the_place_of_files() {
    let folder = tempfile::tempdir().unwrap();
    let built = two_layers(Compression::Gzip);
    built.write_oci(folder.path(), None);
    let blob = folder.path().join(format!("blobs/sha256/{}", built.layers()[0].hex()));
    fs::remove_file(&blob).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, &blob, 0o644.into()).unwrap();
    let open_it = |path: &Path| open(&format!("oci:{}", path.display()), &All, &Options::default());
    assert!(open_it(folder.path()).unwrap_err().to_string().contains("is not a regular file"));
    fs::remove_file(&blob).unwrap();
    fs::create_dir(&blob).unwrap();
    assert!(open_it(folder.path()).unwrap_err().to_string().contains("is not a regular file"));
    let pipe = folder.path().join("pipe");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, 0o644.into()).unwrap();
    assert!(open(&pipe.display().to_string(), &All, &Options::default()).is_err());
}

#[test]
fn messages_carry_no_control_characters() {
    let archive = Layer::new().file("evil\u{1b}[2Jname", "").file("evil\u{1b}[2Jname/.wh.", "").tar();
    let error = layer(&archive, &All, &Options::default()).unwrap_err().to_string();
    assert!(!error.contains('\u{1b}') && error.contains("evil\\u{1b}[2Jname"), "{error}");
}
