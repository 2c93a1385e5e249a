//! Garbage goes while everybody goes on; damaged bytes are found, told of, and repaired.

mod repair;
mod rot;
mod storm;

use std::{collections::BTreeSet, path::Path, time::Duration};

use axum::http::StatusCode;
use boltseal_model::Digest;
use boltseal_store::{Facts, Job, JobState};

use crate::world::World;

/// Asks for a job and waits for its end.
pub async fn job(facts: &Facts, kind: &str, spec: &str) -> Job {
    let id = facts.request_job(kind, spec, "test").await.unwrap();
    loop {
        let job = facts.job(&id).await.unwrap().unwrap();
        if job.state.is_over() {
            assert_eq!(job.state, JobState::Done, "{job:?}");
            return job;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Files of a folder below the data folder.
pub fn files(world: &World, folder: &str) -> BTreeSet<String> {
    let path: &Path = world.folder.path();
    let Ok(entries) = std::fs::read_dir(path.join(folder)) else { return BTreeSet::new() };
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

async fn status(world: &World, method: &str, path: &str) -> StatusCode {
    world.call(method, path, &[], "").await.status
}

#[tokio::test]
async fn what_nobody_needs_goes_and_the_rest_stays() {
    let world = World::new().await;
    world.facts.set_trash_days(0).await.unwrap();
    let image = world.push_image("a", "v1", "allow", b"layer").await;
    let loose = world.push_blob("a", b"loose").await;
    let path = format!("/v2/a/blobs/{loose}");
    assert_eq!(status(&world, "GET", &path).await, StatusCode::OK, "now it is remembered");

    let plan = job(&world.facts, "collect", r#"{"grace":0,"dry_run":true}"#).await.message.unwrap();
    assert!(plan.contains("would free 5 B of 1") && plan.contains("a (1 blobs, 5 B)"), "{plan}");
    let kept = job(&world.facts, "collect", "{}").await.message.unwrap();
    assert!(kept.starts_with("freed 0 B of 0"), "an hour has not passed: {kept}");
    assert_eq!(status(&world, "HEAD", &path).await, StatusCode::OK);

    let done = job(&world.facts, "collect", r#"{"grace":0}"#).await;
    assert_eq!((done.done, done.total), (5, 5), "{done:?}");
    assert_eq!(status(&world, "GET", &path).await, StatusCode::NOT_FOUND, "caches have forgotten it");
    assert!(!files(&world, "blobs/sha256").contains(&loose.hex()));
    assert_eq!(world.get("/v2/a/manifests/v1").await.status, StatusCode::OK);
    let manifest = world.image("a", "allow", b"loose").await;
    job(&world.facts, "collect", r#"{"grace":0}"#).await;
    let late = world.put_manifest("a", "v2", &manifest).await;
    assert_eq!(late.code(), "MANIFEST_BLOB_UNKNOWN", "the push came too late and is told so");

    assert_eq!(status(&world, "DELETE", &format!("/v2/a/manifests/{image}")).await, StatusCode::ACCEPTED);
    job(&world.facts, "collect", r#"{"grace":0}"#).await;
    assert_eq!(files(&world, "blobs/sha256"), BTreeSet::new());
}

#[tokio::test]
async fn files_that_nothing_names_are_found_by_looking() {
    let world = World::new().await;
    world.push_image("a", "v1", "allow", b"layer").await;
    let before = files(&world, "blobs/sha256");
    let stray = Digest::of(b"stray");
    let folder = world.folder.path().join("blobs/sha256");
    std::fs::write(folder.join(stray.hex()), b"stray").unwrap();
    std::fs::write(folder.join("README"), b"not ours").unwrap();
    let done = job(&world.facts, "collect", r#"{"grace":3600,"deep":true}"#).await.message.unwrap();
    assert!(!done.contains("stray"), "it may be on its way in: {done}");
    let done = job(&world.facts, "collect", r#"{"grace":0,"deep":true}"#).await.message.unwrap();
    assert!(done.contains("1 stray files, 5 B"), "{done}");
    let mut after = files(&world, "blobs/sha256");
    assert!(after.remove("README"), "nobody knows what that is");
    assert_eq!(after, before);
}
