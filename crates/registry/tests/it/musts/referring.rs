//! Lists of referrers, from subjects and from the tags of older clients.

use std::sync::Arc;

use boltseal_model::Digest;
use serde_json::{Value, json};

use super::{check, sha512};
use crate::world::{OCI_INDEX, OCI_MANIFEST, World};

const EMPTY: &str = "application/vnd.oci.empty.v1+json";

/// A note, about something perhaps. Needs the blob `{}`.
fn note(subject: Option<&Digest>, artifact_type: Option<&str>, config_type: &str, text: &str) -> Value {
    let config = Digest::of(b"{}");
    let mut manifest = json!({
        "schemaVersion": 2, "mediaType": OCI_MANIFEST,
        "config": { "mediaType": config_type, "digest": config, "size": 2 },
        "layers": [{ "mediaType": "text/plain", "digest": config, "size": 2 }],
        "annotations": { "text": text },
    });
    if let Some(artifact_type) = artifact_type {
        manifest["artifactType"] = artifact_type.into();
    }
    if let Some(subject) = subject {
        manifest["subject"] = json!({ "mediaType": OCI_MANIFEST, "digest": subject, "size": 1 });
    }
    manifest
}

async fn push(world: &World, manifest: &Value) -> Digest {
    let text = manifest.to_string();
    let digest = Digest::of(text.as_bytes());
    let reply = world.put_manifest("a", &digest.to_string(), &text).await;
    assert_eq!(reply.status.as_u16(), 201, "{}", reply.text());
    digest
}

async fn listed(world: &World, path: &str) -> Vec<Value> {
    let wanted = format!("content-type: {OCI_INDEX}");
    let reply = check(world, "GET", path, (200, &[&wanted])).await;
    let index = reply.json();
    assert_eq!((&index["schemaVersion"], &index["mediaType"]), (&json!(2), &json!(OCI_INDEX)));
    index["manifests"].as_array().unwrap().clone()
}

#[tokio::test]
async fn must_04_referrers_are_never_404_and_types_fall_back() {
    let world = World::new().await;
    let subject = world.push_image("a", "v1", "", b"\x1f\x8b layer").await;
    world.push_blob("a", b"{}").await;
    let path = format!("/v2/a/referrers/{subject}");
    for nothing in
        [path.clone(), format!("/v2/none/referrers/{subject}"), format!("/v2/a/referrers/{}", sha512(b"x"))]
    {
        assert!(listed(&world, &nothing).await.is_empty(), "{nothing}");
    }
    for bad in ["x", "latest", "sha256:abc", "md5:d41d8cd98f00b204e9800998ecf8427e"] {
        check(&world, "GET", &format!("/v2/a/referrers/{bad}"), (400, &["DIGEST_INVALID"])).await;
    }

    let about = json!({ "mediaType": OCI_MANIFEST, "digest": subject, "size": 1 });
    let index = |artifact_type: Option<&str>| {
        let mut index =
            json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [], "subject": about });
        if let Some(artifact_type) = artifact_type {
            index["artifactType"] = artifact_type.into();
        }
        index
    };
    let of_config = "application/vnd.example.config.v1+json";
    let cases = [
        (note(Some(&subject), Some("x/typed"), EMPTY, "one"), json!("x/typed")),
        (note(Some(&subject), None, of_config, "two"), json!(of_config)),
        (note(Some(&subject), Some(""), of_config, "three"), json!(of_config)),
        (index(Some("x/typed")), json!("x/typed")),
        (index(None), Value::Null),
    ];
    for (manifest, artifact_type) in &cases {
        let digest = push(&world, manifest).await;
        let entries = listed(&world, &path).await;
        let entry = entries.iter().find(|entry| entry["digest"] == digest.to_string()).unwrap();
        assert_eq!(&entry["artifactType"], artifact_type, "{manifest}");
        assert_eq!(entry["mediaType"], manifest["mediaType"], "{manifest}");
        assert_eq!(entry["size"], manifest.to_string().len(), "{manifest}");
        assert_eq!(entry["annotations"], manifest["annotations"], "{manifest}");
    }
    for (filter, count) in [("x%2Ftyped", 2), (of_config, 2), ("x%2Fother", 0)] {
        let filter = filter.replace('+', "%2B");
        let filtered = format!("{path}?artifactType={filter}");
        assert_eq!(listed(&world, &filtered).await.len(), count, "{filter}");
        check(&world, "GET", &filtered, (200, &["oci-filters-applied: artifactType"])).await;
    }
    check(&world, "GET", &path, (200, &["oci-filters-applied:", "link:"])).await;
}

