//! What is fetched, when, and how often.

use std::sync::{Arc, atomic::Ordering};

use axum::body::Body;
use boltseal_model::Digest;
use serde_json::json;

use super::{there::There, upstream};
use crate::world::World;

const LAYER: &[u8] = b"\x1f\x8b a layer";

async fn status(world: &World, path: &str) -> u16 {
    world.get(path).await.status.as_u16()
}

fn gets(asked: &[String]) -> Vec<&str> {
    let gets = asked.iter().filter_map(|what| what.strip_prefix("GET "));
    gets.map(|path| path.rsplit_once('/').unwrap().1).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_clients_cost_one_download() {
    let (world, there) = (Arc::new(World::new().await), There::new().await);
    let digest = there.image("app", Some("v1"), "", LAYER);
    upstream(&world, &there.address, json!({})).await;
    let clients: Vec<_> = (0..100)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move { world.get("/v2/cache/app/manifests/v1").await })
        })
        .collect();
    for client in clients {
        let reply = client.await.unwrap();
        assert_eq!(reply.status.as_u16(), 200, "{}", reply.text());
        assert_eq!(reply.header("docker-content-digest"), digest.to_string());
        assert_eq!(reply.header("warning"), "");
    }
    assert_eq!(there.was_shown(), Vec::<String>::new(), "our clients' credentials end here");
    let asked = there.asked();
    assert_eq!(gets(&asked).iter().filter(|name| **name == "v1").count(), 1, "{asked:?}");
    assert_eq!(gets(&asked).len(), 3, "manifest, configuration and layer: {asked:?}");
    assert_eq!(world.judge.opened.load(Ordering::SeqCst), 1);

    let blob = world.get(&format!("/v2/cache/app/blobs/{}", Digest::of(LAYER))).await;
    assert_eq!((blob.status.as_u16(), blob.body.as_slice()), (200, LAYER));
    assert_eq!(status(&world, &format!("/v2/cache/app/manifests/{digest}")).await, 200);
    assert_eq!(there.asked(), Vec::<String>::new(), "it is here now");

    // Listed like anything else.
    let tags = world.get("/v2/cache/app/tags/list").await.json();
    assert_eq!(tags["tags"], json!(["v1"]));
    let names = world.get("/v2/_catalog").await.json();
    assert_eq!(names["repositories"], json!(["cache/app"]));
    let records = world.records().await;
    let fetched: Vec<_> = records.iter().filter(|record| record.detail.contains_key("upstream")).collect();
    assert_eq!(fetched.len(), 3, "each thing that came is in the log");
    assert!(fetched.iter().all(|record| record.detail["upstream"] == there.address));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tag_is_compared_and_only_what_changed_is_fetched() {
    let (world, there) = (World::new().await, There::new().await);
    let first = there.image("app", Some("v1"), "", LAYER);
    upstream(&world, &there.address, json!({ "ttl": 0 })).await;
    let path = "/v2/cache/app/manifests/v1";
    assert_eq!(world.get(path).await.header("docker-content-digest"), first.to_string());
    there.asked();
    for _ in 0..3 {
        assert_eq!(status(&world, path).await, 200);
    }
    assert_eq!(there.asked(), ["HEAD /v2/app/manifests/v1"; 3], "unchanged, so nothing is fetched");

    let second = there.image("app", Some("v1"), "", b"\x1f\x8b another layer");
    assert_eq!(world.get(path).await.header("docker-content-digest"), second.to_string());
    let asked = there.asked();
    assert_eq!(gets(&asked).len(), 2, "the manifest and its new layer: {asked:?}");
    assert_eq!(status(&world, &format!("/v2/cache/app/manifests/{first}")).await, 200, "by digest");

    there.forget("app", "v1");
    let gone = world.get(path).await;
    assert_eq!((gone.status.as_u16(), gone.code().as_str()), (404, "MANIFEST_UNKNOWN"));
    assert_eq!(world.get("/v2/cache/app/tags/list").await.json()["tags"], json!([]));
    assert_eq!(status(&world, &format!("/v2/cache/app/manifests/{second}")).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn not_one_byte_of_a_denied_image_is_served() {
    let (world, there) = (World::new().await, There::new().await);
    let digest = there.image("app", Some("bad"), "deny", LAYER);
    upstream(&world, &there.address, json!({})).await;
    let layer = format!("/v2/cache/app/blobs/{}", Digest::of(LAYER));
    assert_eq!(status(&world, &layer).await, 404, "no manifest says that anybody may have it");
    assert_eq!(there.asked(), Vec::<String>::new());
    for method in ["HEAD", "GET"] {
        for reference in ["bad".to_owned(), digest.to_string()] {
            let reply =
                world.call(method, &format!("/v2/cache/app/manifests/{reference}"), &[], Body::empty()).await;
            assert_eq!(reply.status.as_u16(), 403, "{method} {reference}");
            assert!(reply.text().is_empty() || reply.code() == "DENIED");
        }
    }
    assert_eq!(status(&world, &layer).await, 403);
    let mount = format!("/v2/mine/blobs/uploads/?mount={}&from=cache/app", Digest::of(LAYER));
    assert_eq!(world.call("POST", &mount, &[], Body::empty()).await.status.as_u16(), 202, "not mounted");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_scanned_is_waited_for_and_then_refused_for_now() {
    let (world, there) = (World::new().await, There::new().await);
    there.image("app", Some("v1"), "", LAYER);
    upstream(&world, &there.address, json!({})).await;
    world.judge.hold.store(true, Ordering::SeqCst);
    let reply = world.get("/v2/cache/app/manifests/v1").await;
    let layer =
        world.call("GET", &format!("/v2/cache/app/blobs/{}", Digest::of(LAYER)), &[], Body::empty()).await;
    world.judge.hold.store(false, Ordering::SeqCst);
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (403, "DENIED"));
    assert!(reply.text().contains("try again"), "{}", reply.text());
    assert_eq!(layer.status.as_u16(), 403);
    assert_eq!(status(&world, "/v2/cache/app/manifests/v1").await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_of_an_index_come_when_they_are_asked_for() {
    let (world, there) = (World::new().await, There::new().await);
    let one = there.image("app", None, "", b"\x1f\x8b for amd64");
    let other = there.image("app", None, "deny", b"\x1f\x8b for arm64");
    let index = there.index("app", "v1", &[("amd64", &one), ("arm64", &other)]);
    upstream(&world, &there.address, json!({})).await;
    assert_eq!(
        world.get("/v2/cache/app/manifests/v1").await.header("docker-content-digest"),
        index.to_string()
    );
    assert_eq!(there.asked(), ["GET /v2/app/manifests/v1"]);
    assert_eq!(status(&world, &format!("/v2/cache/app/manifests/{one}")).await, 200);
    assert_eq!(gets(&there.asked()).len(), 3);
    assert_eq!(status(&world, &format!("/v2/cache/app/manifests/{other}")).await, 403, "judged by itself");
}

#[tokio::test(flavor = "multi_thread")]
async fn referrers_are_those_of_the_upstream() {
    let (world, there) = (World::new().await, There::new().await);
    let image = there.image("app", Some("v1"), "", LAYER);
    let signature = there.referrer("app", &image);
    upstream(&world, &there.address, json!({})).await;
    let path = format!("/v2/cache/app/referrers/{image}");
    for _ in 0..2 {
        let listed = world.get(&path).await.json();
        assert_eq!(listed["manifests"][0]["digest"], signature.to_string(), "{listed}");
        assert_eq!(listed["manifests"][0]["artifactType"], "application/vnd.example.signature");
        assert_eq!(listed["manifests"].as_array().unwrap().len(), 1);
        // The second time it is here, too, and is listed once.
        assert_eq!(status(&world, &format!("/v2/cache/app/manifests/{signature}")).await, 200);
    }
    let lists = there.asked().iter().filter(|what| what.contains("/referrers/")).count();
    assert_eq!(lists, 1, "within its time the list is not asked for again");
    let other = world.get(&format!("{path}?artifactType=other")).await.json();
    assert_eq!(other["manifests"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn names_filters_and_pushes() {
    let (world, there) = (World::new().await, There::new().await);
    for name in ["team/app", "team/old/app", "other/app", "team/evil"] {
        there.image(name, Some("v1"), "", LAYER);
    }
    let setting = json!({
        "path": "team", "rewrite": [{"from": "legacy/", "to": "old/"}], "deny": ["*/evil"], "allow": ["team/*"],
    });
    upstream(&world, &there.address, setting).await;
    for (name, expected, code) in [
        ("cache/app", 200, ""),
        ("cache/legacy/app", 200, ""),
        ("cache/evil", 403, "DENIED"),
        ("cache/absent", 404, "MANIFEST_UNKNOWN"),
        ("cached/app", 404, "MANIFEST_UNKNOWN"),
    ] {
        let reply = world.get(&format!("/v2/{name}/manifests/v1")).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code().as_str()),
            (expected, code),
            "{name}: {}",
            reply.text()
        );
    }

    // containerd calls it by the name that people use.
    let host = &there.address;
    for (path, expected, namespace) in [
        (format!("/v2/team/app/manifests/v1?ns={host}"), 200, host.as_str()),
        (format!("/v2/team/app/manifests/v1?ns={}", host.replace(':', "%3A")), 200, host),
        (format!("/v2/cache/app/manifests/v1?ns={host}"), 200, host),
        (format!("/v2/team/app/blobs/{}?ns={host}", Digest::of(LAYER)), 200, host),
        ("/v2/team/app/manifests/v1?ns=elsewhere.example".to_owned(), 404, ""),
        ("/v2/team/app/manifests/v1".to_owned(), 404, ""),
    ] {
        let reply = world.get(&path).await;
        assert_eq!(reply.status.as_u16(), expected, "{path}: {}", reply.text());
        assert_eq!(reply.header("oci-namespace"), namespace, "{path}");
    }
    let unsigned =
        world.raw("GET", &format!("/v2/team/app/manifests/v1?ns={host}"), &[], Body::empty()).await;
    assert_eq!(unsigned.status.as_u16(), 401);
    assert!(unsigned.header("www-authenticate").contains("repository:cache/app:pull"));

    for (method, path) in [
        ("PUT", "/v2/cache/app/manifests/v2"),
        ("POST", "/v2/cache/app/blobs/uploads/"),
        ("PATCH", "/v2/cache/app/blobs/uploads/1"),
    ] {
        let reply = world.call(method, path, &[], Body::empty()).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (405, "UNSUPPORTED"), "{method} {path}");
        assert!(reply.text().contains("cache/app is a cache of"), "{}", reply.text());
    }
}
