//! Layers that were read before: the same tree, whatever lies below and whatever happened to what was kept.

use std::{
    collections::{BTreeMap, HashMap},
    io::{self, Read},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use boltseal_image::{Blobs, Error, Extracts, Image as Opened, Options, read};
use boltseal_model::{Digest, FileMeta, Selector, Text, Want};
use boltseal_testkit::image::{Built, Compression, Image, Layer};

/// Extracts in memory.
#[derive(Default)]
struct Memory(Mutex<HashMap<Digest, Vec<u8>>>);

impl Extracts for Memory {
    fn get(&self, diff_id: &Digest) -> Option<Vec<u8>> {
        self.0.lock().unwrap().get(diff_id).cloned()
    }

    fn put(&self, diff_id: &Digest, extract: &[u8]) {
        self.0.lock().unwrap().insert(diff_id.clone(), extract.to_vec());
    }
}

impl Memory {
    fn change(&self, mut with: impl FnMut(&mut Vec<u8>)) {
        self.0.lock().unwrap().values_mut().for_each(&mut with);
    }
}

/// An image that counts how much of its layers is read.
struct Counted<'b> {
    built: &'b Built,
    read: AtomicU64,
}

impl Blobs for Counted<'_> {
    fn blob(&self, digest: &Digest) -> Result<Box<dyn Read + Send + '_>, Error> {
        let bytes = self.built.blobs[digest].as_slice();
        let counts = self.built.layers().contains(digest);
        Ok(Box::new(Count { bytes, read: counts.then_some(&self.read) }))
    }
}

struct Count<'c> {
    bytes: &'c [u8],
    read: Option<&'c AtomicU64>,
}

impl Read for Count<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let read = self.bytes.read(out)?;
        if let Some(count) = self.read {
            count.fetch_add(read as u64, Ordering::SeqCst);
        }
        Ok(read)
    }
}

/// Wants by the last letter of a name, and otherwise below `usr`; remarks on every `x` in texts that end in `.txt`, or
/// lie below `usr`.
#[derive(Default)]
struct Letters {
    passed: Mutex<BTreeMap<String, u64>>,
    remarks: Mutex<Vec<String>>,
}

impl Selector for Letters {
    fn want(&self, path: &str, _: &FileMeta) -> Want {
        let want = match path.bytes().last() {
            Some(b'w') => Want::Whole,
            Some(b'h') => Want::Hashed,
            Some(b'd') => Want::Distilled,
            _ => Want::Skip,
        };
        match want {
            Want::Hashed if path.starts_with("usr/") => Want::Whole,
            other => other,
        }
    }
    fn distill(&self, path: &str, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        match bytes.last() {
            Some(b'!') => Err(format!("{path} is broken")),
            Some(b'.') => Ok(None),
            _ => Ok(Some(format!("{path}: {} bytes", bytes.len()).into_bytes())),
        }
    }
    fn passes(&self, _: u32, path: &str, meta: &FileMeta) {
        *self.passed.lock().unwrap().entry(path.to_owned()).or_default() += meta.size;
    }
    fn inspects(&self, path: &str, _: &FileMeta) -> bool {
        path.ends_with("txt") || path.starts_with("usr/")
    }
    fn inspect(&self, path: &str, text: Text<'_>) -> Option<Vec<u8>> {
        text.bytes.contains(&b'x').then(|| format!("{path} +{}", text.lines).into_bytes())
    }
    fn remark(&self, layer: u32, path: &str, meta: &FileMeta, remarks: &[Vec<u8>]) -> bool {
        let told: Vec<_> = remarks.iter().map(|remark| String::from_utf8_lossy(remark)).collect();
        self.remarks.lock().unwrap().push(format!("{layer} {path} {:o} {told:?}", meta.mode));
        !remarks.is_empty()
    }
}

/// Everything that can be told of an image.
fn told(opened: &Opened, letters: &Letters) -> String {
    let (tree, passed) = (&opened.tree, letters.passed.lock().unwrap());
    format!("{tree:?}\n{:?}\n{passed:?}\n{:?}", opened.subject, letters.remarks.lock().unwrap())
}

