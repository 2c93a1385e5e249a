//! Deleting by rules: what goes is in the log, what is locked stays, and an interrupted job ends well.

use std::time::Duration;

use boltseal_audit::record::Activity;
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Document, Job, Kind, LockChange, Locked, NewManifest};

use crate::world::{OCI_MANIFEST, World};

async fn rule(world: &World, name: &str, body: serde_json::Value) {
    let mut body = body;
    body["name"] = name.into();
    let document =
        Document { kind: "registry.retention".to_owned(), id: name.to_owned(), body: Some(body.to_string()) };
    world.facts.change_settings(vec![document]).await.unwrap();
}

async fn run(world: &World, spec: &str) -> Job {
    let id = world.facts.request_job("retention", spec, "alice").await.unwrap();
    for _ in 0..600 {
        let job = world.facts.job(&id).await.unwrap().unwrap();
        if job.state.is_over() {
            return job;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the job does not end");
}

/// Makes everything of a repository look old: rules leave alone what has just come.
async fn age(world: &World, repository: &str, days: i64) {
    let at = Timestamp::from_second(Timestamp::now().as_second() - days * 86_400 - 1).unwrap();
    for digest in there(world, repository).await {
        let again = NewManifest {
            repository: repository.to_owned(),
            digest,
            media_type: OCI_MANIFEST.to_owned(),
            size: 1,
            place: String::new(),
            content_size: 1,
            kind: Kind::Image,
            platform: None,
            subject: None,
            artifact_type: None,
            annotations: None,
            about: None,
            blobs: vec![],
            manifests: vec![],
            tags: vec![],
            by: None,
            at,
        };
        world.facts.put_manifest(again).await.unwrap();
    }
}

async fn there(world: &World, repository: &str) -> Vec<Digest> {
    world.facts.kept_manifests(repository, 100).await.unwrap().into_iter().map(|kept| kept.digest).collect()
}

#[tokio::test]
async fn what_goes_is_gone_and_told() {
    let world = World::new().await;
    let old = world.push_image("team/app", "build-1", "", b"one").await;
    let locked = world.push_image("team/app", "build-2", "", b"two").await;
    let kept = world.push_image("team/app", "v1", "", b"three").await;
    let elsewhere = world.push_image("other", "build-1", "", b"four").await;
    age(&world, "team/app", 100).await;
    age(&world, "other", 100).await;
    let lock = LockChange { delete: Some(false), ..LockChange::default() };
    let tag = Locked::Tag("build-2".to_owned());
    world.facts.change_lock("team/app", tag, lock, "bob", "", Timestamp::now()).await.unwrap();
    rule(&world, "old", serde_json::json!({"repositories": "team/*", "older_than_days": 30})).await;
    rule(&world, "versions", serde_json::json!({"repositories": "*", "keep": ["v*"]})).await;

    let job = run(&world, "{\"rule\":\"versions\"}").await;
    assert_eq!(
        (job.state.word(), there(&world, "team/app").await.len()),
        ("done", 3),
        "that rule only keeps"
    );
    let before = world.records().await.len();
    let job = run(&world, "{}").await;
    assert_eq!(job.state.word(), "done", "{:?}", job.message);
    assert!(job.message.as_deref().is_some_and(|text| text.starts_with("1 deleted")), "{:?}", job.message);
    let mut left = there(&world, "team/app").await;
    left.sort();
    let mut expected = vec![locked, kept];
    expected.sort();
    assert_eq!(left, expected);
    assert_eq!(there(&world, "other").await, [elsewhere]);
    assert_eq!(world.get("/v2/team/app/manifests/build-1").await.status, 404);

    let records = world.records().await;
    let deleted: Vec<_> = records.iter().skip(before).filter(|r| r.activity == Activity::Delete).collect();
    assert_eq!(deleted.len(), 1);
    assert_eq!(deleted[0].subject.digest, Some(old));
    assert_eq!(deleted[0].subject.scope, "/registries/main/repositories/team/app");
    assert!(deleted[0].status.as_deref().is_some_and(|why| why.contains("pushed 100 days ago")));
    assert_eq!(deleted[0].detail["asked_by"], "alice");
}
