//! What images were built on, by their layers; and whether those agree with what the images say.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::About;
use serde_json::{Value, json};

use super::image;
use crate::{app::App, control::call, sample};

fn layers(names: &[&str]) -> Vec<Digest> {
    names.iter().map(|name| Digest::of(name.as_bytes())).collect()
}

fn on(names: &[&str]) -> About {
    About { layers: layers(names), ..About::default() }
}

fn saying(names: &[&str], base: &str, digest: Option<&str>) -> About {
    let base_digest = digest.map(|name| Digest::of(name.as_bytes()));
    About { base_name: Some(base.to_owned()), base_digest, ..on(names) }
}

async fn push(app: &App, repository: &str, tag: &str, name: &str, about: About) {
    let at: Timestamp = sample::now();
    assert!(app.state.facts.put_manifest(image(repository, tag, name, about, at)).await.unwrap().is_empty());
}

async fn ask(app: &App, name: &str) -> Value {
    let path = format!("/api/v1/images/{}/base", Digest::of(name.as_bytes()));
    let (status, answer) = call(app, "admin", "GET", &path, &Value::Null).await;
    assert_eq!(status, 200, "{name}: {answer}");
    answer
}

#[tokio::test]
async fn the_nearest_image_is_the_base_whatever_the_image_says() {
    let app = App::empty().await;
    push(&app, "debian", "12", "debian", on(&["d"])).await;
    push(&app, "node", "20", "node", on(&["d", "n"])).await;
    // Packed by somebody else, and without a name: the same layers.
    push(&app, "node", "", "node twin", on(&["d", "n"])).await;
    for (name, about) in [
        ("plain", on(&["d", "n", "a"])),
        ("true", saying(&["d", "n", "a"], "127.0.0.1:5000/node:20", Some("node"))),
        ("inherited", saying(&["d", "n", "a"], "127.0.0.1:5000/debian:12", Some("debian"))),
        ("lying", saying(&["d", "a"], "127.0.0.1:5000/node:20", Some("node"))),
        ("foreign", saying(&["z", "a"], "registry.example/z:1", Some("z"))),
        ("foreign but known", saying(&["d", "a"], "registry.example/z:1", Some("z"))),
        ("vague", saying(&["d", "a"], "debian", None)),
        ("own", on(&["q"])),
        ("retagged", on(&["d", "n"])),
    ] {
        push(&app, "team/app", &name.replace(' ', "-"), name, about).await;
    }
    for (name, base, known_by, depth, agreement) in [
        ("plain", json!("node:20"), json!("layers"), json!(2), Value::Null),
        ("true", json!("127.0.0.1:5000/node:20"), json!("annotation"), json!(2), json!("agree")),
        ("inherited", json!("node:20"), json!("layers"), json!(2), json!("agree")),
        ("lying", json!("debian:12"), json!("layers"), json!(1), json!("differ")),
        ("foreign", json!("registry.example/z:1"), json!("annotation"), Value::Null, json!("unknown")),
        ("foreign but known", json!("debian:12"), json!("layers"), json!(1), json!("unknown")),
        ("vague", json!("debian:12"), json!("layers"), json!(1), json!("unknown")),
        ("own", Value::Null, Value::Null, Value::Null, Value::Null),
        // All of the layers of `node`, and none of its own: not on `node`, but on what both are on.
        ("retagged", json!("debian:12"), json!("layers"), json!(1), Value::Null),
    ] {
        let found = ask(&app, name).await;
        let told = (
            &found["base"]["name"],
            &found["base"]["known_by"],
            &found["base"]["layers"],
            &found["claim"]["layers"],
        );
        assert_eq!(told, (&base, &known_by, &depth, &agreement), "{name}: {found}");
    }
    let plain = ask(&app, "plain").await;
    let candidates: Vec<(&Value, &Value)> = plain["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (&one["names"][0], &one["layers"]))
        .collect();
    let named = json!("team/app:retagged");
    assert_eq!(candidates.len(), 4, "{plain}");
    assert_eq!(candidates[0], (&json!("node:20"), &json!(2)), "{plain}");
    assert!(candidates.contains(&(&named, &json!(2))) && candidates.contains(&(&Value::Null, &json!(2))));
    assert_eq!(candidates[3], (&json!("debian:12"), &json!(1)));

    // An image that is not here, by its layers.
    let asked = json!({ "layers": layers(&["d", "n", "new"]) });
    let (status, found) = call(&app, "admin", "POST", "/api/v1/bases", &asked).await;
    assert_eq!(
        (status, &found["base"]["name"], &found["base"]["layers"]),
        (200, &json!("node:20"), &json!(2))
    );
    for wrong in [json!({ "layers": ["x"] }), json!({ "layers": vec![Digest::of(b"x"); 501] })] {
        let (status, _) = call(&app, "admin", "POST", "/api/v1/bases", &wrong).await;
        assert_eq!(status, 400);
    }
    let nowhere = format!("/api/v1/images/{}/base", Digest::of(b"nowhere"));
    assert_eq!(call(&app, "admin", "GET", &nowhere, &Value::Null).await.0, 404);
}

/// Theirs, yours, and what rebasing would change: from the reports that are stored.
#[tokio::test]
async fn findings_are_told_apart_and_rebasing_is_counted() {
    let app = App::new().await;
    let described = sample::images();
    let storefront = described.iter().find(|one| one.repository == "shop/storefront").unwrap();
    let path = format!("/api/v1/images/{}/base", storefront.digest());
    let (status, found) = call(&app, "admin", "GET", &path, &Value::Null).await;
    assert_eq!(status, 200, "{found}");
    assert_eq!((&found["theirs"]["layers"], &found["yours"]["layers"]), (&json!(2), &json!(1)));
    assert_eq!(found["claim"]["layers"], "agree");
    let ids = |hits: &Value| -> Vec<String> {
        hits.as_array().unwrap().iter().map(|hit| hit["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&found["theirs"]["findings"]).len(), 4, "{found}");
    assert_eq!(ids(&found["yours"]["findings"]).len(), 5, "{found}");
    assert_eq!(found["rebase"]["onto"], "platform/base:latest");
    let mut removed = ids(&found["rebase"]["removes"]);
    removed.sort_unstable();
    assert_eq!(removed, ["CVE-2023-5363", "CVE-2024-5535"]);
    assert_eq!(found["rebase"]["keeps"], 2);

    let page = app.get(&format!("/images/{}", storefront.digest())).await.body;
    for part in
        ["Their layers", "Your layers", "the layers agree", "Rebasing on platform/base:latest", "2 findings"]
    {
        assert!(page.contains(part), "no {part} in {page}");
    }
    let layers = app.get(&format!("/images/{}?view=layers", storefront.digest())).await.body;
    assert_eq!((layers.matches(">theirs<").count(), layers.matches(">yours<").count()), (2, 1));
}
