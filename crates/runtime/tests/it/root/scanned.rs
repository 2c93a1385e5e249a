//! The root of a container has the files that were scanned, whatever layers do to each other.
//!
//! But for one thing, in which roots are as in other engines: where a layer puts something into a folder that is a link in a
//! layer below, the scanner follows the link, and overlayfs has a folder there.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::Path};

use boltseal_image::{Options, open};
use boltseal_model::{FileMeta, Selector, Want};
use boltseal_testkit::image::{Entry, Image, Layer};

use super::{Place, SHIFTS};

/// Images that are made up.
const CASES: usize = 40;

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

fn mounted(root: &Path) -> Files {
    let mut files = Files::new();
    let mut todo = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        // A whiteout that hides nothing is listed in its folder, and yet not there: overlayfs is so.
        let Ok(meta) = fs::symlink_metadata(&path) else { continue };
        if meta.is_symlink() {
            files.insert(name, fs::read_link(&path).unwrap().into_os_string().into_encoded_bytes());
        } else if meta.is_dir() {
            todo.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if meta.is_file() {
            files.insert(name, fs::read(&path).unwrap());
        }
    }
    files
}

fn scanned(target: &str) -> Files {
    let tree = open(target, &Everything, &Options::default()).unwrap().tree;
    assert_eq!(tree.gaps, []);
    let files = tree.files.iter().map(|(path, file)| (path.to_string(), file.content.to_vec()));
    let links = tree.links.iter().map(|(path, target)| (path.to_string(), target.as_bytes().to_vec()));
    files.chain(links).collect()
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

/// A layer, and what it is about.
fn made_up(random: &mut Random, number: usize) -> (Layer, String) {
    let mut made = Layer::new().file("target", number.to_string());
    let mut about = format!("\nlayer {number}");
    for at in 0..6 {
        let path = random.of(&["a", "b", "a/b", "a/b/c", "a/d", "b/c", "m/n", "m"]);
        let kind = random.of(&["file", "file", "folder", "link", "hard", "gone", "gone", "opaque"]);
        write!(about, "\n{kind} {path}").unwrap();
        let content = format!("{number} {at}");
        made = match kind {
            "file" => made.entry(&Entry::file(path, content.as_bytes())),
            "folder" => made.dir(path),
            // Where nothing is put into.
            "link" => made.symlink(&format!("{path}-link"), "a"),
            "hard" => made.hard_link(path, "target"),
            "gone" => made.whiteout(path),
            _ => made.opaque(path),
        };
    }
    (made, about)
}

#[test]
fn what_runs_is_what_was_scanned() {
    let Some(place) = Place::new() else { return };
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for case in 0..CASES {
        let mut image = Image::new();
        let mut about = format!("case {case}");
        for number in 0..3 {
            let (layer, told) = made_up(&mut random, number);
            image = image.layer(layer);
            about += &told;
        }
        let at = tempfile::tempdir().unwrap();
        image.build().write_oci(at.path(), None);
        let target = format!("oci:{}", at.path().display());
        let unpacked = place.layers.unpack(&target, &Options::default()).unwrap().1;
        let wanted = scanned(&target);
        let shift = SHIFTS[usize::from(case % 8 == 0)];
        let found = place.with(&unpacked, &[], Some(shift), |root| mounted(&root.path)).unwrap();
        assert_eq!(found, wanted, "{about}");
    }
}
