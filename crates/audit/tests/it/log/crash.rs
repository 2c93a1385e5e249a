//! Storage that fails, crashes between any two writes, and what is left on disk.

use std::{
    fs, io,
    os::unix::fs::PermissionsExt as _,
    sync::atomic::{AtomicUsize, Ordering},
};

use boltseal_audit::log::{Error, Folder, Log, MAX_ENTRY, Memory, Reader, Signer, Storage};

use super::{ORIGIN, check, entry, files, log};

/// Fails every write after the first few.
struct Failing<'a> {
    to: &'a Memory,
    left: AtomicUsize,
}

impl Storage for Failing<'_> {
    fn read(&self, path: &str) -> io::Result<Option<Vec<u8>>> {
        self.to.read(path)
    }
    fn write(&self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        self.to.write(path, bytes)
    }
    fn remove(&self, path: &str) -> io::Result<()> {
        self.to.remove(path)
    }
}

fn entries(numbers: std::ops::Range<u64>) -> Vec<Vec<u8>> {
    numbers.map(entry).collect()
}

#[test]
fn a_crash_between_any_two_writes_leaves_the_log_before_or_after() {
    let signer = || Signer::generate(ORIGIN).unwrap();
    let kept = signer().to_pkcs8().unwrap();
    let signer = || Signer::from_pkcs8(ORIGIN, &kept).unwrap();
    let before = Memory::default();
    Log::open(&before, signer()).unwrap().append(&entries(0..250)).unwrap();
    // 2 bundles, 3 tiles, the checkpoint: then nothing fails any more.
    for writes in 0..=6 {
        let disk = before.clone();
        let failing = Failing { to: &disk, left: AtomicUsize::new(writes) };
        let mut log = Log::open(failing, signer()).unwrap();
        let result = log.append(&entries(250..300));
        assert_eq!(result.is_ok(), writes == 6, "{writes} writes: {result:?}");
        if result.is_err() {
            assert!(matches!(log.append(&entries(0..1)), Err(Error::Stopped)));
            log.reopen().unwrap();
            assert_eq!(log.size(), 250, "after {writes} writes");
        }
        drop(log);
        // The next start writes over what is left; other entries than those that were lost, in batches of another size.
        let mut log = Log::open(&disk, signer()).unwrap();
        let size = log.size();
        assert_eq!(size, if writes == 6 { 300 } else { 250 });
        assert_eq!(check(&log.reader()), Ok(size), "after {writes} writes");
        for batch in [3, 300, 7] {
            log.append(&vec![b"other".to_vec(); batch]).unwrap();
            assert_eq!(check(&log.reader()), Ok(log.size()));
        }
        let last = log.reader().entry(249, log.size()).unwrap();
        assert_eq!(last, entry(249));
    }
}

#[test]
fn partial_tiles_stay_as_long_as_the_newest_two_checkpoints_may_need_them() {
    let mut log = log(&[200, 40]);
    let has = |log: &Log<Memory>, path: &str| files(log).read(path).unwrap().is_some();
    for path in ["tile/0/000.p/200", "tile/0/000.p/240", "tile/entries/000.p/240"] {
        assert!(has(&log, path), "{path} while the tile is not full");
    }
    log.append(&entries(240..300)).unwrap();
    for path in
        ["tile/0/000", "tile/0/000.p/240", "tile/entries/000.p/240", "tile/0/001.p/44", "tile/1/000.p/1"]
    {
        assert!(has(&log, path), "{path} right after the tile became full");
    }
    log.append(&entries(300..301)).unwrap();
    for path in ["tile/0/000.p/200", "tile/0/000.p/240", "tile/entries/000.p/240"] {
        assert!(!has(&log, path), "{path} one checkpoint later");
    }
    for path in ["tile/0/001.p/44", "tile/0/001.p/45", "tile/1/000.p/1"] {
        assert!(has(&log, path), "{path}");
    }
}

#[test]
fn partial_tiles_left_behind_by_a_crash_go_after_the_next_start() {
    let first = log(&[255, 2]);
    let (disk, kept) = (files(&first), first.signer().to_pkcs8().unwrap());
    let mut again = Log::open(disk, Signer::from_pkcs8(ORIGIN, &kept).unwrap()).unwrap();
    assert!(again.storage().read("tile/0/000.p/255").unwrap().is_some());
    again.append(&entries(257..258)).unwrap();
    assert!(again.storage().read("tile/0/000.p/255").unwrap().is_none());
    assert_eq!(check(&again.reader()), Ok(258));
}

