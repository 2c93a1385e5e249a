//! What may be pulled, and when that changes.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{body::Body, http::StatusCode};
use boltseal_model::{Digest, Timestamp};
use boltseal_store::State;
use serde_json::json;

use crate::world::{OCI_INDEX, OCI_MANIFEST, World};

async fn status(world: &World, path: &str) -> u16 {
    world.get(path).await.status.as_u16()
}

#[tokio::test]
async fn the_verdict_decides() {
    let world = World::new().await;
    let cases = [
        ("", 200, "", ""),
        ("warn", 200, "", "299 - \"warn: CVE-2024-1"),
        (
            "deny",
            403,
            "image refused: deny: CVE-2024-1 in openssl 3.0.11 (critical) (policy test, rule no-criticals)",
            "299 - \"image refused: deny",
        ),
        ("unknown", 403, "image refused: unknown: CVE-2024-1", "299 - \"image refused: unknown"),
        (
            "fail",
            403,
            "image refused: unknown: it could not be scanned: layer is truncated",
            "299 - \"image refused",
        ),
        ("panic", 403, "image refused: unknown: it could not be scanned", "299 - \"image refused"),
    ];
    for (word, expected, message, warning) in cases {
        let tag = if word.is_empty() { "allow" } else { word };
        let digest = world.push_image("app", tag, word, format!("\x1f\u{8b} {word}").as_bytes()).await;
        for reference in [tag.to_owned(), digest.to_string()] {
            for method in ["GET", "HEAD"] {
                let path = format!("/v2/app/manifests/{reference}");
                let reply = world.call(method, &path, &[], Body::empty()).await;
                assert_eq!(reply.status.as_u16(), expected, "{word}: {method} {reference}: {}", reply.text());
                assert!(reply.header("warning").starts_with(warning), "{word}: {:?}", reply.headers);
                if expected == 403 && method == "GET" {
                    let error = reply.json()["errors"][0].clone();
                    assert_eq!(error["code"], "DENIED");
                    assert!(error["message"].as_str().unwrap().starts_with(message), "{word}: {error}");
                    assert_eq!(error["detail"]["digest"], digest.to_string(), "{word}");
                }
            }
        }
    }
    let detail = world.get("/v2/app/manifests/deny").await.json()["errors"][0]["detail"].clone();
    assert_eq!((&detail["policy"], &detail["state"]), (&json!("test"), &json!("deny")));
    assert_eq!(detail["reasons"][0]["fix"], "apt-get install openssl=3.0.13");
    assert_eq!(status(&world, "/v2/app/tags/list").await, 200, "what is refused is still listed");
}

#[tokio::test]
async fn blobs_of_refused_images_are_refused_unless_shared() {
    let world = World::new().await;
    let (shared, own) = (b"\x1f\x8b shared base", b"\x1f\x8b of the bad image only");
    let bad = world.push_image("app", "bad", "deny", own).await;
    world.push_image("app", "bad-too", "deny", shared).await;
    let path = |bytes: &[u8]| format!("/v2/app/blobs/{}", Digest::of(bytes));
    assert_eq!(status(&world, &path(own)).await, 403);
    assert_eq!(status(&world, &path(shared)).await, 403);

    // Who pushes must learn what is there already, or could not push the mended image.
    let pull = world.token(&["repository:app:pull"]).await;
    let push = world.token(&["repository:app:pull,push"]).await;
    for (token, blob, manifest) in [(&pull, 403, 403), (&push, 200, 200)] {
        let headers = [("authorization", token.as_str())];
        let head = world.raw("HEAD", &path(own), &headers, Body::empty()).await;
        assert_eq!(head.status.as_u16(), blob);
        let head = world.raw("HEAD", "/v2/app/manifests/bad", &headers, Body::empty()).await;
        assert_eq!(head.status.as_u16(), manifest);
        let get = world.raw("GET", &path(own), &headers, Body::empty()).await;
        assert_eq!(get.status.as_u16(), 403);
        // Nor could they sign it, without its manifest; nothing runs without its configuration, which is a blob.
        let get = world.raw("GET", "/v2/app/manifests/bad", &headers, Body::empty()).await;
        assert_eq!(get.status.as_u16(), manifest);
    }

    world.push_image("app", "good", "", shared).await;
    assert_eq!(status(&world, "/v2/app/manifests/good").await, 200);
    assert_eq!(status(&world, &path(shared)).await, 200, "an image that passes has it too");
    assert_eq!(status(&world, &path(own)).await, 403);

    let mount = format!("/v2/other/blobs/uploads/?mount={}&from=app", Digest::of(own));
    assert_eq!(
        world.call("POST", &mount, &[], Body::empty()).await.status.as_u16(),
        202,
        "no way around by a mount"
    );
    let reply = world.call("DELETE", &format!("/v2/app/manifests/{bad}"), &[], Body::empty()).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
}

