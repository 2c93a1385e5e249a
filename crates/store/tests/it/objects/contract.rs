//! What every blob store promises, whatever it stores bytes in.

use std::{io::Read as _, time::Duration};

use boltseal_model::{Algorithm, Digest, Timestamp};
use boltseal_store::Error;
use tokio::runtime::Runtime;

use super::world::{PART, World, bytes, sha512};
use crate::databases::Database;

/// Every promise, of two servers.
pub fn check(one: &World, two: &World) {
    blobs_of_every_size(one);
    what_is_not_finished_leaves_nothing(one);
    the_first_bytes_count(one);
    sessions_go_on_anywhere(one, two);
    sessions_end(one, two);
    what_is_condemned_goes(one);
    one.settle(0);
}

#[test]
fn files_keep_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    let one = World::open(folder.path(), None);
    let two = World { blobs: one.blobs.clone(), facts: one.facts.clone(), runtime: Runtime::new().unwrap() };
    check(&one, &two);
}

#[test]
fn memory_keeps_the_contract() {
    for database in Database::each() {
        let (one, two) = World::pair(&database, "memory:///x");
        check(&one, &two);
    }
}

fn blobs_of_every_size(world: &World) {
    for length in [0, 1, 70_000, PART - 1, PART, PART + 1, 2 * PART, 2 * PART + 12_345] {
        let content = bytes(length, length as u64 + 1);
        let digest = world.push(&content);
        assert_eq!(world.blobs.size(&digest).unwrap(), Some(length as u64));
        assert_eq!(world.blobs.content(&digest, length as u64).unwrap(), content, "{length} bytes");
        for start in [0, 1, 300_000, PART, length].into_iter().filter(|start| *start <= length) {
            let (mut reading, size) = world.blobs.read(&digest).unwrap();
            assert_eq!(size, length as u64);
            reading.skip_to(start as u64).unwrap();
            let mut rest = Vec::new();
            reading.read_to_end(&mut rest).unwrap();
            assert_eq!(Some(&*rest), content.get(start..), "{length} bytes from {start}");
        }
    }
    let (long, digest) = (bytes(100, 7), sha512(&bytes(100, 7)));
    world.add(None, world.writer(&long, Algorithm::Sha512).finish(&digest).unwrap());
    assert_eq!(world.blobs.content(&digest, 100).unwrap(), long);
    let manifest = b"{\"a manifest\": 1}";
    world.add(None, world.blobs.put_as(manifest, &Digest::of(manifest)).unwrap());
    assert_eq!(world.blobs.content(&Digest::of(manifest), 100).unwrap(), manifest);
    let short = world.blobs.content(&Digest::of(manifest), 3);
    assert!(matches!(short, Err(Error::TooLarge { limit: 3 })));
    assert_eq!(world.leftovers(), 0);
}

fn what_is_not_finished_leaves_nothing(world: &World) {
    let other = Digest::of(b"something else");
    for length in [10, 3 * PART] {
        let content = bytes(length, 99);
        drop(world.writer(&content, Algorithm::Sha256));
        let lied = world.writer(&content, Algorithm::Sha256).finish(&other);
        assert!(matches!(lied, Err(Error::DigestMismatch { .. })));
        world.settle(0);
        assert_eq!(world.blobs.size(&Digest::of(&content)).unwrap(), None);
        let id = world.blobs.start_upload("a").unwrap();
        world.patch(&id, &content);
        let lied = world.resume(&id).finish(&other);
        assert!(matches!(lied, Err(Error::DigestMismatch { .. })));
        world.runtime.block_on(world.facts.remove_upload(&id)).unwrap();
        world.settle(0);
        assert!(matches!(world.blobs.resume(&id, "a"), Err(Error::NoUpload(_))), "the session ended");
    }
    let lied = world.blobs.put_as(b"this", &other);
    assert!(matches!(lied, Err(Error::DigestMismatch { .. })));
    assert!(matches!(world.blobs.read(&other), Err(Error::NoBlob(digest)) if digest == other));
}

