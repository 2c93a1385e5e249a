//! Locks, immutable tags, the trash and quotas, as clients of the registry meet them.

use axum::{body::Body, http::StatusCode};
use boltseal_audit::record::{Outcome, Why};
use boltseal_model::{Digest, Timestamp};
use boltseal_store::{ImmutableRule, Quota};
use serde_json::json;

use crate::world::{OCI_INDEX, Reply, World};

async fn patch(world: &World, path: &str, body: serde_json::Value) -> Reply {
    world.call("PATCH", path, &[("content-type", "application/json")], body.to_string()).await
}

async fn delete(world: &World, path: &str) -> Reply {
    world.call("DELETE", path, &[], Body::empty()).await
}

/// What came of a request: the status, and the code of a refusal.
fn outcome(reply: &Reply) -> String {
    format!("{} {}", reply.status.as_u16(), reply.code()).trim().to_owned()
}

#[tokio::test]
async fn locks_answer_as_azures_do_and_name_who_locked_what() {
    let world = World::new().await;
    let digest = world.push_image("team/app", "v1", "", b"\x1f\x8b one").await;
    let other = world.image("team/app", "", b"\x1f\x8b two").await;
    let (tag, manifest) =
        ("/v2/team/app/manifests/v1".to_owned(), format!("/v2/team/app/manifests/{digest}"));
    for (path, body, pull, push, remove) in [
        ("_tags/v1", json!({"writeEnabled": false}), "200", "405 DENIED", "405 DENIED"),
        ("_tags/v1", json!({"deleteEnabled": false}), "200", "201", "405 DENIED"),
        ("_tags/v1", json!({"readEnabled": false}), "405 DENIED", "201", "202"),
        ("", json!({"writeEnabled": false, "note": "frozen"}), "200", "405 DENIED", "405 DENIED"),
        ("", json!({"readEnabled": false}), "405 DENIED", "201", "202"),
        (&format!("_manifests/{digest}"), json!({"readEnabled": false}), "405 DENIED", "201", "202"),
        (&format!("_manifests/{digest}"), json!({"writeEnabled": false}), "200", "201", "202"),
    ] {
        assert_eq!(world.push_image("team/app", "v1", "", b"\x1f\x8b one").await, digest);
        // What is in memory must not outlive the lock.
        assert_eq!(world.get(&tag).await.status, StatusCode::OK);
        let path = format!("/acr/v1/team/app/{path}").trim_end_matches('/').to_owned();
        let answer = patch(&world, &path, body.clone()).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {body}: {}", answer.text());
        for (name, value) in body.as_object().unwrap() {
            assert!(answer.text().contains(&format!("\"{name}\":{value}")), "{name}: {}", answer.text());
        }
        assert_eq!(outcome(&world.get(&tag).await), pull, "pull {path} {body}");
        let pushed = world.put_manifest("team/app", "v1", &other).await;
        assert_eq!(outcome(&pushed), push, "push {path} {body}: {}", pushed.text());
        if push != "201" {
            assert!(pushed.text().contains("admin locked it on"), "{}", pushed.text());
            assert_eq!(world.put_manifest("team/app", "v1", "{}").await.status, StatusCode::BAD_REQUEST);
        }
        assert_eq!(outcome(&delete(&world, &tag).await), remove, "remove {path} {body}");
        let open = json!({"readEnabled": true, "writeEnabled": true, "deleteEnabled": true});
        let opened = patch(&world, &path, open).await.status;
        assert!(opened == StatusCode::OK || (path.contains("_tags") && remove == "202"), "{opened}");
    }
    // A locked manifest stays, and so do its blobs; by its digest and by its tags it is not pulled.
    world.push_image("team/app", "v1", "", b"\x1f\x8b one").await;
    let layer = format!("/v2/team/app/blobs/{}", Digest::of(b"\x1f\x8b one"));
    let attributes = format!("/acr/v1/team/app/_manifests/{digest}");
    patch(&world, &attributes, json!({"deleteEnabled": false, "readEnabled": false, "listEnabled": false}))
        .await;
    for (method, path, expected) in [
        ("GET", manifest.clone(), "405 DENIED"),
        ("GET", layer.clone(), "405 DENIED"),
        ("DELETE", manifest.clone(), "405 DENIED"),
        ("DELETE", layer.clone(), "405 DENIED"),
        ("GET", format!("/v2/team/app/blobs/{}", Digest::of(b"\x1f\x8b two")), "200"),
    ] {
        assert_eq!(
            outcome(&world.call(method, &path, &[], Body::empty()).await),
            expected,
            "{method} {path}"
        );
    }
    let mount = format!("/v2/team/b/blobs/uploads/?mount={}&from=team/app", Digest::of(b"\x1f\x8b one"));
    assert_eq!(world.call("POST", &mount, &[], Body::empty()).await.status, StatusCode::ACCEPTED);
    let listed = world.get("/acr/v1/team/app/_manifests").await;
    assert!(!listed.text().contains(&digest.to_string()), "{}", listed.text());
    let records = world.records().await;
    let by_lock = |record: &&boltseal_audit::Record| {
        record.outcome == Outcome::Denied && matches!(&record.why, Why::Rule(rule) if rule == "a lock")
    };
    assert!(records.iter().filter(by_lock).count() > 10, "every refusal is in the log");
    let changes = records.iter().filter(|record| {
        record.status.as_deref().is_some_and(|status| status.contains("writeEnabled is false now"))
    });
    assert_eq!(changes.count(), 3, "and every lock");
}

