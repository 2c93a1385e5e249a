//! Other registries: what may be set, and that passwords are never shown.

use boltseal_api::upstreams::{context, kinds};
use boltseal_identity::seal::Purpose;
use boltseal_model::Digest;
use boltseal_store::Checked;
use serde_json::{Value, json};

use crate::{
    app::{App, token},
    sample,
};

async fn ask(app: &App, method: &str, path: &str, body: &Value, status: u16) -> Value {
    let authorization = format!("Bearer {}", token(&app.state, sample::NAME));
    let answer = app.ask(method, path, &[("authorization", &authorization)], &body.to_string()).await;
    assert_eq!(answer.status, status, "{method} {path} {body}: {}", answer.body);
    serde_json::from_str(&answer.body).unwrap_or_default()
}

async fn kept(app: &App, kind: &str) -> Vec<Value> {
    let documents = app.state.facts.documents_of(kind).await.unwrap();
    documents.iter().map(|one| serde_json::from_str(one.body.as_deref().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn a_password_is_sealed_for_one_user_of_one_registry_and_never_shown() {
    let app = App::empty().await;
    let hub = json!({
        "name": "hub", "prefix": "hub", "host": "docker.io", "username": "robot", "password": "opensesame",
    });
    let made = ask(&app, "POST", "/api/v1/upstreams", &hub, 201).await;
    assert_eq!(
        (&made["username"], &made["ttl"], &made["enabled"]),
        (&json!("robot"), &json!(600), &json!(true))
    );
    let stored = kept(&app, kinds::UPSTREAM).await;
    let keys = app.state.access.authority().keys();
    let opened = |document: &Value, host: &str, user: &str| {
        use base64::{Engine as _, engine::general_purpose::STANDARD};
        let sealed = STANDARD.decode(document["sealed"].as_str()?).ok()?;
        keys.open(Purpose::Setting, &sealed, &context(host, user)).ok().map(|plain| plain.to_vec())
    };
    assert_eq!(opened(&stored[0], "docker.io", "robot").as_deref(), Some(b"opensesame".as_slice()));
    assert_eq!(opened(&stored[0], "evil.example", "robot"), None);

    // A change keeps it; another host or user does not get it.
    for (host, user, keeps) in
        [("docker.io", "robot", true), ("docker.io", "somebody", false), ("evil.example", "robot", false)]
    {
        ask(&app, "POST", "/api/v1/upstreams", &hub, 201).await;
        let change = json!({ "name": "hub", "prefix": "hub", "host": host, "username": user, "ttl": 60 });
        ask(&app, "POST", "/api/v1/upstreams", &change, 201).await;
        let stored = kept(&app, kinds::UPSTREAM).await;
        assert_eq!(opened(&stored[0], host, user).is_some(), keeps, "{host} {user}");
    }
    for path in ["/api/v1/upstreams", "/api/v1/upstreams/hub", "/api/v1/audit/records"] {
        let shown = app.get(path).await.body;
        assert!(!shown.contains("opensesame") && !shown.contains("\"sealed\":\""), "{path}: {shown}");
    }
    ask(&app, "DELETE", "/api/v1/upstreams/hub", &json!({}), 204).await;
    ask(&app, "DELETE", "/api/v1/upstreams/hub", &json!({}), 404).await;
    let records = app.get("/api/v1/audit/records?subject=/registries/main/upstreams").await.body;
    assert!(records.contains("docker.io"), "{records}");
}

#[tokio::test]
async fn nonsense_is_no_upstream() {
    let app = App::empty().await;
    app.state.facts.add_blob("team/app", &Digest::of(b"x"), 1).await.unwrap();
    let good = json!({ "name": "hub", "prefix": "hub", "host": "docker.io" });
    for (field, value, status) in [
        ("name", json!("Hub"), 400),
        ("prefix", json!(""), 400),
        ("prefix", json!("hub/"), 400),
        ("prefix", json!("../x"), 400),
        ("prefix", json!("team"), 409),
        ("host", json!("docker"), 400),
        ("host", json!("https://docker.io"), 400),
        ("host", json!("docker.io/library"), 400),
        ("path", json!("/library"), 400),
        ("ttl", json!(9_999_999), 400),
        ("ca", json!("not PEM"), 400),
        ("allow", json!(["x".repeat(300)]), 400),
        ("password", json!("without a name"), 400),
    ] {
        let mut body = good.clone();
        body[field] = value;
        ask(&app, "POST", "/api/v1/upstreams", &body, status).await;
    }
    ask(&app, "POST", "/api/v1/upstreams", &good, 201).await;
    let other = json!({ "name": "other", "prefix": "hub", "host": "quay.io" });
    ask(&app, "POST", "/api/v1/upstreams", &other, 409).await;
}

#[tokio::test]
async fn mirrors_are_set_begun_and_paused() {
    let app = App::empty().await;
    let good = json!({
        "name": "debian", "host": "docker.io", "repositories": ["library/debian"], "destination": "mirror",
        "tags": ["12*"], "newest": 3, "every": 21_600, "platforms": ["linux/amd64"],
    });
    for (field, value) in [
        ("repositories", json!([])),
        ("repositories", json!(["UPPER"])),
        ("destination", json!("")),
        ("destination", json!("/x")),
        ("every", json!(1)),
        ("platforms", json!(["amd64/linux/x/y"])),
    ] {
        let mut body = good.clone();
        body[field] = value;
        ask(&app, "POST", "/api/v1/mirrors", &body, 400).await;
    }
    ask(&app, "POST", "/api/v1/mirrors", &good, 201).await;
    let run = ask(&app, "POST", "/api/v1/mirrors/debian/runs", &json!(null), 202).await;
    assert_eq!((&run["state"], &run["source"]), (&json!("waiting"), &json!("docker.io/library/debian")));
    let again = ask(&app, "POST", "/api/v1/mirrors/debian/runs", &json!(null), 202).await;
    assert_eq!(again["id"], run["id"], "one at a time");
    ask(&app, "PATCH", "/api/v1/mirrors/debian", &json!({ "paused": true }), 204).await;
    let status = ask(&app, "GET", "/api/v1/mirrors/debian", &json!(null), 200).await;
    assert_eq!((&status["mirror"]["paused"], &status["runs"][0]["state"]), (&json!(true), &json!("stopped")));
    assert_eq!(status["next"], Value::Null);
    ask(&app, "DELETE", "/api/v1/mirrors/debian", &json!(null), 204).await;
    ask(&app, "POST", "/api/v1/mirrors/debian/runs", &json!(null), 404).await;
}

#[tokio::test]
async fn imports_need_the_right_to_push_and_forget_passwords() {
    let app = App::empty().await;
    let good = json!({
        "source": "docker.io/library/debian:12", "destination": "base/debian", "username": "robot",
        "password": "opensesame",
    });
    for (field, value) in [
        ("source", json!("")),
        ("destination", json!("UPPER")),
        ("destination", json!("a:b:c")),
        ("platforms", json!(["amd64/linux/x/y"])),
    ] {
        let mut body = good.clone();
        body[field] = value;
        ask(&app, "POST", "/api/v1/imports", &body, 400).await;
    }
    let begun = ask(&app, "POST", "/api/v1/imports", &good, 202).await;
    let id = begun["id"].as_str().unwrap().to_owned();
    let jobs = app.state.facts.jobs(Some(kinds::IMPORT_JOB), 10).await.unwrap();
    assert!(!jobs[0].spec.contains("opensesame"));
    assert_eq!(app.state.facts.documents_of(kinds::IMPORT_SECRET).await.unwrap().len(), 1);
    ask(&app, "DELETE", &format!("/api/v1/imports/{id}"), &json!(null), 204).await;
    assert_eq!(app.state.facts.documents_of(kinds::IMPORT_SECRET).await.unwrap(), []);
    let listed = ask(&app, "GET", "/api/v1/imports", &json!(null), 200).await;
    assert_eq!(listed[0]["state"], "stopped");
}

#[tokio::test]
async fn how_it_went_when_an_upstream_was_asked() {
    let app = App::empty().await;
    for (name, host) in [("good", "good.example"), ("bad", "bad.example"), ("new", "new.example")] {
        ask(&app, "POST", "/api/v1/upstreams", &json!({ "name": name, "prefix": name, "host": host }), 201)
            .await;
    }
    let at = sample::now() - std::time::Duration::from_mins(3);
    for (name, body) in
        [("good", None), ("bad", Some("bad.example: 429, <b>too many</b> requests".to_owned()))]
    {
        let name = format!("upstream {name} at {name}.example");
        app.state.facts.note_upstream_check("", &name, Checked { at, body }).await.unwrap();
    }
    let all = ask(&app, "GET", "/api/v1/upstreams", &Value::Null, 200).await;
    let asked =
        |name: &str| all.as_array().unwrap().iter().find(|one| one["name"] == name).unwrap()["asked"].clone();
    assert_eq!(asked("good"), json!({ "at": at }));
    assert_eq!(asked("bad")["trouble"], "bad.example: 429, <b>too many</b> requests");
    assert_eq!(asked("new"), Value::Null);
    let one = ask(&app, "GET", "/api/v1/upstreams/bad", &Value::Null, 200).await;
    assert_eq!(one["asked"], asked("bad"));
    let page = app.get("/upstreams").await.body;
    assert!(page.contains("failing") && page.contains("429, &lt;b&gt;too many"), "{page}");
    assert!(page.contains("Answered") && page.contains("3 minutes ago") && page.contains("Not asked yet"));

    // At another host it begins anew.
    let moved = json!({ "name": "bad", "prefix": "bad", "host": "better.example" });
    ask(&app, "POST", "/api/v1/upstreams", &moved, 201).await;
    let one = ask(&app, "GET", "/api/v1/upstreams/bad", &Value::Null, 200).await;
    assert_eq!(one["asked"], Value::Null);
}
