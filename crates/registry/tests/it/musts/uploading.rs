//! Blobs in chunks, and blobs of another repository.

use axum::body::Body;
use boltseal_model::Digest;

use super::{check, hold, send};
use crate::world::World;

async fn session(world: &World) -> String {
    check(world, "POST", "/v2/a/blobs/uploads/", (202, &["range: 0-0"])).await.header("location").to_owned()
}

#[tokio::test]
async fn must_06_chunks_come_in_order_or_are_refused() {
    let world = World::new().await;
    let digest = Digest::of(b"hello world");
    let last = |location: &str| format!("{location}?digest={digest}");
    let range = |text: &'static str| [("content-range", text)];

    let location = session(&world).await;
    let id = location.rsplit('/').next().unwrap().to_owned();
    let uuid = format!("docker-upload-uuid: {id}");
    let gap = range("5-9");
    send(&world, "PATCH", &location, &gap, " worl", (416, &["range: 0-0"])).await;
    let first = range("0-4");
    let reply = send(&world, "PATCH", &location, &first, "hello", (202, &["range: 0-4", &uuid])).await;
    let location = reply.header("location").to_owned();
    check(&world, "GET", &location, (204, &["range: 0-4", &uuid])).await;
    send(&world, "PATCH", &location, &first, "hello", (416, &["range: 0-4"])).await;
    send(&world, "PATCH", &location, &range("6-10"), "world", (416, &["range: 0-4"])).await;
    send(&world, "PUT", &last(&location), &range("6-10"), "world", (416, &["range: 0-4"])).await;
    // Whoever was refused can go on where the session is.
    send(&world, "PATCH", &location, &range("5-5"), " ", (202, &["range: 0-5"])).await;
    send(&world, "PUT", &last(&location), &range("6-10"), "world", (201, &[])).await;
    assert_eq!(world.get(&format!("/v2/a/blobs/{digest}")).await.text(), "hello world");
    check(&world, "GET", &location, (404, &["BLOB_UPLOAD_UNKNOWN"])).await;

    // Docker: no range, no length.
    let location = session(&world).await;
    send(&world, "PATCH", &location, &[], "hello world", (202, &["range: 0-10"])).await;
    check(&world, "PUT", &last(&location), (201, &[])).await;

    let location = session(&world).await;
    check(&world, "DELETE", &location, (204, &[])).await;
    check(&world, "GET", &location, (404, &["BLOB_UPLOAD_UNKNOWN"])).await;
}

#[tokio::test]
async fn must_07_a_mount_tells_nothing_about_what_the_caller_may_not_pull() {
    let world = World::new().await;
    let hidden = world.push_blob("other/b", b"hidden").await;
    let own = world.push_blob("team/b", b"own").await;
    let nowhere = Digest::of(b"nowhere");
    let mount = |digest: &Digest, from: &str| format!("/v2/team/a/blobs/uploads/?mount={digest}{from}");
    // The pusher may pull below team/ only. Hidden and absent answer alike.
    for (name, path, status) in [
        ("from a hidden repository", mount(&hidden, "&from=other/b"), 202),
        ("from one that is not there", mount(&hidden, "&from=other/none"), 202),
        ("an absent blob from a hidden one", mount(&nowhere, "&from=other/b"), 202),
        ("from anywhere, where it is hidden", mount(&hidden, ""), 202),
        ("from anywhere, where it is nowhere", mount(&nowhere, ""), 202),
        ("from where it is not", mount(&hidden, "&from=team/b"), 202),
        ("from where it may pull", mount(&own, "&from=team/b"), 201),
        ("from anywhere, as it may pull there", mount(&own, ""), 201),
    ] {
        let reply = world.call_as("pusher", "POST", &path).await;
        hold(name, &reply, (status, &[]));
        let location = reply.header("location");
        assert_eq!(location.contains("/blobs/uploads/"), status == 202, "{name}: {location}");
    }
    for (repository, digest, status) in
        [("team/a", &hidden, 404), ("team/a", &own, 200), ("team/b", &own, 200)]
    {
        let path = format!("/v2/{repository}/blobs/{digest}");
        hold(&path, &world.call_as("pusher", "GET", &path).await, (status, &[]));
    }
    // Deleted here is gone here, though the bytes are still there for another repository.
    let path = format!("/v2/team/a/blobs/{own}");
    check(&world, "DELETE", &path, (202, &[])).await;
    check(&world, "GET", &path, (404, &["BLOB_UNKNOWN"])).await;
    check(&world, "HEAD", &path, (404, &[])).await;
    assert_eq!(world.get(&format!("/v2/team/b/blobs/{own}")).await.text(), "own");
}

#[tokio::test]
async fn must_07_a_token_that_is_too_narrow_for_a_mount_can_be_had_wider() {
    let world = World::new().await;
    let blob = world.push_blob("other/b", b"base").await;
    let mount = format!("/v2/team/a/blobs/uploads/?mount={blob}");
    let narrow = world.token(&["repository:team/a:pull,push"]).await;
    let wide = world.token(&["repository:team/a:pull,push", "repository:other/b:pull"]).await;
    let scope = "scope=\"repository:team/a:pull,push repository:other/b:pull\"";
    for (name, path, headers, status) in [
        ("nobody yet", format!("{mount}&from=other/b"), None, 401),
        ("narrow", format!("{mount}&from=other/b"), Some(&narrow), 401),
        ("narrow, from anywhere", mount.clone(), Some(&narrow), 401),
        ("wide", format!("{mount}&from=other/b"), Some(&wide), 201),
    ] {
        let headers: Vec<_> = headers.map(|token| ("authorization", token.as_str())).into_iter().collect();
        let reply = world.raw("POST", &path, &headers, Body::empty()).await;
        hold(name, &reply, (status, &[]));
        assert_eq!(
            reply.header("www-authenticate").contains(scope),
            status == 401,
            "{name}: {:?}",
            reply.headers
        );
    }
    // What is not there needs no wider token.
    let absent = format!("/v2/team/a/blobs/uploads/?mount={}&from=other/b", Digest::of(b"absent"));
    let reply = world.raw("POST", &absent, &[("authorization", &narrow)], Body::empty()).await;
    hold("absent", &reply, (202, &[]));
}

#[tokio::test]
async fn a_session_outlives_a_disk_that_fails_at_its_end() {
    let world = World::new().await;
    let begun = world.call("POST", "/v2/a/blobs/uploads/", &[], Body::empty()).await;
    let session = begun.header("location").to_owned();
    assert_eq!(world.call("PATCH", &session, &[], "hello").await.status, 202);
    // No name can be given in a folder that is gone.
    std::fs::remove_dir(world.folder.path().join("blobs/sha256")).unwrap();
    let end = format!("{session}?digest={}", Digest::of(b"hello"));
    let refused = world.call("PUT", &end, &[], Body::empty()).await;
    hold("PUT", &refused, (503, &["UNAVAILABLE"]));
    assert_eq!(refused.header("retry-after"), "10");
    let there = world.call("GET", &session, &[], Body::empty()).await;
    assert_eq!((there.status.as_u16(), there.header("range")), (204, "0-4"));
    assert_eq!(world.facts.uploads().await.unwrap().len(), 1);
    // Also for the next process.
    let world = world.reopen().await;
    assert_eq!(world.call("PUT", &end, &[], Body::empty()).await.status, 201);
    assert_eq!(world.facts.uploads().await.unwrap().len(), 0);
}
