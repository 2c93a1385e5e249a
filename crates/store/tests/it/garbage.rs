//! Who needs which bytes: counted right through pushes, mounts and deletions, and nothing needed is ever garbage.

use std::time::Duration;

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Error, Facts, Garbage, NewManifest, Stored, Topic, Unscrubbed};

use crate::{databases::Database, facts::manifest};

/// After everything that the test does.
fn later() -> Timestamp {
    Timestamp::from_second(4_000_000_000).unwrap()
}

async fn push(facts: &Facts, repository: &str, image: &Digest, layer: &Digest) {
    facts.add_blob(repository, layer, 5).await.unwrap();
    let image = NewManifest { blobs: vec![layer.clone()], ..manifest(repository, "v1", image, &[]) };
    assert!(facts.put_manifest(image).await.unwrap().is_empty());
}

/// Collects everything, and gives the digests whose bytes are to be removed.
async fn collect(facts: &Facts) -> Vec<Digest> {
    while !facts.drop_unlinked(later(), 1).await.unwrap().is_empty() {}
    let condemned = facts.condemn(later(), 100).await.unwrap();
    for one in &condemned {
        assert!(facts.is_condemned(one).await.unwrap());
    }
    facts.bury(condemned.clone()).await.unwrap();
    let mut digests: Vec<_> = condemned.into_iter().map(|one| one.digest).collect();
    digests.sort_unstable_by_key(ToString::to_string);
    digests
}

#[tokio::test]
async fn only_what_nobody_needs_is_garbage() {
    for database in Database::each() {
        let facts = database.open().await;
        let [image, layer, loose] = ["image", "layer", "loose"].map(|text| Digest::of(text.as_bytes()));
        push(&facts, "a", &image, &layer).await;
        assert_eq!(facts.mount("a", "b", &layer).await.unwrap(), Some(5));
        assert_eq!(facts.mount("nowhere", "b", &loose).await.unwrap(), None);
        facts.add_blob("a", &loose, 7).await.unwrap();

        assert_eq!(
            facts.garbage(Timestamp::UNIX_EPOCH).await.unwrap(),
            Garbage::default(),
            "all is too young"
        );
        let garbage = facts.garbage(later()).await.unwrap();
        assert_eq!(
            (garbage.unlinked, garbage.unlinked_bytes),
            (2, 12),
            "the loose one, and the mounted one in b"
        );
        assert_eq!(
            (garbage.contents, garbage.bytes),
            (1, 7),
            "the bytes of the mounted one are still needed in a"
        );
        let sample = facts.garbage_sample(later(), 10).await.unwrap();
        assert_eq!(sample.largest, [(loose.clone(), 7)]);
        assert_eq!(sample.repositories, [("a".to_owned(), 1, 7), ("b".to_owned(), 1, 5)]);
        assert_eq!(collect(&facts).await, std::slice::from_ref(&loose), "the layer is still in a");
        assert_eq!(facts.blob("b", &layer).await.unwrap(), None);
        assert_eq!(facts.blob("a", &layer).await.unwrap(), Some(5));
        assert_eq!(facts.place(&loose).await.unwrap(), None);

        // A second push of the same changes nothing; a deletion frees manifest and layer.
        push(&facts, "a", &image, &layer).await;
        assert_eq!(collect(&facts).await, []);
        assert!(facts.remove_manifest("a", &image).await.unwrap());
        let mut both = [image.clone(), layer.clone()];
        both.sort_unstable_by_key(ToString::to_string);
        assert_eq!(collect(&facts).await, both);
        assert_eq!(facts.garbage(later()).await.unwrap(), Garbage::default());
    }
}

#[tokio::test]
async fn a_push_pardons_what_is_condemned() {
    for database in Database::each() {
        let facts = database.open().await;
        let layer = Digest::of(b"layer");
        let stored = |place: &str| Stored { digest: layer.clone(), size: 5, place: place.to_owned() };
        let unannounced = facts.finish_upload(None, "a", stored("one")).await;
        assert!(matches!(unannounced, Err(Error::NoUpload(_))), "it may be removed at any moment");
        for place in ["one", "two", "three"] {
            facts.announce_object(place, None, Some(later())).await.unwrap();
        }
        assert_eq!(facts.finish_upload(None, "a", stored("one")).await.unwrap(), "one");
        assert_eq!(
            facts.finish_upload(None, "a", stored("two")).await.unwrap(),
            "one",
            "the first bytes stay"
        );
        assert!(facts.remove_blob("a", &layer).await.unwrap());
        let condemned = facts.condemn(later(), 10).await.unwrap();
        assert_eq!(condemned.len(), 1);
        assert_eq!(
            facts.finish_upload(None, "a", stored("three")).await.unwrap(),
            "three",
            "the old ones may be gone"
        );
        let old = condemned.first().unwrap();
        assert!(!facts.is_condemned(old).await.unwrap());
        facts.bury(condemned.clone()).await.unwrap();
        assert_eq!(facts.place(&layer).await.unwrap().as_deref(), Some("three"));
        assert_eq!(facts.announced_objects().await.unwrap(), 2, "the first two are to be removed");
    }
}

