//! An upstream that is away, in a hurry, broken, or not honest.

use boltseal_model::Digest;
use serde_json::json;

use super::{
    there::{Mood, There},
    upstream,
};
use crate::world::World;

const LAYER: &[u8] = b"\x1f\x8b a layer of some bytes";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_here_is_served_whatever_the_upstream_does() {
    for (mood, missing, code) in [
        (Mood::Status(429), 429, "TOOMANYREQUESTS"),
        (Mood::Status(503), 502, "MANIFEST_UNKNOWN"),
        (Mood::Status(500), 502, "MANIFEST_UNKNOWN"),
        (Mood::Status(403), 403, "DENIED"),
        (Mood::Hang, 0, ""),
        (Mood::LieAboutManifests, 502, "MANIFEST_UNKNOWN"),
    ] {
        let (world, there) = (World::new().await, There::new().await);
        let digest = there.image("app", Some("v1"), "", LAYER);
        there.image("app", Some("v2"), "", LAYER);
        upstream(&world, &there.address, json!({ "ttl": 0 })).await;
        assert_eq!(world.get("/v2/cache/app/manifests/v1").await.status.as_u16(), 200);
        let noted =
            async || world.facts.upstream_check("", &format!("upstream cache at {}", there.address)).await;
        assert_eq!(noted().await.unwrap().unwrap().body, None, "it gave an answer");
        there.is(mood);
        if mood == Mood::LieAboutManifests {
            there.image("app", Some("v1"), "", b"\x1f\x8b newer");
        }
        for _ in 0..2 {
            let reply = world.get("/v2/cache/app/manifests/v1").await;
            assert_eq!(reply.status.as_u16(), 200, "{mood:?}: {}", reply.text());
            assert_eq!(reply.header("docker-content-digest"), digest.to_string());
            let warnings: Vec<_> = reply.headers.get_all("warning").iter().collect();
            assert_eq!(warnings.len(), 2, "{mood:?}: {warnings:?}");
            assert!(warnings[0].to_str().unwrap().starts_with("110 "), "{warnings:?}");
            assert!(warnings[1].to_str().unwrap().starts_with("299 - \"stale: "), "{warnings:?}");
        }
        let asked = there.asked().len();
        assert!(asked <= 12, "{mood:?}: it is left alone: {asked}");
        if missing == 0 {
            continue;
        }
        let trouble = noted().await.unwrap().unwrap().body;
        assert!(trouble.is_some_and(|why| !why.is_empty()), "{mood:?}: people are told");
        let reply = world.get("/v2/cache/other/manifests/v2").await;
        let by = (reply.status.as_u16(), reply.code());
        if mood == Mood::LieAboutManifests {
            assert_eq!(reply.status.as_u16(), 404, "that one does not exist");
        } else {
            assert_eq!(by, (missing, code.to_owned()), "{mood:?}: {}", reply.text());
        }
        match mood {
            Mood::Status(429) => {
                assert!((1..=7).contains(&reply.header("retry-after").parse::<u32>().unwrap()));
            }
            Mood::Status(500 | 503) => assert_eq!(reply.header("retry-after"), "10"),
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lies_are_not_kept() {
    let (world, there) = (World::new().await, There::new().await);
    let digest = there.image("app", Some("v1"), "", LAYER);
    upstream(&world, &there.address, json!({})).await;
    for mood in [Mood::LieAboutManifests, Mood::LieAboutBlobs] {
        there.is(mood);
        for reference in ["v1".to_owned(), digest.to_string()] {
            let reply = world.get(&format!("/v2/cache/app/manifests/{reference}")).await;
            assert_eq!(reply.status.as_u16(), 502, "{mood:?} {reference}: {}", reply.text());
            assert!(reply.text().contains("digest"), "{}", reply.text());
        }
        assert_eq!(
            world.get(&format!("/v2/cache/app/blobs/{}", Digest::of(LAYER))).await.status.as_u16(),
            404
        );
    }
    there.is(Mood::Well);
    assert_eq!(world.get("/v2/cache/app/manifests/v1").await.status.as_u16(), 200);
    let layer = world.get(&format!("/v2/cache/app/blobs/{}", Digest::of(LAYER))).await;
    assert_eq!(layer.body, LAYER);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_download_goes_on_where_it_was() {
    let (world, there) = (World::new().await, There::new().await);
    let layer: Vec<u8> = [0x1f, 0x8b].into_iter().chain((0..200_000_u32).map(|n| (n % 251) as u8)).collect();
    there.image("app", Some("v1"), "", &layer);
    upstream(&world, &there.address, json!({})).await;
    there.is(Mood::Cut);
    let reply = world.get("/v2/cache/app/manifests/v1").await;
    assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
    let stored = world.get(&format!("/v2/cache/app/blobs/{}", Digest::of(&layer))).await;
    assert!(stored.body == layer);
}

/// A manifest may name any digest, also one of a blob that its author cannot read.
#[tokio::test(flavor = "multi_thread")]
async fn blobs_of_others_are_not_opened_by_naming_them() {
    let (world, there) = (World::new().await, There::new().await);
    world.push_image("secret", "v1", "", b"\x1f\x8b secret").await;
    let secret = Digest::of(b"\x1f\x8b secret");
    let text = json!({
        "schemaVersion": 2, "mediaType": crate::world::OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": there.blob(b"{}"), "size": 2},
        "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": secret, "size": 9}],
    });
    there.manifest("app", Some("thief"), crate::world::OCI_MANIFEST, &text.to_string());
    upstream(&world, &there.address, json!({})).await;
    // The list of upstreams may be a second old.
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let reply = world.get("/v2/cache/app/manifests/thief").await;
    assert_eq!(reply.status.as_u16(), 404, "{}", reply.text());
    assert_eq!(world.get(&format!("/v2/cache/app/blobs/{secret}")).await.status.as_u16(), 404);

    // One that both have is fetched once.
    let shared = b"\x1f\x8b shared";
    world.push_image("mine", "v1", "", shared).await;
    there.image("app", Some("shared"), "", shared);
    there.asked();
    assert_eq!(world.get("/v2/cache/app/manifests/shared").await.status.as_u16(), 200);
    let path = format!("/v2/app/blobs/{}", Digest::of(shared));
    let asked = there.asked();
    assert!(asked.contains(&format!("HEAD {path}")) && !asked.contains(&format!("GET {path}")), "{asked:?}");
}
