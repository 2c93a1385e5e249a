//! Images that somebody releases or holds against their verdict, through ACR's API.

use axum::{body::Body, http::StatusCode};
use boltseal_audit::record::{Activity, Outcome};
use boltseal_model::Digest;
use serde_json::{Value, json};

use crate::world::{OCI_INDEX, OCI_MANIFEST, Reply, World};

async fn decide(world: &World, who: &str, repository: &str, digest: &Digest, body: &Value) -> Reply {
    let basic = world.basic_of(who);
    let path = format!("/acr/v1/{}/_manifests/{digest}", repository.replace('/', "%2F"));
    let headers = [("host", "registry.test:5000"), ("authorization", basic.as_str())];
    world.raw("PATCH", &path, &headers, body.to_string()).await
}

async fn pull(world: &World, path: &str) -> Reply {
    world.call_as("puller", "GET", path).await
}

#[tokio::test]
async fn an_image_is_released_and_held_by_whoever_has_the_role() {
    let world = World::new().await;
    let layer = b"\x1f\x8b layer";
    let denied = world.push_image("team/a", "v1", "deny", layer).await;
    let path = "/v2/team/a/manifests/v1";
    let blob = format!("/v2/team/a/blobs/{}", Digest::of(layer));
    let head = async || world.call_as("puller", "HEAD", path).await;
    assert_eq!(pull(&world, path).await.status, StatusCode::FORBIDDEN);
    assert_eq!(pull(&world, &blob).await.status, StatusCode::FORBIDDEN);

    let details = json!({ "state": "looked at by hand", "link": "https://tickets.example/7" }).to_string();
    let passed = json!({ "quarantineState": "Passed", "quarantineDetails": details });
    for who in ["puller", "pusher", "inspector", "nobody"] {
        let reply = decide(&world, who, "team/a", &denied, &passed).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (403, "DENIED"), "{who}");
    }
    let reply = decide(&world, "scanner", "team/a", &denied, &passed).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    let attributes = reply.json()["manifest"]["changeableAttributes"].clone();
    assert_eq!(attributes["quarantineState"], "Passed");
    assert_eq!(attributes["quarantineDetails"], details);
    assert_eq!(attributes["quarantineBy"], "scanner");

    for reply in [pull(&world, path).await, head().await] {
        assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
        let warning = reply.header("warning");
        assert!(warning.starts_with("299 - \"released by scanner although deny: CVE-2024-1"), "{warning}");
    }
    assert_eq!(pull(&world, &blob).await.status, StatusCode::OK);

    let details = "a secret is in layer 1";
    let failed = json!({ "quarantineState": "Failed", "quarantineDetails": details });
    decide(&world, "scanner", "team/a", &denied, &failed).await;
    let reply = pull(&world, path).await;
    let message = "image refused: quarantined by scanner: a secret is in layer 1";
    assert_eq!((reply.status.as_u16(), reply.code().as_str()), (403, "DENIED"));
    let error = reply.json()["errors"][0].clone();
    assert_eq!(error["message"], message);
    assert_eq!(
        (&error["detail"]["state"], &error["detail"]["by"]),
        (&json!("quarantined"), &json!("scanner"))
    );
    assert_eq!(head().await.header("warning"), format!("299 - \"{message}\""));
    assert_eq!(world.call_as("inspector", "GET", path).await.status, StatusCode::OK, "scanners still see it");

    let world = world.reopen().await;
    assert_eq!(pull(&world, path).await.json()["errors"][0]["message"], message, "it lasts");
    let undecided = json!({ "quarantineState": "Quarantined" });
    decide(&world, "scanner", "team/a", &denied, &undecided).await;
    assert!(pull(&world, path).await.text().contains("deny: CVE-2024-1"), "the verdict counts again");

    let records = world.records().await;
    let told: Vec<_> = records
        .iter()
        .filter(|record| record.activity == Activity::Update && record.outcome == Outcome::Success)
        .map(|record| {
            assert_eq!(
                (record.actor.name.as_str(), record.subject.digest.as_ref()),
                ("scanner", Some(&denied))
            );
            (record.detail["before"].clone(), record.detail["quarantine_state"].clone())
        })
        .collect();
    let expected = [("Quarantined", "Passed"), ("Passed", "Failed"), ("Failed", "Quarantined")];
    assert_eq!(told, expected.map(|(before, now)| (json!(before), json!(now))));
    let refused = records
        .iter()
        .filter(|record| record.activity == Activity::Update && record.outcome == Outcome::Denied);
    assert_eq!(refused.count(), 4, "whoever may not is in the log too");
}