#[tokio::test]
async fn must_04_long_lists_of_referrers_come_in_pages() {
    const ALL: usize = 1003;
    let world = Arc::new(World::new().await);
    let subject = Digest::of(b"absent");
    world.push_blob("a", b"{}").await;
    // At the same time, so that they share commits.
    let mut pushes = tokio::task::JoinSet::new();
    for number in 0..ALL {
        let artifact_type = if number < ALL - 1 { "x/many" } else { "x/one" };
        let manifest = note(Some(&subject), Some(artifact_type), EMPTY, &number.to_string());
        let world = Arc::clone(&world);
        pushes.spawn(async move { push(&world, &manifest).await });
    }
    pushes.join_all().await;
    for (query, count) in [("", ALL), ("?artifactType=x%2Fone", 1), ("?artifactType=x%2Fnone", 0)] {
        let (mut found, mut path) = (Vec::new(), format!("/v2/a/referrers/{subject}{query}"));
        loop {
            let reply = world.get(&path).await;
            let page = reply.json()["manifests"].as_array().unwrap().clone();
            found.extend(page.into_iter().map(|entry| entry["digest"].to_string()));
            let Some((next, _)) = reply.header("link").trim_start_matches('<').split_once(">; rel=\"next\"")
            else {
                break;
            };
            path = next.to_owned();
        }
        assert_eq!(found.len(), count, "{query}");
        found.sort();
        found.dedup();
        assert_eq!(found.len(), count, "{query}: something came twice");
    }
}

#[tokio::test]
async fn must_05_what_older_clients_tagged_is_listed_too() {
    let world = World::new().await;
    let image = world.image("a", "", b"\x1f\x8b layer").await;
    world.push_blob("a", b"{}").await;
    for subject in [Digest::of(image.as_bytes()), sha512(image.as_bytes())] {
        world.put_manifest("a", &subject.to_string(), &image).await;
        let path = format!("/v2/a/referrers/{subject}");
        let name = |text: &str| format!("{text} for {subject}");
        // One with a subject, one that never had any, one that is deleted later, one that only the index names.
        let new = push(&world, &note(Some(&subject), Some("x/new"), EMPTY, &name("new"))).await;
        let old = push(&world, &note(None, Some("x/old"), EMPTY, &name("old"))).await;
        let gone = push(&world, &note(None, Some("x/gone"), EMPTY, &name("gone"))).await;
        let entry = |digest: &Digest, artifact_type: &str| {
            json!({ "mediaType": OCI_MANIFEST, "digest": digest, "size": 1, "artifactType": artifact_type,
                    "annotations": { "by": "an older client" } })
        };
        let entries =
            [entry(&new, "x/claimed"), entry(&old, "x/old"), entry(&old, "x/old"), entry(&gone, "x/gone")];
        let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries });
        let tag: String = subject.hex().chars().take(64).collect();
        let tag = format!("{}-{tag}", subject.algorithm().name());
        let reply = world.put_manifest("a", &tag, &index.to_string()).await;
        assert_eq!(reply.status.as_u16(), 201, "{}", reply.text());
        check(&world, "DELETE", &format!("/v2/a/manifests/{gone}"), (202, &[])).await;

        let found = listed(&world, &path).await;
        assert_eq!(found.len(), 2, "{found:?}");
        let of = |digest: &Digest| found.iter().find(|entry| entry["digest"] == digest.to_string()).unwrap();
        assert_eq!(of(&new)["artifactType"], "x/new", "the manifest itself knows better");
        assert_eq!(of(&new)["annotations"], json!({ "text": name("new") }));
        assert_eq!(of(&old)["annotations"], json!({ "by": "an older client" }));
        assert_ne!(of(&old)["size"], 1, "the size is the real one");
        let old_only = listed(&world, &format!("{path}?artifactType=x%2Fold")).await;
        assert_eq!(old_only.len(), 1, "{old_only:?}");
    }
    // A tag of that form that is something else is no list.
    let other = Digest::of(b"other");
    world.put_manifest("a", &format!("sha256-{}", other.hex()), &image).await;
    assert!(listed(&world, &format!("/v2/a/referrers/{other}")).await.is_empty());
}