fn look(
    built: &Built,
    extracts: Option<&dyn Extracts>,
    change: fn(&mut Options<'_>),
) -> (Result<String, String>, u64) {
    let counted = Counted { built, read: AtomicU64::new(0) };
    let (mut options, letters) = (Options::default(), Letters::default());
    options.extracts = extracts;
    change(&mut options);
    let opened = read(&counted, &built.manifest, None, "x", &letters, &options);
    let told = opened.map(|opened| told(&opened, &letters)).map_err(|error| error.to_string());
    (told, counted.read.into_inner())
}

const ELF: &str = "\u{7f}ELF";

/// Layers that get in each other's way.
fn layers() -> Vec<Layer> {
    let long = "a line of text\n".repeat(100_000) + "x\n";
    vec![
        Layer::new()
            .dir("usr")
            .dir("usr/lib")
            .symlink("lib", "usr/lib")
            .file("usr/lib/a.w", "first")
            .file("usr/lib/long.txt", &long)
            .executable("usr/lib/tool.d", format!("{ELF} one"))
            .file("etc/conf.w", "1")
            .hard_link("etc/same.w", "etc/conf.w"),
        // Behind the first one, its paths lie elsewhere, and other things are wanted of them.
        Layer::new().file("lib/a.w", "second").file("lib/b.h", "hash me").file("lib/notes.md", "x marks"),
        Layer::new().whiteout("usr/lib/a.w").file("etc/conf.w", "2x").file("etc/x.txt", "x\n"),
        Layer::new().opaque("usr/lib").file("usr/lib/c.w", "third").whiteout("etc"),
        // A file in the place of a folder, a folder in the place of a file.
        Layer::new().file("usr", "flat").file("etc/conf.w/inner.w", "deep"),
        // Links to what nobody wanted when it passed.
        Layer::new()
            .file("data/skip", "plain content")
            .hard_link("data/wanted.w", "data/skip")
            .hard_link("data/again.h", "data/skip")
            .file("lib/target", "behind a link")
            .hard_link("data/far.w", "lib/target"),
        Layer::new().hard_link("data/lost.w", "nowhere").symlink("lib", "../data"),
        Layer::new()
            .executable("bin/broken.d", format!("{ELF}!"))
            .executable("bin/nothing.d", format!("{ELF}."))
            .executable("bin/script.d", "#!/bin/sh\n")
            .file("bin/zero.w", ""),
        Layer::new().file("big.h", vec![b'7'; 700_000]).file("big.txt", vec![b'x'; 2_500_000]),
        Layer::new(),
    ]
}

fn image(of: &[usize]) -> Built {
    let all = layers();
    of.iter().fold(Image::new(), |image, at| image.layer(all[*at].clone())).build()
}

/// Numbers that look like chance, the same every time.
fn chance(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed | 1;
    move |below| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn a_tree_is_the_same_in_every_order_of_warming() {
    let count = layers().len();
    for seed in 1..=6 {
        let (mut next, memory) = (chance(seed * 7919), Memory::default());
        for _ in 0..25 {
            let of: Vec<usize> = (0..=next(5)).map(|_| next(count)).collect();
            let built = image(&of);
            let (expected, _) = look(&built, None, |_| {});
            let (found, _) = look(&built, Some(&memory), |_| {});
            assert_eq!(found, expected, "{of:?}");
            // By now all questions were asked.
            let (again, read) = look(&built, Some(&memory), |_| {});
            assert_eq!((again, read), (expected, 0), "{of:?}");
        }
    }
}

#[test]
fn only_what_is_new_is_read() {
    let memory = Memory::default();
    let (base, app) = (image(&[0, 8]), image(&[0, 8, 2]));
    let (_, all) = look(&base, Some(&memory), |_| {});
    let (_, read) = look(&app, Some(&memory), |_| {});
    let stored = |built: &Built, at: usize| built.blobs[&built.layers()[at]].len() as u64;
    assert_eq!(all, stored(&base, 0) + stored(&base, 1));
    assert_eq!(read, stored(&app, 2));
    // Where links in the layers below lead to other questions, a layer is read once more, and never again.
    for (of, layer) in [(vec![1], 0), (vec![0, 1], 1)] {
        let built = image(&of);
        assert_eq!(look(&built, Some(&memory), |_| {}).1, stored(&built, layer), "{of:?}");
    }
    for of in [vec![1], vec![0, 1], vec![1], vec![0, 1]] {
        assert_eq!(look(&image(&of), Some(&memory), |_| {}).1, 0, "{of:?}");
    }
}

#[test]
fn damage_counts_as_absence() {
    let built = image(&[0, 5, 2]);
    let (expected, _) = look(&built, None, |_| {});
    let warm = || {
        let memory = Memory::default();
        look(&built, Some(&memory), |_| {}).0.unwrap();
        memory
    };
    let mut next = chance(4711);
    for round in 0..300 {
        let memory = warm();
        memory.change(|bytes| {
            let at = next(bytes.len());
            match round % 4 {
                0 => bytes[at] ^= 1 << next(8),
                1 => bytes.truncate(at),
                2 => bytes.extend_from_within(at..),
                _ => {
                    bytes.drain(..at.max(1));
                }
            }
        });
        let (found, read) = look(&built, Some(&memory), |_| {});
        assert_eq!(found, expected, "round {round}");
        assert!(read > 0, "round {round}");
        assert_eq!(look(&built, Some(&memory), |_| {}), (expected.clone(), 0), "round {round}: mended");
    }
    // One layer's in the place of another's.
    let memory = warm();
    let any = memory.0.lock().unwrap().values().next().cloned().unwrap();
    memory.change(|bytes| bytes.clone_from(&any));
    assert_eq!(look(&built, Some(&memory), |_| {}).0, expected);
}

#[test]
fn a_layer_is_believed_only_as_it_was_seen_stored() {
    let memory = Memory::default();
    let of = |compression| Image::new().layer_as(layers()[0].clone(), compression).build();
    let (gzip, zstd) = (of(Compression::Gzip), of(Compression::Zstd));
    look(&gzip, Some(&memory), |_| {}).0.unwrap();
    let (expected, all) = look(&zstd, None, |_| {});
    assert_eq!(
        look(&zstd, Some(&memory), |_| {}),
        (expected.clone(), all),
        "other bytes, of the same archive"
    );
    assert_eq!(look(&zstd, Some(&memory), |_| {}), (expected, 0));
    assert_eq!(look(&gzip, Some(&memory), |_| {}).1, 0, "both are known now");

    // A manifest that claims the archive for a blob which is something else.
    let mut forged = image(&[2]);
    let manifest = String::from_utf8(forged.manifest_bytes().to_vec()).unwrap();
    let config = String::from_utf8(forged.blobs[&forged.config].clone()).unwrap();
    let [honest, claimed] = [&layers()[2], &layers()[0]].map(|layer| Digest::of(&layer.tar()).to_string());
    let config = config.replace(&honest, &claimed);
    let manifest = manifest.replace(&forged.config.to_string(), &Digest::of(config.as_bytes()).to_string());
    let size = |text: &str| format!("\"size\":{}", text.len());
    assert!(manifest.contains(&size(&config)), "{manifest}");
    forged.manifest = Digest::of(manifest.as_bytes());
    forged.blobs.insert(Digest::of(config.as_bytes()), config.into_bytes());
    forged.blobs.insert(forged.manifest.clone(), manifest.into_bytes());
    let (found, _) = look(&forged, Some(&memory), |_| {});
    assert_eq!(found, look(&forged, None, |_| {}).0);
    assert!(found.unwrap_err().contains("the content is damaged or was replaced"));
}

#[test]
fn limits_hold_as_if_nothing_were_kept() {
    let built = image(&[0, 8, 2]);
    let memory = Memory::default();
    look(&built, Some(&memory), |_| {}).0.unwrap();
    for change in [
        |options: &mut Options<'_>| options.limits.file = 3,
        |options: &mut Options<'_>| options.limits.bytes = 3_000_000,
        |options: &mut Options<'_>| options.limits.entries = 9,
        |options: &mut Options<'_>| options.limits.kept = 8,
    ] as [fn(&mut Options<'_>); 4]
    {
        let (expected, _) = look(&built, None, change);
        assert_eq!(look(&built, Some(&memory), change).0, expected);
        assert_eq!(look(&built, Some(&memory), change).0, expected, "and once more");
    }
    // The same limits, but other layers before: the image as a whole is too large then.
    let change: fn(&mut Options<'_>) = |options| options.limits.bytes = 4_000_000;
    let memory = Memory::default();
    look(&image(&[8]), Some(&memory), change).0.unwrap();
    let twice = image(&[8, 8]);
    let (expected, _) = look(&twice, None, change);
    assert!(expected.as_ref().unwrap_err().contains("4000000 uncompressed bytes"), "{expected:?}");
    assert_eq!(look(&twice, Some(&memory), change).0, expected);
}
