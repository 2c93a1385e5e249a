//! Entries of the log: in the commit of their change or not at all, numbered without gaps, there after reopening.

use boltseal_model::Digest;
use boltseal_store::{Document, Error, Facts, MAX_ENTRY, Pending};

use crate::{databases::Database, facts::manifest};

async fn all(facts: &Facts) -> Vec<(u64, String)> {
    let batches = facts.batches(0, 1000).await.unwrap();
    let numbered = batches.into_iter().flat_map(|batch| (batch.first..).zip(batch.entries));
    numbered.map(|(number, entry)| (number, String::from_utf8(entry).unwrap())).collect()
}

fn entry(text: &str) -> Vec<Vec<u8>> {
    vec![text.as_bytes().to_vec()]
}

#[tokio::test]
async fn only_what_happened_is_recorded() {
    for database in Database::each() {
        only_what_happened_is_recorded_on(&database).await;
    }
}

async fn only_what_happened_is_recorded_on(database: &Database) {
    let facts = database.open().await;
    let (image, hole) = (Digest::of(b"image"), Digest::of(b"hole"));

    let missing = facts.recording(entry("no")).put_manifest(manifest("a", "v1", &image, &[&hole])).await;
    assert_eq!(missing.unwrap(), std::slice::from_ref(&hole));
    assert!(!facts.recording(entry("no")).remove_manifest("a", &image).await.unwrap());
    assert!(!facts.recording(entry("no")).remove_tag("a", "v1").await.unwrap());
    assert!(!facts.recording(entry("no")).remove_blob("a", &hole).await.unwrap());
    assert_eq!(all(&facts).await, [], "nothing happened");

    let recording = facts.recording(entry("push"));
    assert!(recording.put_manifest(manifest("a", "v1", &image, &[])).await.unwrap().is_empty());
    recording.put_manifest(manifest("a", "v2", &image, &[])).await.unwrap();
    assert!(facts.recording(entry("untag")).remove_tag("a", "v1").await.unwrap());
    facts.append(vec![b"seen".to_vec(), b"seen too".to_vec()]).await.unwrap();
    let expected = ["push", "untag", "seen", "seen too"].map(str::to_owned);
    assert_eq!(
        all(&facts).await,
        (0..).zip(expected).collect::<Vec<_>>(),
        "entries go with the next change only"
    );
}

#[tokio::test]
async fn numbers_go_on_after_taking_over_and_reopening() {
    for database in Database::each() {
        numbers_go_on_after_taking_over_and_reopening_on(&database).await;
    }
}

async fn numbers_go_on_after_taking_over_and_reopening_on(database: &Database) {
    {
        let facts = database.open().await;
        assert_eq!(*facts.entered().borrow(), 0);
        let appends = (0..200).map(|n| {
            let facts = facts.clone();
            tokio::spawn(async move { facts.append(entry(&n.to_string())).await })
        });
        for append in appends.collect::<Vec<_>>() {
            append.await.unwrap().unwrap();
        }
        assert_eq!(*facts.entered().borrow(), 200);
        let numbers: Vec<u64> = all(&facts).await.into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, (0..200).collect::<Vec<_>>());
        facts.taken_over(200).await.unwrap();
        assert_eq!(*facts.entered().borrow(), 200, "the last batch says where to go on");
    }
    let facts = database.open().await;
    facts.append(entry("later")).await.unwrap();
    assert_eq!(facts.batches(200, 10).await.unwrap().first().unwrap().first, 200);
    assert_eq!(*facts.entered().borrow(), 201);

    facts.skip_entries(100).await.unwrap();
    assert_eq!(*facts.entered().borrow(), 201, "never backwards");
    facts.skip_entries(500).await.unwrap();
    drop(facts);
    let facts = database.open().await;
    facts.append(entry("after")).await.unwrap();
    assert_eq!(*facts.entered().borrow(), 501);
}

#[tokio::test]
async fn without_a_log_nothing_that_belongs_into_it_is_done() {
    for database in Database::each() {
        without_a_log_nothing_that_belongs_into_it_is_done_on(&database).await;
    }
}

async fn without_a_log_nothing_that_belongs_into_it_is_done_on(database: &Database) {
    let facts = database.open().await;
    let document =
        |id: &str| Document { kind: "role".to_owned(), id: id.to_owned(), body: Some("{}".to_owned()) };
    facts.recording(entry("made")).change_documents(vec![document("1")]).await.unwrap();

    let long = vec![vec![b'x'; MAX_ENTRY + 1]];
    let refused = facts.recording(long).change_documents(vec![document("2")]).await;
    assert!(matches!(refused, Err(Error::EntryTooLong { bytes: 65_536, limit: 65_535 })), "{refused:?}");

    facts.close_log("tile 3 was changed");
    let refused = facts.clone().recording(entry("made")).change_documents(vec![document("3")]).await;
    assert!(matches!(&refused, Err(Error::LogClosed(why)) if why == "tile 3 was changed"), "{refused:?}");
    assert!(matches!(facts.append(entry("seen")).await, Err(Error::LogClosed(_))));
    facts.set("mode", "quiet").await.unwrap();
    assert_eq!(facts.documents().await.unwrap(), [document("1")]);
    assert_eq!(all(&facts).await, [(0, "made".to_owned())]);
}

#[tokio::test]
async fn whoever_only_reads_sees_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Pending::open(folder.path()).is_err(), "and makes no database");
    assert!(!folder.path().join("facts.db").exists());
    let facts = Facts::open(folder.path()).await.unwrap();
    facts.append(entry("one")).await.unwrap();
    let pending = Pending::open(folder.path()).unwrap();
    assert_eq!(pending.next().await.unwrap(), 1);
    facts.append(entry("two")).await.unwrap();
    facts.append(entry("three")).await.unwrap();
    assert_eq!(pending.next().await.unwrap(), 3, "while a server writes");
    facts.taken_over(2).await.unwrap();
    let batches = pending.batches(0, 10).await.unwrap();
    assert_eq!(batches.iter().map(|batch| batch.first).collect::<Vec<_>>(), [2]);
}
