//! What has grown old, and why: by its date, by the base it names, by the layers of its base.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{About, Document};
use serde_json::{Value, json};

use super::image;
use crate::{app::App, control::call, sample};

fn ago(days: u64) -> Timestamp {
    sample::now() - std::time::Duration::from_hours(24 * days)
}

fn layers(names: &[&str]) -> Vec<Digest> {
    names.iter().map(|name| Digest::of(name.as_bytes())).collect()
}

fn built(days: u64, on: &[&str]) -> About {
    About { created: Some(ago(days)), layers: layers(on), ..About::default() }
}

fn named(name: &str, digest: &str) -> About {
    About {
        base_name: Some(name.to_owned()),
        base_digest: Some(Digest::of(digest.as_bytes())),
        ..built(1, &["x", "y"])
    }
}

async fn push(app: &App, repository: &str, tag: &str, name: &str, about: About, days: u64) {
    let missing = app.state.facts.put_manifest(image(repository, tag, name, about, ago(days))).await.unwrap();
    assert!(missing.is_empty());
}

/// Images listed, by their first name, with name and newer name of the base.
async fn aging(app: &App, query: &str) -> Vec<(String, Value, Value)> {
    let (status, answer) = call(app, "admin", "GET", &format!("/api/v1/aging{query}"), &Value::Null).await;
    assert_eq!(status, 200, "{answer}");
    let mut found: Vec<_> = answer["images"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            let name = one["names"][0].as_str().unwrap_or_default().to_owned();
            (name, one["base"]["name"].clone(), one["base"]["newer"]["name"].clone())
        })
        .collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    found
}

#[tokio::test]
async fn what_has_grown_old() {
    let app = App::empty().await;
    push(&app, "base", "12", "base 1", built(20, &["a", "b"]), 20).await;
    push(&app, "base", "11", "base 0", built(300, &["o"]), 20).await;
    push(&app, "team/fresh", "v1", "fresh", built(5, &["a", "b", "c"]), 5).await;
    push(&app, "team/other", "v1", "other", built(5, &["q", "b", "c"]), 5).await;
    push(&app, "team/old", "v1", "old", built(200, &["z"]), 1).await;
    push(&app, "team/said", "v1", "said", named("127.0.0.1:5000/base:12", "base 1"), 1).await;
    push(&app, "team/cached", "v1", "cached", named("docker.io/library/debian:12", "debian 1"), 1).await;
    push(&app, "hub/debian", "12", "debian 1", built(9, &["d"]), 9).await;
    let upstream = json!({ "name": "hub", "prefix": "hub", "host": "docker.io", "path": "library" });
    let document = Document {
        kind: "registry.upstream".to_owned(),
        id: "hub".to_owned(),
        body: Some(upstream.to_string()),
    };
    app.state.facts.change_settings(vec![document]).await.unwrap();
    let old = |name: &str| (name.to_owned(), Value::Null, Value::Null);
    assert_eq!(aging(&app, "").await, [old("base:11"), old("team/old:v1")], "only by age");
    assert_eq!(aging(&app, "?older_than_days=250").await, [old("base:11")]);
    assert_eq!(aging(&app, "?older_than_days=9999").await, []);

    // New bases.
    push(&app, "base", "12", "base 2", built(1, &["a", "b2"]), 1).await;
    push(&app, "hub/debian", "12", "debian 2", built(1, &["d2"]), 1).await;
    let found = aging(&app, "?older_than_days=9999").await;
    let row = |name: &str, base: &str, newer: &str| (name.to_owned(), json!(base), json!(newer));
    assert_eq!(
        found,
        [
            row("team/cached:v1", "docker.io/library/debian:12", "hub/debian:12"),
            row("team/fresh:v1", "base:12", "base:12"),
            row("team/said:v1", "127.0.0.1:5000/base:12", "base:12"),
        ]
    );
    let (_, answer) = call(&app, "admin", "GET", "/api/v1/aging?older_than_days=9999", &Value::Null).await;
    let fresh =
        answer["images"].as_array().unwrap().iter().find(|one| one["names"][0] == "team/fresh:v1").unwrap();
    assert_eq!(fresh["base"]["known_by"], "layers");
    assert_eq!(fresh["base"]["digest"], Digest::of(b"base 1").to_string());
    assert_eq!(fresh["base"]["newer"]["digest"], Digest::of(b"base 2").to_string());
    assert_eq!(fresh["base"]["newer"]["since"], ago(1).to_string());
    assert_eq!(fresh["days"], 5);

    // The base is called something else now, too: then it is current.
    push(&app, "base", "12-kept", "base 1", built(20, &["a", "b"]), 1).await;
    let names: Vec<String> =
        aging(&app, "?older_than_days=9999").await.into_iter().map(|one| one.0).collect();
    assert_eq!(names, ["team/cached:v1", "team/said:v1"]);
    let (status, _) = call(&app, "admin", "GET", "/api/v1/aging?older_than_days=soon", &Value::Null).await;
    assert_eq!(status, 400);
}
