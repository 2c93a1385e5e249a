//! Facts: transactions, group commit, and what survives reopening.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Facts, Kind, NewManifest, State};

use crate::databases::Database;

pub fn manifest(repository: &str, tag: &str, digest: &Digest, blobs: &[&Digest]) -> NewManifest {
    NewManifest {
        repository: repository.to_owned(),
        digest: digest.clone(),
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 10,
        place: String::new(),
        content_size: 100,
        kind: Kind::Image,
        platform: "linux/amd64".parse().ok(),
        subject: None,
        artifact_type: None,
        annotations: None,
        about: None,
        blobs: blobs.iter().map(|digest| (*digest).clone()).collect(),
        manifests: vec![],
        tags: if tag.is_empty() { vec![] } else { vec![tag.to_owned()] },
        by: None,
        at: Timestamp::now(),
    }
}

#[tokio::test]
async fn a_manifest_comes_with_everything_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let facts = Facts::open(folder.path()).await.unwrap();
    let (image, layer, hole) = (Digest::of(b"image"), Digest::of(b"layer"), Digest::of(b"hole"));
    facts.add_blob("a", &layer, 5).await.unwrap();
    let missing = facts.put_manifest(manifest("a", "v1", &image, &[&layer, &hole])).await.unwrap();
    assert_eq!(missing, [hole]);
    assert_eq!(facts.manifest("a", &image).await.unwrap(), None);
    assert_eq!(facts.tag("a", "v1").await.unwrap(), None);
    assert_eq!(facts.judgement(&image).await.unwrap(), None);

    let missing = facts.put_manifest(manifest("a", "v1", &image, &[&layer])).await.unwrap();
    assert!(missing.is_empty());
    assert_eq!(facts.tag("a", "v1").await.unwrap(), Some(image.clone()));
    assert_eq!(facts.judgement(&image).await.unwrap().unwrap().state, State::Pending);
    assert_eq!(facts.pending(10).await.unwrap(), std::slice::from_ref(&image));
    assert_eq!(facts.pointing_to("a", &layer).await.unwrap().len(), 1);

    // A second repository keeps the bytes and the judgement alive.
    facts.add_blob("b", &layer, 5).await.unwrap();
    facts.put_manifest(manifest("b", "v1", &image, &[&layer])).await.unwrap();
    assert!(facts.remove_manifest("a", &image).await.unwrap());
    assert_eq!(facts.tag("a", "v1").await.unwrap(), None);
    assert!(facts.judgement(&image).await.unwrap().is_some());
    assert!(facts.remove_blob("a", &layer).await.unwrap());
    assert!(facts.remove_manifest("b", &image).await.unwrap());
    assert!(!facts.remove_manifest("b", &image).await.unwrap());
    assert!(facts.judgement(&image).await.unwrap().is_none());
    assert!(facts.remove_blob("b", &layer).await.unwrap());
    assert!(!facts.remove_blob("b", &layer).await.unwrap());
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    for database in Database::each() {
        what_was_written_is_there_after_reopening_on(&database).await;
    }
}

async fn what_was_written_is_there_after_reopening_on(database: &Database) {
    let layer = Digest::of(b"layer");
    {
        let facts = database.open().await;
        let work = (0..200).map(|n| {
            let (facts, layer) = (facts.clone(), layer.clone());
            tokio::spawn(async move { facts.add_blob(&format!("r{n:03}"), &layer, 5).await })
        });
        for done in work.collect::<Vec<_>>() {
            done.await.unwrap().unwrap();
        }
        facts.set("name", "value").await.unwrap();
        let until = Timestamp::from_second(4_000_000_000).unwrap();
        facts.revoke("id", until).await.unwrap();
        facts.revoke("id", until).await.unwrap();
    }
    let facts = database.open().await;
    assert_eq!(facts.repositories("", 1000).await.unwrap().len(), 200);
    assert_eq!(facts.repositories("r197", 10).await.unwrap(), ["r198", "r199"]);
    assert_eq!(facts.setting("name").await.unwrap().as_deref(), Some("value"));
    let until = Timestamp::from_second(4_000_000_000).unwrap();
    assert_eq!(facts.revoked(Timestamp::now()).await.unwrap(), [("id".to_owned(), until)]);
    assert_eq!(facts.revoked(until).await.unwrap(), [], "it has expired by itself");
}

#[tokio::test]
async fn the_database_is_private() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let _facts = Facts::open(folder.path()).await.unwrap();
    for name in ["facts.db", "facts.db-wal", "facts.db-shm"] {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn attempts_are_counted_and_a_new_push_starts_over() {
    for database in Database::each() {
        attempts_are_counted_and_a_new_push_starts_over_on(&database).await;
    }
}

async fn attempts_are_counted_and_a_new_push_starts_over_on(database: &Database) {
    let facts = database.open().await;
    let image = Digest::of(b"image");
    facts.put_manifest(manifest("a", "v1", &image, &[])).await.unwrap();
    let later = Timestamp::now() + std::time::Duration::from_mins(5);
    assert_eq!(facts.claim_image(&image, Timestamp::UNIX_EPOCH).await.unwrap(), Some(1));
    assert_eq!(facts.claim_image(&image, later).await.unwrap(), Some(2), "that claim was over at once");
    // As if the clock had been set back since then.
    facts.keep_image(&image, Timestamp::from_second(4_000_000_000).unwrap()).await.unwrap();
    assert_eq!(facts.pending(10).await.unwrap(), std::slice::from_ref(&image), "no claim is that long");
    facts.keep_image(&image, later).await.unwrap();
    assert_eq!(facts.claim_image(&image, later).await.unwrap(), None, "somebody has it");
    assert_eq!(facts.pending(10).await.unwrap(), Vec::<Digest>::new());
    facts.keep_image(&image, Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(facts.pending(10).await.unwrap(), std::slice::from_ref(&image), "it was given back");
    let failed = boltseal_store::Outcome::Failed { error: "truncated".to_owned() };
    facts.record(vec![(image.clone(), failed)], Timestamp::now()).await.unwrap();
    let judgement = facts.judgement(&image).await.unwrap().unwrap();
    assert_eq!((judgement.state, judgement.error.as_deref()), (State::Failed, Some("truncated")));
    assert_eq!(facts.pending(10).await.unwrap(), Vec::<Digest>::new());
    facts.put_manifest(manifest("a", "v2", &image, &[])).await.unwrap();
    assert_eq!(facts.pending(10).await.unwrap(), std::slice::from_ref(&image));
    assert_eq!(facts.claim_image(&image, later).await.unwrap(), Some(1));
    facts.end_claims().await.unwrap();
    assert_eq!(facts.pending(10).await.unwrap().is_empty(), facts.is_shared(), "only where nobody else is");
}
