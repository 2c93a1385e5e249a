//! A bit flips on the disk.

use axum::http::StatusCode;
use boltseal_audit::record::Outcome;
use boltseal_model::Digest;

use super::{files, job};
use crate::world::World;

pub const SCRUB: &str = r#"{"days":0}"#;

/// Changes one bit of a stored file.
pub fn flip(world: &World, digest: &Digest) {
    let path = world.folder.path().join("blobs/sha256").join(digest.hex());
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[1] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

#[tokio::test]
async fn it_is_found_told_of_set_aside_and_repaired_by_the_next_push() {
    let world = World::new().await;
    let image = world.push_image("a", "v1", "allow", b"layer").await;
    let layer = Digest::of(b"layer");
    let (blob, manifest) = (format!("/v2/a/blobs/{layer}"), "/v2/a/manifests/v1");
    assert_eq!(world.get(&blob).await.body, b"layer", "now it is remembered");
    assert_eq!(world.get(manifest).await.status, StatusCode::OK);
    let whole = job(&world.facts, "scrub", SCRUB).await.message.unwrap();
    assert!(whole.contains("nothing is damaged"), "{whole}");

    flip(&world, &layer);
    flip(&world, &image);
    let found = job(&world.facts, "scrub", SCRUB).await.message.unwrap();
    assert!(found.contains("2 damaged"), "{found}");
    assert_eq!(files(&world, "quarantine").len(), 2);
    assert_eq!(world.facts.rotten(10).await.unwrap().len(), 2);
    let alerts: Vec<_> = world.records().await.into_iter().filter(|record| record.alert).collect();
    assert_eq!(alerts.len(), 2, "somebody is told");
    assert!(alerts.iter().all(|record| record.outcome == Outcome::Failure));

    let reply = world.get(&blob).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "BLOB_UNKNOWN"));
    assert!(reply.text().contains("damaged"), "{}", reply.text());
    let reply = world.get(manifest).await;
    assert_eq!((reply.status, reply.code().as_str()), (StatusCode::NOT_FOUND, "MANIFEST_UNKNOWN"));
    assert!(reply.text().contains("damaged"), "{}", reply.text());
    let head = world.call("HEAD", &blob, &[], "").await;
    assert_eq!(head.status, StatusCode::NOT_FOUND, "whoever pushes must bring it");
    let mount = world.call("POST", &format!("/v2/b/blobs/uploads/?mount={layer}&from=a"), &[], "").await;
    assert_eq!(mount.status, StatusCode::ACCEPTED, "it must be uploaded");
    world.call("DELETE", mount.header("location"), &[], "").await;
    let again = job(&world.facts, "scrub", SCRUB).await.message.unwrap();
    assert!(again.contains("nothing is damaged"), "what is known is not told of again: {again}");

    assert_eq!(world.push_image("a", "v1", "allow", b"layer").await, image);
    assert_eq!(world.get(&blob).await.body, b"layer");
    assert_eq!(world.get(manifest).await.status, StatusCode::OK);
    assert_eq!(world.facts.rotten(10).await.unwrap(), []);
    assert_eq!(files(&world, "quarantine").len(), 2, "what was damaged stays for somebody to look at");
}

#[tokio::test]
async fn a_damaged_manifest_is_not_served_though_nobody_has_looked() {
    let world = World::new().await;
    let image = world.push_image("a", "v1", "allow", b"layer").await;
    flip(&world, &image);
    let reply = world.get(&format!("/v2/a/manifests/{image}")).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND, "{}", reply.text());
    assert!(reply.text().contains("damaged"), "{}", reply.text());
}