#[tokio::test]
async fn locks_need_their_right_and_lists_leave_out_what_is_hidden() {
    let world = World::new().await;
    let digest = world.push_image("team/app", "v1", "", b"\x1f\x8b one").await;
    world.push_image("team/app", "v2", "", b"\x1f\x8b two").await;
    let path = format!("/acr/v1/team/app/_manifests/{digest}");
    let body = json!({"writeEnabled": false}).to_string();
    for (who, path) in [
        ("puller", path.as_str()),
        ("nobody", &path),
        ("puller", "/acr/v1/team/app"),
        ("pusher", "/acr/v1/other/b"),
    ] {
        let basic = world.basic_of(who);
        let headers = [("host", "registry.test"), ("authorization", basic.as_str())];
        let reply = world.raw("PATCH", path, &headers, body.clone()).await;
        assert_eq!(outcome(&reply), "403 DENIED", "{who} {path}: {}", reply.text());
    }
    for nothing in ["{}", "[]", "{\"writeEnabled\": 1}", ""] {
        let reply = world.call("PATCH", &path, &[], nothing).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{nothing}: {}", reply.text());
    }
    assert_eq!(patch(&world, "/acr/v1/team/app/_tags/v9", json!({"writeEnabled": false})).await.status, 404);
    assert_eq!(patch(&world, "/acr/v1/none", json!({"writeEnabled": false})).await.status, 404);
    patch(&world, "/acr/v1/team/app/_tags/v1", json!({"listEnabled": false})).await;
    assert_eq!(world.get("/v2/team/app/tags/list").await.json()["tags"], json!(["v2"]));
    assert_eq!(
        world.get("/v2/team/app/manifests/v1").await.status,
        StatusCode::OK,
        "who knows its name gets it"
    );
    assert!(!world.get("/acr/v1/team/app/_tags").await.text().contains("\"v1\""));
    patch(&world, "/acr/v1/team/app", json!({"listEnabled": false})).await;
    assert_eq!(world.get("/v2/_catalog").await.json()["repositories"], json!([]));
    // A lock and a decision about the quarantine in one request need both rights: neither is done by one of them.
    let both = json!({"deleteEnabled": false, "quarantineState": "Failed", "quarantineDetails": "by hand"});
    assert_eq!(outcome(&patch(&world, &path, both).await), "403 DENIED");
    let attributes = world.get(&path).await.json()["manifest"]["changeableAttributes"].clone();
    assert_eq!(
        (&attributes["deleteEnabled"], &attributes["quarantineState"]),
        (&json!(true), &json!("Passed"))
    );
}