#[tokio::test]
async fn a_decision_holds_in_its_repository_and_for_its_digest_only() {
    let world = World::new().await;
    let layer = b"\x1f\x8b shared layer";
    let image = world.push_image("team/a", "v1", "deny", layer).await;
    world.push_image("team/b", "v1", "deny", layer).await;
    let good = world.push_image("team/a", "good", "", b"\x1f\x8b good layer").await;
    let passed = json!({ "quarantineState": "Passed" });
    assert_eq!(decide(&world, "scanner", "team/a", &image, &passed).await.status, StatusCode::OK);
    assert_eq!(decide(&world, "scanner", "other/b", &image, &passed).await.status, StatusCode::FORBIDDEN);
    assert_eq!(decide(&world, "scanner", "team/none", &image, &passed).await.code(), "MANIFEST_UNKNOWN");
    let blob = Digest::of(layer);
    for (path, status) in [
        ("/v2/team/a/manifests/v1".to_owned(), 200),
        (format!("/v2/team/a/blobs/{blob}"), 200),
        ("/v2/team/b/manifests/v1".to_owned(), 403),
        (format!("/v2/team/b/blobs/{blob}"), 403),
    ] {
        assert_eq!(pull(&world, &path).await.status.as_u16(), status, "{path}");
    }
    // What is held cannot be had by a mount, nor is an index or its other images held along.
    let failed = json!({ "quarantineState": "Failed" });
    decide(&world, "scanner", "team/a", &good, &failed).await;
    let mount = format!("/v2/team/c/blobs/uploads/?mount={}&from=team/a", Digest::of(b"\x1f\x8b good layer"));
    assert_eq!(world.call_as("pusher", "POST", &mount).await.status, StatusCode::ACCEPTED);
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        { "mediaType": OCI_MANIFEST, "digest": image, "size": 1 },
        { "mediaType": OCI_MANIFEST, "digest": good, "size": 1 }] });
    assert_eq!(world.put_manifest("team/a", "all", &index.to_string()).await.status, StatusCode::CREATED);
    let all = Digest::of(index.to_string().as_bytes());
    for (path, status) in [("all", 200), ("v1", 200), ("good", 403)] {
        assert_eq!(
            pull(&world, &format!("/v2/team/a/manifests/{path}")).await.status.as_u16(),
            status,
            "{path}"
        );
    }
    decide(&world, "scanner", "team/a", &all, &failed).await;
    assert_eq!(pull(&world, "/v2/team/a/manifests/all").await.status, StatusCode::FORBIDDEN);

    // A digest that was deleted and comes back is judged by its verdict again.
    let delete = format!("/v2/team/a/manifests/{image}");
    assert_eq!(world.call("DELETE", &delete, &[], Body::empty()).await.status, StatusCode::ACCEPTED);
    world.push_image("team/a", "v1", "deny", layer).await;
    assert_eq!(pull(&world, "/v2/team/a/manifests/v1").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn changes_that_are_refused() {
    let world = World::new().await;
    let image = world.push_image("team/a", "v1", "", b"\x1f\x8b layer").await;
    let long = "x".repeat(9000);
    for (body, status, code) in [
        (json!({ "quarantineState": "passed" }), 400, "UNSUPPORTED"),
        (json!({ "quarantineDetails": "no state" }), 400, "UNSUPPORTED"),
        (json!({ "quarantineState": "Passed", "readEnabled": false }), 403, "DENIED"),
        (json!([]), 400, "UNSUPPORTED"),
        (json!({ "quarantineState": "Passed", "quarantineDetails": long }), 413, "SIZE_INVALID"),
        (json!({ "quarantineState": "Passed", "quarantineDetails": long.repeat(10) }), 413, "SIZE_INVALID"),
    ] {
        let reply = decide(&world, "scanner", "team/a", &image, &body).await;
        assert_eq!((reply.status.as_u16(), reply.code().as_str()), (status, code), "{}", reply.text());
    }
    let path = format!("/acr/v1/team/a/_manifests/{image}");
    let reply = world.raw("PATCH", &path, &[("host", "registry.test")], Body::empty()).await;
    let scope = "scope=\"repository:team/a:metadata_write\"";
    assert!(reply.header("www-authenticate").contains(scope), "{:?}", reply.headers);
    for asked in ["metadata_write", "pull,push"] {
        let ask = format!("/token?service=boltseal&scope=repository:team/a:{asked}");
        let token = world.call_as("scanner", "GET", &ask).await.json()["token"].as_str().unwrap().to_owned();
        let bearer = ("authorization", &*format!("Bearer {token}"));
        let body = json!({ "quarantineState": "Passed" }).to_string();
        let reply = world.raw("PATCH", &path, &[bearer], body).await;
        // Its role lets it change what is said about an image, not push.
        assert_eq!(reply.status.as_u16(), if asked == "metadata_write" { 200 } else { 401 }, "{asked}");
    }
    assert_eq!(world.call("DELETE", &path, &[], Body::empty()).await.header("allow"), "GET, HEAD, PATCH");
}