#[test]
fn a_reader_with_an_older_checkpoint_takes_the_full_tile() {
    let mut log = log(&[200]);
    let old = log.checkpoint().clone();
    for _ in 0..3 {
        let size = log.size();
        log.append(&entries(size..size + 100)).unwrap();
    }
    assert!(files(&log).read("tile/0/000.p/200").unwrap().is_none());
    let reader = log.reader();
    assert_eq!(reader.root(200).unwrap(), old.checkpoint().root);
    assert_eq!(reader.entry(199, 200).unwrap(), entry(199));
    assert!(matches!(reader.entry(200, 200), Err(Error::NoEntry { index: 200, size: 200 })));
}

#[test]
fn a_log_without_its_checkpoint_is_not_taken_for_a_new_one() {
    for batches in [&[1][..], &[255], &[256], &[1000]] {
        let log = log(batches);
        let disk = files(&log);
        disk.remove("checkpoint").unwrap();
        let opened = Log::open(disk, Signer::generate(ORIGIN).unwrap());
        assert!(matches!(opened, Err(Error::NoCheckpoint { .. })), "{batches:?}: {opened:?}");
    }
}

#[test]
fn entries_that_do_not_fit_leave_the_log_as_it_is() {
    let mut log = log(&[3]);
    let result = log.append(&[vec![0; MAX_ENTRY], vec![0; MAX_ENTRY + 1]]);
    assert!(matches!(result, Err(Error::TooLong { number: 1, .. })), "{result:?}");
    assert_eq!(log.append(&entries(0..0)).unwrap(), 3..3);
    assert_eq!(log.append(&[vec![0; MAX_ENTRY], Vec::new()]).unwrap(), 3..5);
    assert_eq!(check(&log.reader()), Ok(5));
    let all: Vec<usize> = log
        .reader()
        .entries(0..9, 5)
        .flat_map(|bundle| bundle.unwrap().iter().map(|(_, entry)| entry.len()).collect::<Vec<_>>())
        .collect();
    assert_eq!(all, [2, 2, 2, MAX_ENTRY, 0]);
}

#[test]
fn a_folder_is_private_and_holds_finished_files_only() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("audit");
    let signer = Signer::generate(ORIGIN).unwrap();
    let (kept, verifier) = (signer.to_pkcs8().unwrap(), signer.verifier().clone());
    let mut log = Log::open(Folder::open(&root).unwrap(), signer).unwrap();
    for batch in [1, 254, 1, 500] {
        log.append(&entries(log.size()..log.size() + batch)).unwrap();
    }
    drop(log);
    // What a crash in the middle of a write leaves.
    fs::write(root.join("tile/0/002.p/245.new"), b"unfinished").unwrap();
    let mut log =
        Log::open(Folder::open(&root).unwrap(), Signer::from_pkcs8(ORIGIN, &kept).unwrap()).unwrap();
    log.append(&entries(756..757)).unwrap();
    assert!(!root.join("tile/0/002.p/245.new").exists(), "the next write of that file finishes it");
    assert_eq!(check(&Reader::new(Folder::open(&root).unwrap(), verifier)), Ok(757));
    let mut waiting = vec![root.clone()];
    let mut seen = 0;
    while let Some(path) = waiting.pop() {
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            assert_eq!(mode, 0o700, "{}", path.display());
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else {
            assert_eq!(mode, 0o600, "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen >= 9, "{seen} files");
}

#[test]
fn a_folder_has_nothing_outside_of_it() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("secret"), b"x").unwrap();
    let root = Folder::open(&folder.path().join("audit")).unwrap();
    for path in ["../secret", "tile/../../secret", "/etc/passwd", "", ".hidden", "a//b", "a/", "a\0", "a b"] {
        assert!(root.read(path).is_err(), "{path:?}");
        assert!(root.write(path, b"").is_err(), "{path:?}");
        assert!(root.remove(path).is_err(), "{path:?}");
    }
    assert!(root.read("tile/0/000").unwrap().is_none());
    root.write("tile/0/000", b"x").unwrap();
    assert!(root.read("tile/0/000/000").unwrap().is_none(), "below a file there is nothing");
    root.remove("tile").unwrap();
    assert!(root.read("tile/0/000").unwrap().is_none());
    root.remove("tile").unwrap();
    let huge = fs::File::create(folder.path().join("audit/checkpoint")).unwrap();
    huge.set_len(1 << 40).unwrap();
    assert_eq!(root.read("checkpoint").unwrap_err().kind(), io::ErrorKind::InvalidData);
}
