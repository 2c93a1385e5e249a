//! What a lock or a rule above something says of it, however far above.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Facts, ImmutableRule, Kind, Locked, NewManifest};

use crate::{
    databases::Database,
    facts::manifest,
    life::{DELETE, OPEN, layer, lock, push, word},
};

/// An index of these, under a tag.
async fn index(facts: &Facts, tag: &str, text: &str, children: &[&Digest]) -> Digest {
    let digest = Digest::of(text.as_bytes());
    let list = NewManifest {
        kind: Kind::Index,
        manifests: children.iter().map(|child| (*child).clone()).collect(),
        ..manifest("team/app", tag, &digest, &[])
    };
    assert_eq!(facts.put_manifest(list).await.unwrap(), []);
    digest
}

#[tokio::test]
async fn everything_below_a_lock_stays() {
    for database in Database::each() {
        let facts = database.open().await;
        let image = push(&facts, "team/app", "", "one").await.unwrap();
        let beside = push(&facts, "team/app", "", "two").await.unwrap();
        let inner = index(&facts, "", "inner", &[&image]).await;
        let outer = index(&facts, "v1", "outer", &[&inner]).await;
        for target in [
            Locked::Tag("v1".to_owned()),
            Locked::Manifest(outer.clone()),
            Locked::Manifest(inner.clone()),
            Locked::Manifest(image.clone()),
        ] {
            lock(&facts, target.clone(), DELETE).await;
            let found = word(&facts.remove_blob("team/app", &layer("one")).await);
            assert_eq!(found, "deleteEnabled", "the layer, under {target:?}");
            let found = word(&facts.remove_manifest("team/app", &image).await);
            assert_eq!(found, "deleteEnabled", "the image, under {target:?}");
            lock(&facts, target, OPEN).await;
        }
        lock(&facts, Locked::Tag("v1".to_owned()), DELETE).await;
        assert_eq!(word(&facts.remove_blob("team/app", &layer("two")).await), "done", "beside it");
        assert_eq!(word(&facts.remove_manifest("team/app", &beside).await), "done", "beside it");
        lock(&facts, Locked::Tag("v1".to_owned()), OPEN).await;
        assert_eq!(word(&facts.remove_blob("team/app", &layer("one")).await), "done");
        assert_eq!(word(&facts.remove_manifest("team/app", &image).await), "done");
    }
}

#[tokio::test]
async fn everything_below_an_immutable_tag_stays() {
    let rule = ImmutableRule {
        id: "releases".to_owned(),
        repositories: "team/*".to_owned(),
        tags: "v*".to_owned(),
        exceptions: String::new(),
        by: "alice".to_owned(),
        at: Timestamp::from_second(1_800_000_000).unwrap(),
    };
    for database in Database::each() {
        let facts = database.open().await;
        let image = push(&facts, "team/app", "latest", "one").await.unwrap();
        facts.put_immutable_rule(rule.clone()).await.unwrap();
        let list = index(&facts, "v1", "list", &[&image]).await;
        assert_eq!(word(&facts.remove_blob("team/app", &layer("one")).await), "immutable");
        assert_eq!(word(&facts.remove_manifest("team/app", &image).await), "immutable");
        assert_eq!(word(&facts.remove_manifest("team/app", &list).await), "immutable");
        assert_eq!(word(&facts.remove_tag("team/app", "latest").await), "done", "its own tag is another");
    }
}
