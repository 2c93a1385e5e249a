//! Feeds that one party publishes and another takes over: what moves, what is refused, what a broken pull leaves behind.

use std::{
    cell::Cell,
    fs,
    path::{Path, PathBuf},
};

use boltseal_audit::log::{Signer, Verifier};
use boltseal_feed::Silent;
use boltseal_flow::{
    Error,
    feeds::{Feeds, Folder, Pull, Pulled, Shelf, ShelfError},
};
use boltseal_model::{Digest, Timestamp};
use tempfile::TempDir;

/// A publisher with a folder, a client, and the key between them.
struct World {
    root: TempDir,
    signer: Signer,
    key: Verifier,
}

/// Records of the first day.
const RECORDS: u32 = 3000;

impl World {
    fn new() -> Self {
        let signer = Signer::generate("feeds.example.com").unwrap();
        let key = signer.verifier_key().parse().unwrap();
        Self { root: TempDir::new().unwrap(), signer, key }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    fn shelf(&self) -> Folder {
        Folder(self.path("published"))
    }

    fn client(&self) -> Feeds {
        Feeds::at(&self.path("client"))
    }

    /// Publishes the records up to `count`, those in `changed` with another text. Gives new and all bytes, and the id.
    fn publish(&self, day: i64, count: u32, changed: &[u32]) -> (u64, u64, String) {
        let (feeds, now) = (Feeds::at(&self.path("publisher")), at(day));
        let lines: String = (0..count).map(|number| record(number, changed.contains(&number))).collect();
        let file = self.path("records.jsonl");
        fs::write(&file, lines).unwrap();
        let report = feeds.import(&[file], now, &Silent).unwrap();
        assert!(report.failed.is_empty(), "{:?}", report.failed);
        let published = feeds.publish(&self.shelf(), &self.signer, now).unwrap();
        (published.bytes.0, published.bytes.1, published.snapshot.id)
    }

    fn pull(&self, from: &dyn Shelf) -> Result<Pulled, Error> {
        let how = Pull { keys: std::slice::from_ref(&self.key), allow_older: false };
        self.client().pull(from, &how, at(9))
    }

    fn in_use(&self) -> Option<String> {
        self.client().open().unwrap().map(|snapshot| snapshot.info().id.clone())
    }
}

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + day * 86_400).unwrap()
}

/// A record with a text that does not compress to nothing.
fn record(number: u32, changed: bool) -> String {
    let mut text = String::new();
    let mut state = u64::from(number) + 1;
    for _ in 0..60 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(&format!("{:x} ", state >> 40));
    }
    let fixed = if changed { "3" } else { "2" };
    format!(
        r#"{{"id":"PYSEC-2026-{number:05}","modified":"2026-01-01T00:00:00Z","details":"{text}","affected":[{{"package":{{"ecosystem":"PyPI","name":"p{}"}},"ranges":[{{"type":"ECOSYSTEM","events":[{{"introduced":"0"}},{{"fixed":"{fixed}"}}]}}]}}]}}"#,
        number % 700
    ) + "\n"
}

#[test]
fn only_what_changed_moves() {
    let world = World::new();
    let (_, _, first) = world.publish(1, RECORDS, &[]);
    let pulled = world.pull(&world.shelf()).unwrap();
    assert!(pulled.same && pulled.chunks.0 == pulled.chunks.1, "{:?}", pulled.chunks);
    assert_eq!(world.in_use(), Some(first));
    let sources: Vec<String> =
        pulled.built.unwrap().snapshot.feeds.into_iter().map(|feed| feed.source).collect();
    assert_eq!(sources, ["records.jsonl"], "the publisher's folders are told");

    // A day: twelve new records, eight changed ones.
    let (sent, _, second) = world.publish(2, RECORDS + 12, &[5, 6, 7, 400, 401, 1234, 1900, 2500]);
    let pulled = world.pull(&world.shelf()).unwrap();
    println!(
        "of {} chunks {} moved; of {} bytes {}",
        pulled.chunks.1, pulled.chunks.0, pulled.bytes.1, pulled.bytes.0
    );
    assert!(pulled.same && world.in_use() == Some(second));
    assert!(
        pulled.chunks.0 <= 7 && pulled.bytes.0 * 3 < pulled.bytes.1,
        "{:?} {:?}",
        pulled.chunks,
        pulled.bytes
    );
    assert!(sent <= pulled.bytes.0, "the publisher sends no more than clients fetch");

    let again = world.pull(&world.shelf()).unwrap();
    assert!(again.built.is_none() && again.bytes.0 == 0, "{again:?}");
    // What was pulled may be served on, and is in the snapshots that are built later.
    let other = Feeds::at(&world.path("other"));
    let how = Pull { keys: std::slice::from_ref(&world.key), allow_older: false };
    other.pull(&Folder(world.path("client/feeds/pulled")), &how, at(9)).unwrap();
    let built = world.client().build(at(2)).unwrap();
    assert_eq!(Some(built.snapshot.id), world.in_use());
}

