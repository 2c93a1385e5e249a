//! Blobs and upload sessions.

use std::{path::Path, time::Duration};

use boltseal_model::{Algorithm, Digest, Hasher};
use boltseal_store::{Acknowledged, Blobs, Condemned, Error};

fn sha512(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(Algorithm::Sha512);
    hasher.update(bytes);
    hasher.finish()
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_blob_appears_only_whole_and_checked() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let store = folder.path().join("blobs/sha256");
    for digest in [Digest::of(b"hello world"), sha512(b"hello world")] {
        let mut writer = blobs.writer(digest.algorithm()).unwrap();
        writer.write(b"hello").unwrap();
        assert_eq!(blobs.size(&digest).unwrap(), None);
        writer.write(b" world").unwrap();
        assert_eq!(writer.finish(&digest).unwrap().size, 11);
        assert_eq!(blobs.size(&digest).unwrap(), Some(11));
        assert_eq!(blobs.content(&digest, 11).unwrap(), b"hello world");
        assert!(matches!(blobs.content(&digest, 10), Err(Error::TooLarge { limit: 10 })));
    }
    assert_eq!(blobs.put(b"hello world").unwrap(), Digest::of(b"hello world"), "twice is fine");

    let mut dropped = blobs.writer(Algorithm::Sha256).unwrap();
    dropped.write(b"gone").unwrap();
    drop(dropped);
    let mut lied = blobs.writer(Algorithm::Sha256).unwrap();
    lied.write(b"this").unwrap();
    let announced = Digest::of(b"that");
    assert!(matches!(lied.finish(&announced), Err(Error::DigestMismatch { .. })));
    assert!(matches!(blobs.put_as(b"this", &announced), Err(Error::DigestMismatch { .. })));
    let known = Digest::of(b"hello world");
    assert!(matches!(blobs.put_as(b"other bytes", &known), Err(Error::DigestMismatch { .. })));
    assert_eq!((files(&store), files(&folder.path().join("uploads"))), (1, 0), "nothing else is left");

    let condemned = Condemned { digest: known.clone(), size: 11, place: String::new() };
    blobs.remove(&condemned).unwrap();
    blobs.remove(&condemned).unwrap();
    assert!(matches!(blobs.read(&known), Err(Error::NoBlob(digest)) if digest == known));
}

#[test]
fn sessions_are_exclusive_and_end() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let id = blobs.start_upload("a").unwrap();
    assert!(matches!(blobs.resume(&id, "b"), Err(Error::NoUpload(_))), "of another repository");
    let mut upload = blobs.resume(&id, "a").unwrap();
    assert!(matches!(blobs.resume(&id, "a"), Err(Error::Busy(_))));
    upload.write(b"hel").unwrap();
    assert_eq!(upload.save().unwrap().size, 3);
    drop(upload);
    let mut upload = blobs.resume(&id, "a").unwrap();
    upload.write(b"lo").unwrap();
    let digest = sha512(b"hello");
    assert_eq!(upload.finish(&digest).unwrap().size, 5, "the algorithm is known only at the end");
    assert_eq!(blobs.content(&digest, 5).unwrap(), b"hello");
    assert!(matches!(blobs.resume(&id, "a"), Err(Error::NoUpload(_))));

    let old = blobs.start_upload("a").unwrap();
    blobs.resume(&old, "a").unwrap().write(b"x").unwrap();
    assert_eq!(blobs.expire_uploads(Duration::from_hours(1)).unwrap(), Vec::<String>::new());
    assert_eq!(blobs.expire_uploads(Duration::ZERO).unwrap(), [old]);
    assert_eq!(files(&folder.path().join("uploads")), 0);
}