#[tokio::test]
async fn signatures_and_lists_stay_readable() {
    let world = World::new().await;
    let bad = world.push_image("app", "bad", "deny", b"\x1f\x8b layer").await;
    let payload = world.push_blob("app", b"{\"critical\": {}}").await;
    let config = world.push_blob("app", b"{\"rootfs\": {}}").await;
    let signature = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": config, "size": 14},
        "layers": [{"mediaType": "application/vnd.dev.cosign.simplesigning.v1+json", "digest": payload, "size": 16}],
    });
    let tag = format!("sha256-{}.sig", bad.hex());
    assert_eq!(world.put_manifest("app", &tag, &signature.to_string()).await.status, StatusCode::CREATED);
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        {"mediaType": OCI_MANIFEST, "digest": bad, "size": 1}]});
    assert_eq!(world.put_manifest("app", "multi", &index.to_string()).await.status, StatusCode::CREATED);
    for (path, expected) in [
        (format!("/v2/app/manifests/{tag}"), 200),
        (format!("/v2/app/blobs/{payload}"), 200),
        ("/v2/app/manifests/multi".to_owned(), 200),
        (format!("/v2/app/manifests/{bad}"), 403),
        (format!("/v2/app/referrers/{bad}"), 200),
    ] {
        assert_eq!(status(&world, &path).await, expected, "{path}");
    }

    // An image that calls itself a signature is still an image.
    let layer = Digest::of(b"\x1f\x8b layer");
    let disguised = signature.to_string().replace(&payload.to_string(), &layer.to_string());
    let disguised = disguised.replacen('{', "{\"annotations\": {\"judge\": \"deny\"},", 1);
    assert_eq!(world.put_manifest("app", "sneaky", &disguised).await.status, StatusCode::CREATED);
    assert_eq!(status(&world, "/v2/app/manifests/sneaky").await, 403);
}

#[tokio::test]
async fn a_pull_waits_for_the_scan_but_not_for_ever() {
    let world = World::new().await;
    world.judge.hold.store(true, Ordering::SeqCst);
    world.push_image("app", "slow", "", b"\x1f\x8b layer").await;
    let reply = world.get("/v2/app/manifests/slow").await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(reply.text().contains("still being scanned"), "{}", reply.text());
    assert_eq!(reply.json()["errors"][0]["detail"]["state"], "pending");

    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        world.judge.hold.store(false, Ordering::SeqCst);
    };
    let (reply, ()) = tokio::join!(world.get("/v2/app/manifests/slow"), release);
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
}

#[tokio::test]
async fn what_waits_survives_a_restart() {
    let world = World::new().await;
    world.judge.hold.store(true, Ordering::SeqCst);
    let digest = world.push_image("app", "v1", "deny", b"\x1f\x8b layer").await;
    assert_eq!(world.facts.judgement(&digest).await.unwrap().unwrap().state, State::Pending);
    let world = {
        let held = std::sync::Arc::clone(&world.judge);
        let reopened = world.reopen().await;
        held.hold.store(false, Ordering::SeqCst);
        reopened
    };
    assert_eq!(status(&world, "/v2/app/manifests/v1").await, 403);
    assert_eq!(world.facts.judgement(&digest).await.unwrap().unwrap().state, State::Judged);
}

#[tokio::test]
async fn another_policy_judges_again_without_opening() {
    let world = World::new().await;
    for tag in ["a", "b", "c"] {
        world.push_image("app", tag, "", format!("\x1f\u{8b} {tag}").as_bytes()).await;
        assert_eq!(status(&world, &format!("/v2/app/manifests/{tag}")).await, 200);
    }
    let opened = world.judge.opened.load(Ordering::SeqCst);
    world.judge.strict.store(true, Ordering::SeqCst);
    assert_eq!(world.registry.rejudge("test").await.unwrap().images, 3);
    for tag in ["a", "b", "c"] {
        assert_eq!(status(&world, &format!("/v2/app/manifests/{tag}")).await, 403, "{tag}");
    }
    assert_eq!(world.registry.rejudge("test").await.unwrap().images, 0, "everything is up to date");
    world.judge.strict.store(false, Ordering::SeqCst);

    // A restart notices that the policy is another one.
    let world = world.reopen().await;
    for _ in 0..500 {
        if status(&world, "/v2/app/manifests/a").await == 200 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(status(&world, "/v2/app/manifests/a").await, 200);
    assert_eq!(world.judge.opened.load(Ordering::SeqCst), opened);
}

#[tokio::test]
async fn a_verdict_that_runs_out_is_made_anew() {
    let world = World::new().await;
    let soon = Timestamp::from_millisecond(Timestamp::now().as_millisecond() + 200).unwrap();
    *world.judge.expires.lock().unwrap() = Some(soon);
    let digest = world.push_image("app", "v1", "", b"\x1f\x8b layer").await;
    assert_eq!(status(&world, "/v2/app/manifests/v1").await, 200);
    *world.judge.expires.lock().unwrap() = None;
    tokio::time::sleep(Duration::from_millis(250)).await;
    // The pull waits for the new verdict rather than trust the old.
    assert_eq!(status(&world, "/v2/app/manifests/v1").await, 200);
    let verdict = world.facts.judgement(&digest).await.unwrap().unwrap().verdict.unwrap();
    assert_eq!(verdict.expires, None);
    assert_eq!(world.judge.opened.load(Ordering::SeqCst), 1);
}