#[tokio::test]
async fn rot_is_known_until_the_bytes_come_again() {
    for database in Database::each() {
        let facts = database.open().await;
        let layer = Digest::of(b"layer");
        facts.add_blob("a", &layer, 5).await.unwrap();
        let at = Timestamp::now();
        assert_eq!(facts.to_scrub(later(), 10).await.unwrap().len(), 1);
        assert!(facts.found_rotten(&layer, "other bytes", later()).await.unwrap());
        assert!(!facts.found_rotten(&Digest::of(b"nobody's"), "other bytes", later()).await.unwrap());
        assert_eq!(facts.to_scrub(at, 10).await.unwrap(), []);
        let held = facts.held_blob("a", &layer).await.unwrap().unwrap();
        assert_eq!((held.size, held.rotten.as_deref()), (5, Some("other bytes")));
        assert!(!facts.renew_blob("a", &layer, Duration::ZERO).await.unwrap(), "a push must bring it again");
        let rotten = facts.rotten(10).await.unwrap();
        assert_eq!(rotten.first().unwrap().rotten.as_deref(), Some("other bytes"));
        facts.add_blob("a", &layer, 5).await.unwrap();
        assert_eq!(facts.rotten(10).await.unwrap(), []);
        assert!(facts.renew_blob("a", &layer, Duration::ZERO).await.unwrap());
        facts.scrubbed(vec![layer.clone()], later()).await.unwrap();
        assert_eq!(facts.unscrubbed(at).await.unwrap(), Unscrubbed::default());
        let litter = Digest::of(b"litter");
        assert_eq!(facts.unknown_contents(&[layer.clone(), litter.clone()]).await.unwrap(), [litter]);
    }
}

#[tokio::test]
async fn whoever_pushes_keeps_what_is_there() {
    for database in Database::each() {
        let facts = database.open().await;
        let [layer, other] = ["layer", "other"].map(|text| Digest::of(text.as_bytes()));
        facts.add_blob("a", &layer, 5).await.unwrap();
        facts.add_blob("b", &other, 5).await.unwrap();
        tokio::time::sleep(Duration::from_millis(5)).await;
        let before = Timestamp::now();
        assert_eq!(facts.garbage(before).await.unwrap().unlinked, 2);
        assert!(facts.renew_blob("a", &layer, Duration::from_hours(1)).await.unwrap());
        assert_eq!(facts.garbage(before).await.unwrap().unlinked, 2, "an hour ago is soon enough");
        assert!(facts.renew_blob("a", &layer, Duration::ZERO).await.unwrap());
        assert!(!facts.renew_blob("a", &other, Duration::ZERO).await.unwrap(), "it is elsewhere");
        assert_eq!(facts.garbage(before).await.unwrap().unlinked, 1);
        facts.renew_unlinked("b", Duration::ZERO).await.unwrap();
        assert_eq!(facts.garbage(before).await.unwrap(), Garbage::default());
        let storage = facts.storage().await.unwrap();
        assert_eq!((storage.contents, storage.bytes, storage.referenced), (2, 10, 10));
        assert_eq!(facts.largest_repositories(1).await.unwrap().first().unwrap().name, "a");
    }
}

#[tokio::test]
async fn servers_hear_of_each_others_changes() {
    let Some(server) = boltseal_testkit::postgres() else { return };
    let address = server.database();
    let (one, two) = (Facts::connect(&address).await.unwrap(), Facts::connect(&address).await.unwrap());
    assert!(one.is_shared() && two.is_sure());
    let (mut own, mut other) = (one.following(), two.following());
    one.recording(vec![b"pushed".to_vec()]).add_blob("team/a", &Digest::of(b"x"), 1).await.unwrap();
    assert_eq!(other.next().await, Topic::Repository("team/a".to_owned()));
    assert_eq!(other.next().await, Topic::Entries(1));
    two.entered().wait_for(|next| *next == 1).await.unwrap();
    // Entries of both have one order without gaps.
    let appends = (0..100).map(|n: u32| {
        let facts = if n.is_multiple_of(2) { one.clone() } else { two.clone() };
        tokio::spawn(async move { facts.append(vec![n.to_be_bytes().to_vec()]).await })
    });
    for append in appends.collect::<Vec<_>>() {
        append.await.unwrap().unwrap();
    }
    let batches = one.batches(0, 1000).await.unwrap();
    let mut next = 0;
    for batch in batches {
        assert_eq!(batch.first, next);
        next += batch.entries.len() as u64;
    }
    assert_eq!(next, 101);
    two.set("name", "value").await.unwrap();
    two.change_documents(vec![]).await.unwrap();
    while own.next().await != Topic::Access {}
}

#[tokio::test]
async fn a_database_that_comes_back_is_used_again() {
    if boltseal_testkit::postgres().is_none() {
        return;
    }
    // One of its own: others run on the shared one.
    let server = boltseal_testkit::Postgres::start_own();
    let facts = Facts::connect(&server.database()).await.unwrap();
    let mut following = facts.following();
    facts.set("before", "1").await.unwrap();
    server.crash();
    assert!(facts.set("meanwhile", "1").await.is_err(), "nothing is acknowledged that is not stored");
    while following.is_sure() {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    server.resume();
    assert_eq!(following.next().await, Topic::Everything);
    assert!(
        following.is_sure() || {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            following.is_sure()
        }
    );
    facts.set("after", "1").await.unwrap();
    assert_eq!(facts.setting("before").await.unwrap().as_deref(), Some("1"));
    assert_eq!(facts.setting("meanwhile").await.unwrap(), None);
}