/// Every file below `folder` that is a chunk or an index, the largest first.
fn blobs(folder: &Path) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = fs::read_dir(folder.join("blobs"))
        .unwrap()
        .flat_map(|folder| fs::read_dir(folder.unwrap().path()).unwrap())
        .map(|blob| blob.unwrap().path())
        .collect();
    all.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().len()));
    all
}

#[test]
fn what_was_changed_on_its_way_is_refused() {
    let world = World::new();
    let (_, _, first) = world.publish(1, RECORDS, &[]);
    world.pull(&world.shelf()).unwrap();
    let shelf = world.path("published");
    let before = blobs(&shelf);
    world.publish(2, RECORDS, &[1, 2, 3, 1500]);
    let new: Vec<PathBuf> = blobs(&shelf).into_iter().filter(|path| !before.contains(path)).collect();
    assert!(new.len() >= 3, "an index and some chunks: {new:?}");
    for path in new {
        let good = fs::read(&path).unwrap();
        for bad in [good.iter().map(|byte| byte ^ 1).collect(), good[..good.len() - 1].to_vec(), Vec::new()] {
            fs::write(&path, &bad).unwrap();
            // What came before is here already, and good.
            let _ = fs::remove_dir_all(world.path("client/feeds/pulled"));
            match world.pull(&world.shelf()) {
                Err(Error::Pack { source, .. }) => assert!(source.to_string().contains("digest"), "{source}"),
                Ok(_) => panic!("{} was taken", path.display()),
                Err(other) => panic!("{other}"),
            }
            assert_eq!(world.in_use().as_ref(), Some(&first), "what was in use still is");
        }
        fs::write(&path, &good).unwrap();
    }
    // The note: another index, another key, no signature.
    let note = fs::read_to_string(shelf.join("latest")).unwrap();
    let stranger = Signer::generate("feeds.example.com").unwrap();
    let text = note.split_once("\n\n").unwrap().0.to_owned() + "\n";
    let by_stranger = format!("{text}\n{}", stranger.sign(&text).unwrap());
    let later = note.replacen("2026", "2027", 1);
    for bad in [by_stranger, later, text, "nonsense".to_owned(), String::new()] {
        fs::write(shelf.join("latest"), &bad).unwrap();
        let refused = world.pull(&world.shelf()).unwrap_err();
        assert!(matches!(refused, Error::Announcement { .. }), "{bad}: {refused}");
    }
    fs::write(shelf.join("latest"), note).unwrap();
    world.pull(&world.shelf()).unwrap();
}

#[test]
fn older_feeds_are_refused_unless_asked_for() {
    let world = World::new();
    let (_, _, first) = world.publish(1, RECORDS, &[]);
    let old = world.path("old");
    copy(&world.path("published"), &old);
    world.publish(2, RECORDS, &[1, 2, 3]);
    world.pull(&world.shelf()).unwrap();
    let refused = world.pull(&Folder(old.clone())).unwrap_err();
    assert!(
        matches!(refused, Error::Older { .. }) && refused.to_string().contains("--allow-older"),
        "{refused}"
    );
    let how = Pull { keys: std::slice::from_ref(&world.key), allow_older: true };
    world.client().pull(&Folder(old), &how, at(9)).unwrap();
    assert_eq!(world.in_use(), Some(first));
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Fails after so many blobs.
struct Breaking {
    shelf: Folder,
    left: Cell<usize>,
}

impl Shelf for Breaking {
    fn name(&self) -> String {
        self.shelf.name()
    }

    fn latest(&self) -> Result<Vec<u8>, ShelfError> {
        self.shelf.latest()
    }

    fn blob(&self, digest: &Digest, limit: u64) -> Result<Vec<u8>, ShelfError> {
        let left = self.left.get().checked_sub(1).ok_or("the connection broke")?;
        self.left.set(left);
        self.shelf.blob(digest, limit)
    }
}

#[test]
fn a_broken_pull_goes_on_where_it_stopped() {
    let world = World::new();
    let (_, _, first) = world.publish(1, RECORDS, &[]);
    let broken = Breaking { shelf: world.shelf(), left: Cell::new(4) };
    assert!(matches!(world.pull(&broken), Err(Error::Shelf { .. })));
    assert_eq!(world.in_use(), None, "half of the feeds are none");
    let pulled = world.pull(&world.shelf()).unwrap();
    assert_eq!(pulled.chunks.1 - pulled.chunks.0, 3, "an index and three chunks were here");
    assert_eq!(world.in_use(), Some(first.clone()));
    // A chunk that the disk spoiled is noticed, and comes again.
    let damaged = &blobs(&world.path("client/feeds/pulled"))[1];
    fs::write(damaged, b"nonsense").unwrap();
    assert!(matches!(world.client().build(at(3)), Err(Error::Pack { .. })));
    let pulled = world.pull(&world.shelf()).unwrap();
    assert_eq!(pulled.chunks.0, 1);
    world.client().build(at(1)).unwrap();
    assert_eq!(world.in_use(), Some(first));
}
