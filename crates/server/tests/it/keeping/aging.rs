//! What has grown old, and why: by its date, by the base it names, by the layers of its base.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{About, Document, Pulled};
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

fn named(name: &str, digest: &str, on: &[&str]) -> About {
    About {
        base_name: Some(name.to_owned()),
        base_digest: Some(Digest::of(digest.as_bytes())),
        ..built(1, on)
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
    push(&app, "team/said", "v1", "said", named("127.0.0.1:5000/base:12", "base 1", &["a", "b", "x"]), 1)
        .await;
    push(
        &app,
        "team/cached",
        "v1",
        "cached",
        named("docker.io/library/debian:12", "debian 1", &["d", "y"]),
        1,
    )
    .await;
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
    for query in ["in_use_days=lately", "older_than_days=-1"] {
        let (status, _) = call(&app, "admin", "GET", &format!("/api/v1/aging?{query}"), &Value::Null).await;
        assert_eq!(status, 400, "{query}");
    }
    let (status, _) = call(&app, "admin", "GET", "/api/v1/aging?older_than_days=soon", &Value::Null).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn in_use_is_what_was_pulled_lately() {
    let app = App::empty().await;
    push(&app, "team/app", "v1", "app", built(200, &["a"]), 1).await;
    push(&app, "team/idle", "v1", "idle", built(200, &["b"]), 1).await;
    push(&app, "team/never", "v1", "never", built(200, &["c"]), 1).await;
    push(&app, "team/fresh", "v1", "fresh", built(2, &["d"]), 1).await;
    let pulled = |repository: &str, name: &str, tag: Option<&str>, days| Pulled {
        repository: repository.to_owned(),
        digest: Digest::of(name.as_bytes()),
        tag: tag.map(str::to_owned),
        number: 1,
        last: ago(days),
        by: None,
    };
    let pulls = vec![
        pulled("team/app", "app", Some("v1"), 90),
        // The same image from elsewhere, by its digest.
        pulled("copy/app", "app", None, 3),
        pulled("team/idle", "idle", Some("v1"), 40),
        pulled("team/fresh", "fresh", None, 0),
    ];
    app.state.facts.count_pulls(pulls).await.unwrap();
    for (query, expected) in [
        ("", vec!["team/app:v1", "team/idle:v1", "team/never:v1"]),
        ("?in_use_days=30", vec!["team/app:v1"]),
        ("?in_use_days=40", vec!["team/app:v1", "team/idle:v1"]),
        ("?in_use_days=2", vec![]),
        ("?in_use_days=30&older_than_days=300", vec![]),
    ] {
        let names: Vec<String> = aging(&app, query).await.into_iter().map(|one| one.0).collect();
        assert_eq!(names, expected, "{query}");
    }
    let (_, answer) = call(&app, "admin", "GET", "/api/v1/aging", &Value::Null).await;
    let last = |name: &str| {
        let images = answer["images"].as_array().unwrap();
        images.iter().find(|one| one["names"][0] == name).unwrap()["last_pull"].clone()
    };
    assert_eq!((last("team/app:v1"), last("team/never:v1")), (json!(ago(3).to_string()), Value::Null));

    // The page says the same.
    let page = app.get("/aging?in_use=30").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("team/app:v1") && page.body.contains("3 days ago"), "{}", page.body);
    assert!(!page.body.contains("team/idle") && !page.body.contains("team/fresh"));
    let all = app.get("/aging").await.body;
    assert!(all.contains("team/never:v1") && all.contains("never"), "{all}");
    assert!(app.get("/aging?older=3650").await.body.contains("Nothing has grown old"));
}