#[test]
fn sessions_keep_no_file_open() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let open = || {
        let links = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
        let targets = links.filter_map(|link| std::fs::read_link(link.path()).ok());
        targets.filter(|target| target.parent() == Some(&folder.path().join("uploads"))).count()
    };
    let sessions: Vec<String> = (0..20).map(|_| blobs.start_upload("a").unwrap()).collect();
    for (round, id) in sessions.iter().chain(&sessions).enumerate() {
        let mut upload = blobs.resume(id, "a").unwrap();
        upload.write(b"one after the other, ").unwrap();
        assert_eq!(open(), 1);
        if round % 2 == 0 {
            upload.save().unwrap();
        }
    }
    assert_eq!(open(), 0);
    let whole = b"one after the other, one after the other, ";
    for id in &sessions {
        assert_eq!(blobs.resume(id, "a").unwrap().finish(&Digest::of(whole)).unwrap().size, 42);
    }
    assert_eq!(files(&folder.path().join("uploads")), 0);
}

#[test]
fn a_disk_that_fails_at_the_end_of_a_session_leaves_it() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    let id = blobs.start_upload("a").unwrap();
    blobs.resume(&id, "a").unwrap().write(b"hello").unwrap();
    // No name can be given in a folder that is gone.
    std::fs::remove_dir(folder.path().join("blobs/sha256")).unwrap();
    let upload = blobs.resume(&id, "a").unwrap();
    let failed = upload.finish(&Digest::of(b"hello")).unwrap_err();
    assert!(failed.is_of_the_storage() && !failed.is_full(), "{failed}");
    let upload = blobs.resume(&id, "a").unwrap();
    assert_eq!(upload.size(), 5);
    assert_eq!(upload.finish(&sha512(b"hello")).unwrap().size, 5, "another folder takes it");
    assert!(matches!(blobs.resume(&id, "a"), Err(Error::NoUpload(_))));
}

#[test]
fn sessions_come_back_as_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let (kept, lost, mut told);
    {
        let blobs = Blobs::open(folder.path()).unwrap();
        kept = blobs.start_upload("a").unwrap();
        lost = blobs.start_upload("a").unwrap();
        let mut upload = blobs.resume(&kept, "a").unwrap();
        upload.write(b"hello").unwrap();
        told = upload.save().unwrap();
        upload.write(b", unacknowledged").unwrap();
        blobs.resume(&lost, "a").unwrap().write(b"hello, unacknowledged").unwrap();
    }
    let blobs = Blobs::open(folder.path()).unwrap();
    let none = |id: &str, size| Acknowledged::new(id, "a", size, String::new());
    let acknowledged = [told.clone(), none(&lost, 500), none("none", 1)];
    assert_eq!(blobs.restore(&acknowledged).unwrap(), [lost, "none".to_owned()]);
    assert_eq!(files(&folder.path().join("uploads")), 1);
    goes_on(&blobs, &kept);

    // Versions before this one wrote no state.
    std::fs::write(folder.path().join("uploads/old"), b"hello, unacknowledged").unwrap();
    assert_eq!(blobs.restore(&[none("old", 5)]).unwrap(), Vec::<String>::new());
    goes_on(&blobs, "old");
    told.state.replace_range(..2, "ff");
    std::fs::write(folder.path().join("uploads").join(&kept), b"hello").unwrap();
    blobs.restore(&[told]).unwrap();
    let finished = blobs.resume(&kept, "a").unwrap().finish(&Digest::of(b"hello"));
    assert!(
        matches!(finished, Err(Error::DigestMismatch { .. })),
        "the state is gone on from, not read again"
    );
}

fn goes_on(blobs: &Blobs, id: &str) {
    let mut upload = blobs.resume(id, "a").unwrap();
    assert_eq!(upload.size(), 5);
    upload.write(b" world").unwrap();
    assert_eq!(upload.finish(&Digest::of(b"hello world")).unwrap().size, 11);
}

#[test]
fn parallel_writers_of_the_same_bytes_agree() {
    let folder = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(folder.path()).unwrap();
    std::thread::scope(|scope| {
        for thread in 0..16_u8 {
            let blobs = blobs.clone();
            scope.spawn(move || {
                for round in 0..8_u8 {
                    let bytes = vec![round; 10_000 + usize::from(thread % 2)];
                    let digest = blobs.put(&bytes).unwrap();
                    assert_eq!(blobs.content(&digest, 20_000).unwrap(), bytes);
                }
            });
        }
    });
    assert_eq!(files(&folder.path().join("blobs/sha256")), 16);
}
