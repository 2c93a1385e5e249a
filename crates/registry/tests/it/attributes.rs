//! ACR's API: what is known about repositories, tags and manifests.

use axum::{body::Body, http::StatusCode};
use boltseal_model::Digest;
use serde_json::{Value, json};

use crate::world::{OCI_INDEX, OCI_MANIFEST, World};

/// What stands in `library/app`: an image that passes, one that does not, and an index of the first.
struct Stored {
    world: World,
    good: Digest,
    bad: Digest,
    all: Digest,
}

async fn stored() -> Stored {
    let world = World::new().await;
    let good = world.push_image("library/app", "v1", "", b"\x1f\x8b one").await;
    let bad = world.push_image("library/app", "v2", "deny", b"\x1f\x8b two").await;
    let index = json!({ "schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        { "mediaType": OCI_MANIFEST, "digest": good, "size": 1, "platform": { "os": "linux", "architecture": "amd64" } }] });
    world.put_manifest("library/app", "all", &index.to_string()).await;
    let all = Digest::of(index.to_string().as_bytes());
    for tag in ["v1", "v2"] {
        world.get(&format!("/v2/library/app/manifests/{tag}")).await;
    }
    Stored { world, good, bad, all }
}

/// The answer and its `Link`.
async fn get(world: &World, path: &str) -> (Value, String) {
    let reply = world.get(&format!("/acr/v1/{path}")).await;
    assert_eq!(reply.status, StatusCode::OK, "{path}: {}", reply.text());
    (reply.json(), reply.header("link").to_owned())
}

fn unlocked() -> Value {
    json!({ "deleteEnabled": true, "writeEnabled": true, "readEnabled": true, "listEnabled": true })
}

#[tokio::test]
async fn repositories_and_tags_have_the_shapes_of_azure() {
    let Stored { world, good, bad, .. } = stored().await;
    assert_eq!(get(&world, "_catalog").await.0, json!({ "repositories": ["library/app"] }));
    let (repository, _) = get(&world, "library%2Fapp").await;
    assert_eq!(
        (&repository["registry"], &repository["imageName"]),
        (&json!("registry.test"), &json!("library/app"))
    );
    assert_eq!((&repository["manifestCount"], &repository["tagCount"]), (&json!(3), &json!(3)));
    assert_eq!(repository["changeableAttributes"], unlocked());
    let time = |value: &Value| value.as_str().unwrap().parse::<boltseal_model::Timestamp>().unwrap();
    assert!(time(&repository["createdTime"]) <= time(&repository["lastUpdateTime"]));

    let (tag, _) = get(&world, "library%2Fapp/_tags/v1").await;
    let tag = &tag["tag"];
    assert_eq!((&tag["name"], &tag["digest"], &tag["signed"]), (&json!("v1"), &json!(good), &json!(false)));
    assert_eq!(tag["changeableAttributes"], unlocked());
    let names =
        |list: &Value| list["tags"].as_array().unwrap().iter().map(|t| t["name"].clone()).collect::<Vec<_>>();
    let link = |path: &str| format!("</acr/v1/library/app/{path}>; rel=\"next\"");
    for (query, expected, next) in [
        ("", vec!["all", "v1", "v2"], String::new()),
        ("?n=2", vec!["all", "v1"], link("_tags?n=2&last=v1")),
        ("?n=2&last=v1", vec!["v2"], String::new()),
        ("?orderby=timeasc", vec!["v1", "v2", "all"], String::new()),
        ("?orderby=timedesc&n=1", vec!["all"], link("_tags?orderby=timedesc&n=1&last=all")),
        ("?orderby=timedesc&n=1&last=all", vec!["v2"], link("_tags?orderby=timedesc&n=1&last=v2")),
        (&format!("?digest={bad}"), vec!["v2"], String::new()),
    ] {
        let (list, found) = get(&world, &format!("library%2Fapp/_tags{query}")).await;
        assert_eq!((names(&list), found), (expected.into_iter().map(Value::from).collect(), next), "{query}");
    }
}

#[tokio::test]
async fn manifests_have_the_shapes_of_azure() {
    let Stored { world, good, bad, all } = stored().await;
    let (list, _) = get(&world, "library%2Fapp/_manifests?orderby=timeasc").await;
    let manifests = list["manifests"].as_array().unwrap();
    let digests: Vec<_> = manifests.iter().map(|manifest| manifest["digest"].clone()).collect();
    assert_eq!(digests, [json!(good), json!(bad), json!(all)]);
    assert_eq!(manifests[0]["tags"], json!(["v1"]));
    assert_eq!((&manifests[0]["architecture"], &manifests[0]["os"]), (&json!("amd64"), &json!("linux")));
    let states: Vec<_> =
        manifests.iter().map(|m| m["changeableAttributes"]["quarantineState"].clone()).collect();
    assert_eq!(states, [json!("Passed"), json!("Failed"), Value::Null]);
    let (page, found) = get(&world, "library%2Fapp/_manifests?n=1&orderby=timedesc").await;
    assert_eq!(page["manifests"][0]["digest"], json!(all));
    let colon = all.to_string();
    assert!(found.contains(&format!("orderby=timedesc&n=1&last={}", colon.replace(':', "%3A"))), "{found}");

    let one =
        |digest: &Digest| format!("library%2Fapp/_manifests/{}", digest.to_string().replace(':', "%3A"));
    let bad = get(&world, &one(&bad)).await.0["manifest"].clone();
    assert_eq!(
        (&bad["mediaType"], &bad["configMediaType"]),
        (&json!(OCI_MANIFEST), &json!("application/vnd.oci.image.config.v1+json"))
    );
    let details: Value =
        serde_json::from_str(bad["changeableAttributes"]["quarantineDetails"].as_str().unwrap()).unwrap();
    assert!(details["state"].as_str().unwrap().starts_with("deny: CVE-2024-1"), "{details}");
    let all = get(&world, &one(&all)).await.0["manifest"].clone();
    assert_eq!(all["references"], json!([{ "digest": good, "architecture": "amd64", "os": "linux" }]));
}

#[tokio::test]
async fn what_is_not_there_has_no_attributes() {
    let Stored { world, .. } = stored().await;
    for (path, code) in [
        ("none", "NAME_UNKNOWN"),
        ("none/_tags", "NAME_UNKNOWN"),
        ("none/_manifests", "NAME_UNKNOWN"),
        ("library/app/_tags/v9", "MANIFEST_UNKNOWN"),
        (&format!("library/app/_manifests/{}", Digest::of(b"none")), "MANIFEST_UNKNOWN"),
        ("library/app/_tags?orderby=size", "UNSUPPORTED"),
    ] {
        assert_eq!(world.get(&format!("/acr/v1/{path}")).await.code(), code, "{path}");
    }
    let tag = "/acr/v1/library%2Fapp/_tags/v1";
    for status in [StatusCode::ACCEPTED, StatusCode::NOT_FOUND] {
        assert_eq!(world.call("DELETE", tag, &[], Body::empty()).await.status, status);
    }
    let nobody = world.raw("GET", "/acr/v1/library/app/_tags", &[], Body::empty()).await;
    assert!(nobody.header("www-authenticate").contains("scope=\"repository:library/app:metadata_read\""));
}
