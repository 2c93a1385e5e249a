//! What is unpacked is what was scanned: layers made up at random, and damaged ones, in both ways.

use std::{
    cell::Cell,
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use boltseal_image::{Options, layer};
use boltseal_model::{FileMeta, Selector, Want};
use boltseal_testkit::image::{Entry, Layer};

use super::{Place, names};

/// Layers that are made up.
const CASES: u64 = 300;

/// Wants every file whole.
struct Everything;

impl Selector for Everything {
    fn want(&self, _: &str, _: &FileMeta) -> Want {
        Want::Whole
    }

    fn distill(&self, _: &str, _: &[u8]) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

/// Files and links, by their paths.
type Files = BTreeMap<String, Vec<u8>>;

fn unpacked(root: &Path) -> Files {
    let mut files = Files::new();
    let mut todo: Vec<PathBuf> = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        let meta = fs::symlink_metadata(&path).unwrap();
        if meta.is_symlink() {
            files.insert(name, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
        } else if meta.is_dir() {
            todo.extend(names(&path).iter().map(|name| path.join(name)));
        } else if meta.is_file() {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

fn scanned(tar: &[u8]) -> Option<Files> {
    let tree = layer(tar, &Everything, &Options::default()).ok()?;
    // What the scanner could not tell is no answer to compare with.
    tree.gaps.is_empty().then_some(())?;
    let files = tree.files.iter().map(|(path, file)| (path.to_string(), file.content.to_vec()));
    let links = tree.links.iter().map(|(path, target)| (path.to_string(), target.as_bytes().to_vec()));
    Some(files.chain(links).collect())
}

/// Whether both had something to say about it.
fn compare(place: &Place, tar: &[u8], about: &str) -> bool {
    let archive = place.folder.path().join("layer.tar");
    fs::write(&archive, tar).unwrap();
    let target = format!("rootfs:{}", archive.display());
    let found = place.layers.unpack(&target, &Options::default());
    assert_eq!(fs::read_to_string(place.outside().join("canary")).unwrap(), "alive", "{about}");
    assert_eq!(names(&place.outside()), ["canary"], "{about}");
    let (Ok((_, found)), Some(told)) = (found, scanned(tar)) else { return false };
    assert_eq!(unpacked(&found[0].path), told, "{about}");
    true
}

struct Random(u64);

impl Random {
    fn of<'a>(&mut self, some: &[&'a str]) -> &'a str {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        some[usize::try_from(self.0 >> 33).unwrap() % some.len()]
    }
}

#[test]
fn layers_made_up() {
    let Some(place) = Place::new() else { return };
    let outside = place.outside().display().to_string();
    let paths = ["a", "b", "a/b", "a/b/c", "b/c", "l/x", "l/y/z", "l", "m", "m/n", "../a", "/b"];
    let targets = ["a", "b", "a/b", "/a", "../b", "..", "l", "m/n", "nowhere", outside.as_str(), "/"];
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut compared = 0;
    for case in 0..CASES {
        let mut made = Layer::new();
        let mut about = format!("case {case}:");
        for at in 0..10 {
            let (path, target) = (random.of(&paths), random.of(&targets));
            let kind =
                random.of(&["file", "file", "file", "folder", "link", "link", "hard", "gone", "opaque"]);
            write!(about, "\n{kind} {path} {target}").unwrap();
            let content = format!("{at}");
            made = match kind {
                "file" => made.entry(&Entry::file(path, content.as_bytes())),
                "folder" => made.dir(path),
                "link" => made.symlink(path, target),
                "hard" => made.hard_link(path, target),
                "gone" => made.whiteout(path),
                _ => made.opaque(path),
            };
        }
        compared += u32::from(compare(&place, &made.tar(), &about));
    }
    assert!(compared > 50, "{compared} of {CASES} could be compared");
}

/// Seeds of the fuzz target, and mutations of them.
#[test]
fn layers_that_are_damaged() {
    let Some(place) = Place::new() else { return };
    let compared = Cell::new(0);
    boltseal_testkit::mutations("layer", &[b"../", b".wh."], 300, |tar| {
        compared.set(compared.get() + u32::from(compare(&place, tar, "damaged")));
    });
    assert!(compared.get() > 0);
}