fn the_first_bytes_count(world: &World) {
    let content = bytes(PART + 5, 3);
    let digest = Digest::of(&content);
    let finish = || world.writer(&content, Algorithm::Sha256).finish(&digest).unwrap();
    let (first, second) = (finish(), finish());
    let place = world.add(None, first.clone());
    assert_eq!(place, first.place);
    assert_eq!(world.add(None, second), place);
    world.settle(0);
    assert_eq!(world.blobs.content(&digest, 1 << 30).unwrap(), content);
}

fn sessions_go_on_anywhere(one: &World, two: &World) {
    let cuts: [&[usize]; 6] = [
        &[],
        &[5],
        &[5, 9],
        &[PART, PART + 1],
        &[10, PART - 1, PART, PART + 1, 2 * PART + 3],
        &[3 * PART - 1, 3 * PART],
    ];
    for (round, cuts) in cuts.into_iter().enumerate() {
        let content = bytes(cuts.last().map_or(0, |last| last + 17), round as u64 + 50);
        let id = one.blobs.start_upload("a").unwrap();
        let (mut at, mut servers) = (0, [one, two].into_iter().cycle());
        for cut in cuts {
            servers.next().unwrap().patch(&id, content.get(at..*cut).unwrap());
            at = *cut;
        }
        let server = servers.next().unwrap();
        let mut upload = server.resume(&id);
        assert_eq!(upload.size(), at as u64);
        // The last bytes come with the end in every second round, and before it in the others.
        if round % 2 == 1 {
            drop(upload);
            server.patch(&id, content.get(at..).unwrap());
            upload = server.resume(&id);
        } else {
            upload.write(content.get(at..).unwrap()).unwrap();
        }
        let digest = if round < 4 { Digest::of(&content) } else { sha512(&content) };
        let stored = upload.finish(&digest).unwrap();
        assert_eq!(stored.size, content.len() as u64);
        one.add(Some(&id), stored);
        assert_eq!(one.blobs.content(&digest, 1 << 30).unwrap(), content, "cut at {cuts:?}");
        assert!(matches!(one.blobs.resume(&id, "a"), Err(Error::NoUpload(_))));
    }
    one.settle(0);
}

fn sessions_end(one: &World, two: &World) {
    let id = one.blobs.start_upload("a").unwrap();
    assert!(matches!(one.blobs.resume(&id, "b"), Err(Error::NoUpload(_))), "of another repository");
    let mut upload = one.blobs.resume(&id, "a").unwrap();
    assert!(matches!(two.blobs.resume(&id, "a"), Err(Error::Busy(_))));
    upload.write(&bytes(PART + 1, 1)).unwrap();
    drop(upload);
    // Given back without anybody waiting.
    two.resume(&id).discard().unwrap();
    two.runtime.block_on(two.facts.remove_upload(&id)).unwrap();
    assert!(matches!(one.blobs.resume(&id, "a"), Err(Error::NoUpload(_))));

    let old = one.blobs.start_upload("a").unwrap();
    one.patch(&old, &bytes(2 * PART, 2));
    assert_eq!(one.blobs.expire_uploads(Duration::from_hours(1)).unwrap(), Vec::<String>::new());
    assert_eq!(one.blobs.expire_uploads(Duration::ZERO).unwrap(), std::slice::from_ref(&old));
    one.runtime.block_on(one.facts.remove_upload(&old)).unwrap();
    one.settle(0);
}

fn what_is_condemned_goes(world: &World) {
    let content = bytes(1000, 77);
    let digest = world.push(&content);
    let place = world.runtime.block_on(world.facts.place(&digest)).unwrap().unwrap();
    world.runtime.block_on(world.facts.remove_blob("a", &digest)).unwrap();
    let later = Timestamp::from_second(4_000_000_000).unwrap();
    let condemned = world.runtime.block_on(world.facts.condemn(later, 1000)).unwrap();
    let contents = condemned.iter().find(|contents| contents.digest == digest).unwrap();
    assert_eq!(contents.place, place);
    world.blobs.remove(contents).unwrap();
    world.blobs.remove(contents).unwrap();
    assert_eq!(world.blobs.size(&digest).unwrap(), None);
    // It comes again before the facts have heard that it is gone.
    assert_eq!(world.push(&content), digest);
    assert_eq!(world.blobs.content(&digest, 1000).unwrap(), content);
    world.runtime.block_on(world.facts.bury(condemned)).unwrap();
    assert_eq!(world.blobs.content(&digest, 1000).unwrap(), content);
}