#[tokio::test]
async fn immutable_tags_are_refused_clearly() {
    let world = World::new().await;
    let rule = ImmutableRule {
        id: "releases".to_owned(),
        repositories: "team/*".to_owned(),
        tags: "v*".to_owned(),
        exceptions: "*-rc*".to_owned(),
        by: "admin".to_owned(),
        at: Timestamp::now(),
    };
    world.facts.put_immutable_rule(rule).await.unwrap();
    let first = world.push_image("team/app", "v1", "", b"\x1f\x8b one").await;
    assert_eq!(
        world.push_image("team/app", "v1", "", b"\x1f\x8b one").await,
        first,
        "the same again is fine"
    );
    let other = world.image("team/app", "", b"\x1f\x8b two").await;
    let refused = world.put_manifest("team/app", "v1", &other).await;
    assert_eq!(outcome(&refused), "403 DENIED");
    assert!(refused.text().contains("team/app:v1 is immutable"), "{}", refused.text());
    // One of several tags is enough, and then none is set.
    let refused = world.put_manifest("team/app", "latest?tag=v1", &other).await;
    assert_eq!(outcome(&refused), "403 DENIED");
    assert_eq!(world.get("/v2/team/app/manifests/latest").await.status, StatusCode::NOT_FOUND);
    for path in ["/v2/team/app/manifests/v1", &format!("/v2/team/app/manifests/{first}")] {
        assert_eq!(outcome(&delete(&world, path).await), "403 DENIED", "{path}");
    }
    assert_eq!(world.put_manifest("team/app", "v2-rc1", &other).await.status, StatusCode::CREATED);
    assert_eq!(
        world.push_image("team/app", "v2-rc1", "", b"\x1f\x8b one").await,
        first,
        "an exception moves"
    );
    let records = world.records().await;
    let denied = records.iter().filter(|record| record.outcome == Outcome::Denied);
    assert_eq!(denied.count(), 4, "each refusal is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn pushes_that_race_for_an_immutable_tag_have_one_winner() {
    let world = std::sync::Arc::new(World::new().await);
    let rule = ImmutableRule {
        id: "all".to_owned(),
        repositories: "*".to_owned(),
        tags: "*".to_owned(),
        exceptions: String::new(),
        by: "admin".to_owned(),
        at: Timestamp::now(),
    };
    world.facts.put_immutable_rule(rule).await.unwrap();
    let mut manifests = Vec::new();
    for n in 0..16 {
        manifests.push(world.image("team/app", "", format!("\x1f layer {n}").as_bytes()).await);
    }
    let pushes: Vec<_> = manifests
        .into_iter()
        .map(|manifest| {
            let world = std::sync::Arc::clone(&world);
            tokio::spawn(async move {
                let reply = world.put_manifest("team/app", "v1", &manifest).await;
                (reply.status, Digest::of(manifest.as_bytes()))
            })
        })
        .collect();
    let (mut winners, mut losers) = (Vec::new(), 0);
    for push in pushes {
        match push.await.unwrap() {
            (StatusCode::CREATED, digest) => winners.push(digest),
            (status, _) => {
                assert_eq!(status, StatusCode::FORBIDDEN);
                losers += 1;
            }
        }
    }
    assert_eq!((winners.len(), losers), (1, 15));
    let held = world.get("/v2/team/app/manifests/v1").await;
    assert_eq!(
        Some(held.header("docker-content-digest")),
        winners.first().map(ToString::to_string).as_deref()
    );
}

#[tokio::test]
async fn what_was_deleted_is_gone_until_it_is_taken_back() {
    let world = World::new().await;
    world.facts.set_trash_days(7).await.unwrap();
    let digest = world.push_image("team/app", "v1", "", b"\x1f\x8b one").await;
    let (tag, manifest) = ("/v2/team/app/manifests/v1", format!("/v2/team/app/manifests/{digest}"));
    let layer = format!("/v2/team/app/blobs/{}", Digest::of(b"\x1f\x8b one"));
    let signature = json!({
        "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "artifactType": "application/x.signature",
        "subject": {"mediaType": OCI_INDEX, "digest": digest, "size": 1},
    });
    assert_eq!(
        world.put_manifest("team/app", "signature", &signature.to_string()).await.status,
        StatusCode::CREATED
    );
    let signature = Digest::of(signature.to_string().as_bytes());
    for path in [tag, &manifest, &layer] {
        assert_eq!(world.get(path).await.status, StatusCode::OK, "{path}");
    }
    for path in [&manifest, &format!("/v2/team/app/manifests/{signature}")] {
        assert_eq!(delete(&world, path).await.status, StatusCode::ACCEPTED);
    }
    for path in [tag, &manifest, &layer] {
        assert_eq!(world.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let mount = format!("/v2/team/b/blobs/uploads/?mount={}", Digest::of(b"\x1f\x8b one"));
    assert_eq!(world.call("POST", &mount, &[], Body::empty()).await.status, StatusCode::ACCEPTED);
    assert_eq!(world.get("/v2/team/app/tags/list").await.json()["tags"], json!([]));
    let referrers = format!("/v2/team/app/referrers/{digest}");
    assert_eq!(world.get(&referrers).await.json()["manifests"], json!([]));
    let trash = world.facts.trash(Some("team/app"), ("", ""), 10).await.unwrap();
    assert!(trash.len() == 2 && trash.iter().all(|trashed| trashed.by == "admin"), "{trash:?}");

    for digest in [&digest, &signature] {
        world.facts.undelete("team/app", digest, Timestamp::now()).await.unwrap().unwrap();
    }
    for path in [tag, &manifest, &layer] {
        // It is judged anew first; every attempt waits a little for that.
        let mut status = StatusCode::FORBIDDEN;
        for _ in 0..20 {
            status = world.get(path).await.status;
            if status != StatusCode::FORBIDDEN {
                break;
            }
        }
        assert_eq!(status, StatusCode::OK, "{path} is back");
    }
    assert_eq!(world.get(&referrers).await.json()["manifests"][0]["digest"], json!(signature));
}

#[tokio::test]
async fn a_quota_says_what_is_used_and_what_did_not_fit() {
    let world = World::new().await;
    let quota = Quota { scope: "team/*".to_owned(), bytes: Some(2000), repositories: Some(1), tags: Some(2) };
    world.facts.put_quota(quota, "admin", Timestamp::now()).await.unwrap();
    world.push_image("team/app", "v1", "", &[7; 900]).await;
    let large = [8; 900];
    let path = format!("/v2/team/app/blobs/uploads/?digest={}", Digest::of(&large));
    let refused = world.call("POST", &path, &[], large.to_vec()).await;
    assert_eq!(outcome(&refused), "403 DENIED");
    assert!(refused.text().contains("the quota of team/* is 2 kB"), "{}", refused.text());
    // The same in pieces.
    let start = world.call("POST", "/v2/team/app/blobs/uploads/", &[], Body::empty()).await;
    let finish = format!("{}?digest={}", start.header("location"), Digest::of(&large));
    assert_eq!(outcome(&world.call("PUT", &finish, &[], large.to_vec()).await), "403 DENIED");
    assert_eq!(world.get(&path.replace("uploads/?digest=", "")).await.status, StatusCode::NOT_FOUND);
    let small = b"\x1f\x8b";
    let other = format!("/v2/team/b/blobs/uploads/?digest={}", Digest::of(small));
    let refused = world.call("POST", &other, &[], small.to_vec()).await;
    assert!(refused.text().contains("1 repositories: 1 used"), "{}", refused.text());
    world.push_image("team/app", "v2", "", &[7; 900]).await;
    let third = world.image("team/app", "", &[7; 900]).await;
    assert_eq!(outcome(&world.put_manifest("team/app", "v3", &third).await), "403 DENIED");
    assert_eq!(world.put_manifest("team/app", "v2", &third).await.status, StatusCode::CREATED);
    assert_eq!(world.push_image("else/b", "v1", "", &large).await.algorithm().name(), "sha256");
    let rows = world.facts.quotas().await.unwrap();
    assert_eq!(rows.first().unwrap().used, world.facts.measure("team/*").await.unwrap());
}
