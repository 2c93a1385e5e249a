//! The webhooks of Kubernetes: reviews that a real API server sent, and images of every standing.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    app::App,
    control::{call, newest},
    sample,
};

const SETTING: &str = "/api/v1/settings/admission";

fn review(operation: &str, kind: &str, object: &Value) -> Value {
    json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": {
        "uid": "u-1", "operation": operation, "kind": {"group": "", "version": "v1", "kind": kind},
        "namespace": "shop", "object": object, "oldObject": null, "dryRun": false}})
}

fn pod(images: &[&str]) -> Value {
    let containers: Vec<Value> = images
        .iter()
        .enumerate()
        .map(|(index, image)| json!({"name": format!("c{index}"), "image": image}))
        .collect();
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"containers": containers}})
}

/// Asks as an API server does: without credentials.
async fn ask(app: &App, verb: &str, review: &Value) -> Value {
    let path = format!("/admission/{verb}?timeout=5s");
    let answer = app.ask("POST", &path, &[("content-type", "application/json")], &review.to_string()).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/json");
    let body: Value = serde_json::from_str(&answer.body).unwrap();
    assert_eq!(body["response"]["uid"], review["request"]["uid"]);
    body["response"].clone()
}

async fn validate(app: &App, images: &[&str]) -> Value {
    ask(app, "validate", &review("CREATE", "Pod", &pod(images))).await
}

async fn set(app: &App, setting: Value) {
    let (status, told) = call(app, sample::NAME, "PUT", SETTING, &setting).await;
    assert_eq!(status, 204, "{told}");
}

fn message(response: &Value) -> &str {
    response["status"]["message"].as_str().unwrap_or_default()
}

/// Images of the sample, and what the answer must say about each.
#[tokio::test]
async fn images_of_every_standing() {
    let app = App::new().await;
    let stored = app.state.facts.tag("tools/alpine", "3.20").await.unwrap().unwrap();
    let by_digest = format!("docker.io/library/alpine@{stored}");
    let nobody = format!("127.0.0.1:5000/tools/alpine@sha256:{}", "0".repeat(64));
    let cases: &[(&str, bool, &[&str])] = &[
        ("127.0.0.1:5000/tools/alpine:3.20", true, &[]),
        // A verdict belongs to a digest, wherever the image is pulled from.
        (&by_digest, true, &[]),
        (
            "127.0.0.1:5000/shop/checkout:2.13.2",
            false,
            &[
                "container \"c0\": 127.0.0.1:5000/shop/checkout:2.13.2 (/spec/containers/0/image): deny: CVE-",
                "(policy default, rule ",
                "; wanted: ",
                "; fix: ",
            ],
        ),
        ("127.0.0.1:5000/shop/checkout", false, &["deny: CVE-"]),
        (
            "127.0.0.1:5000/data/notebooks:nightly",
            false,
            &["unknown: still being scanned; try again in a few seconds"],
        ),
        ("127.0.0.1:5000/legacy/windows-agent:3.2", false, &["could not be scanned: layer"]),
        ("127.0.0.1:5000/tools/alpine:nope", false, &["there is no tag nope in tools/alpine", "push it"]),
        (&nobody, false, &["is not in tools/alpine"]),
        ("nginx:1", false, &["it comes from docker.io", "boltseal image copy docker.io/library/nginx:1"]),
        ("NOT AN IMAGE", false, &["is no reference of an image"]),
    ];
    for (image, allowed, parts) in cases {
        let response = validate(&app, &[image]).await;
        assert_eq!(response["allowed"], *allowed, "{image}: {response}");
        for part in *parts {
            assert!(
                message(&response).contains(part),
                "{image}: {part} is missing in {}",
                message(&response)
            );
        }
    }
    // One bad image of several is enough.
    let response = validate(&app, &["127.0.0.1:5000/tools/alpine:3.20", "nginx:1"]).await;
    assert_eq!(
        (response["allowed"].as_bool(), response["auditAnnotations"]["decision"].as_str()),
        (Some(false), Some("deny"))
    );
    assert!(
        message(&response).contains("/spec/containers/1/image")
            && !message(&response).contains("tools/alpine")
    );
}

#[tokio::test]
async fn what_is_unknown_is_as_the_setting_says() {
    let app = App::new().await;
    assert_eq!(validate(&app, &["nginx:1"]).await["allowed"], false, "closed by default");
    for (unknown, allowed, warned) in [("deny", false, false), ("warn", true, true), ("allow", true, false)] {
        set(&app, json!({"unknown": unknown})).await;
        let response = validate(&app, &["nginx:1"]).await;
        assert_eq!(response["allowed"], allowed, "{unknown}");
        let told = response["warnings"][0].as_str().unwrap_or_default();
        assert_eq!(told.contains("unknown: it comes from docker.io"), warned, "{unknown}: {response}");
        // What is known to be bad is not unknown.
        assert_eq!(
            validate(&app, &["127.0.0.1:5000/shop/checkout:2.13.2"]).await["allowed"],
            false,
            "{unknown}"
        );
    }
    // A namespace of its own, and a name under which the cluster knows the registry.
    set(
        &app,
        json!({"namespaces": {"shop": {"unknown": "allow"}}, "registries": ["r.example.com"],
        "exceptions": "write to security@example.com"}),
    )
    .await;
    assert_eq!(validate(&app, &["nginx:1"]).await["allowed"], true);
    assert_eq!(validate(&app, &["r.example.com/tools/alpine:3.20"]).await["allowed"], true);
    let response = validate(&app, &["r.example.com/shop/checkout:2.13.2"]).await;
    assert!(message(&response).ends_with("for an exception: write to security@example.com"), "{response}");
    set(&app, json!({"mode": "warn"})).await;
    let response = validate(&app, &["127.0.0.1:5000/shop/checkout:2.13.2"]).await;
    assert_eq!(response["allowed"], true);
    assert!(
        response["warnings"][0].as_str().unwrap().starts_with("would be refused: container"),
        "{response}"
    );
    assert_eq!(response["auditAnnotations"], json!({"decision": "deny", "mode": "warn"}));
}

#[tokio::test]
async fn pods_are_held_to_a_level() {
    let app = App::new().await;
    let mut object = pod(&["127.0.0.1:5000/tools/alpine:3.20"]);
    object["spec"]["hostPID"] = json!(true);
    let asked = review("CREATE", "Pod", &object);
    assert_eq!(ask(&app, "validate", &asked).await["allowed"], true);
    set(&app, json!({"level": "baseline", "version": "v1.31"})).await;
    let response = ask(&app, "validate", &asked).await;
    assert_eq!(
        message(&response),
        "boltseal: Pod Security baseline v1.31, hostNamespaces: the pod shares the processes of its host (spec.hostPID); \
         wanted: no network, processes or memory of the host; fix: remove hostNetwork, hostPID and hostIPC"
    );
    // It was so before: whoever changes a label must not be kept from it.
    let mut changed = review("UPDATE", "Pod", &object);
    changed["request"]["oldObject"] = object.clone();
    assert_eq!(ask(&app, "validate", &changed).await["allowed"], true);
}

#[tokio::test]
async fn tags_become_digests() {
    let app = App::new().await;
    let digest = app.state.facts.tag("tools/alpine", "3.20").await.unwrap().unwrap();
    let images =
        ["127.0.0.1:5000/tools/alpine:3.20", "nginx:1", &format!("127.0.0.1:5000/tools/alpine@{digest}")];
    let response = ask(&app, "mutate", &review("CREATE", "Pod", &pod(&images))).await;
    assert_eq!(
        (response["allowed"].as_bool(), response["patchType"].as_str()),
        (Some(true), Some("JSONPatch"))
    );
    let patch: Value =
        serde_json::from_slice(&STANDARD.decode(response["patch"].as_str().unwrap()).unwrap()).unwrap();
    let pinned = format!("127.0.0.1:5000/tools/alpine:3.20@{digest}");
    assert_eq!(patch, json!([{"op": "replace", "path": "/spec/containers/0/image", "value": pinned}]));
    // The pinned pod is judged by its digest.
    assert_eq!(validate(&app, &[&pinned]).await["allowed"], true);
    // Whoever makes pods keeps what its author wrote.
    let template = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "c", "image": images[0]}]}}}});
    let response = ask(&app, "mutate", &review("CREATE", "Deployment", &template)).await;
    assert_eq!(response, json!({"uid": "u-1", "allowed": true}));
}

/// What a real API server sent. Nothing in it is stored here, so whatever would run something new is refused.
#[tokio::test]
async fn recorded_reviews() {
    let Some(folder) = boltseal_testkit::shared("data/admission/reviews") else { return };
    let app = App::new().await;
    let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    assert_eq!(names.len(), 19);
    for path in names {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let asked: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let runs = (name.contains("-CREATE-") || name.starts_with("013"))
            && !name.contains("namespaces")
            && !name.contains("services");
        let response = ask(&app, "validate", &asked).await;
        assert_eq!(response["allowed"], !runs, "{name}: {response}");
        let response = ask(&app, "mutate", &asked).await;
        assert_eq!((&response["allowed"], &response["patch"]), (&json!(true), &Value::Null), "{name}");
    }
}

/// What cannot be read is refused by its id, so that no setting of a cluster lets it in.
#[tokio::test]
async fn what_cannot_be_read_is_refused() {
    let app = App::new().await;
    let mut huge = review("CREATE", "Pod", &pod(&["127.0.0.1:5000/tools/alpine:3.20"]));
    huge["request"]["object"]["metadata"]["annotations"] = json!({"a": "\u{1}".repeat(1 << 20)});
    let many: Vec<&str> = vec!["127.0.0.1:5000/tools/alpine:3.20"; 1_001];
    let odd = review("FROB", "Pod", &pod(&["127.0.0.1:5000/tools/alpine:3.20"]));
    for (asked, part) in [
        (huge.to_string(), "the request is longer than 4194304 bytes"),
        (review("CREATE", "Pod", &pod(&many)).to_string(), "more than 1,000 images"),
        (odd.to_string(), "request.operation is missing or wrong"),
        (odd.to_string().trim_end_matches('}').to_owned(), "not a document: line 1: "),
    ] {
        // An API server writes the id first.
        let asked = asked.replace("\"request\":{", "\"request\":{\"uid\":\"u-2\",");
        for unknown in ["deny", "allow"] {
            set(&app, json!({"unknown": unknown})).await;
            let answer = app.ask("POST", "/admission/validate", &[], &asked).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            let response = &body["response"];
            assert_eq!((&response["uid"], &response["allowed"]), (&json!("u-2"), &json!(false)), "{body}");
            assert!(message(response).contains(part), "{part}: {body}");
        }
        assert_ne!(app.ask("POST", "/admission/mutate", &[], &asked).await.status, 200);
    }
    set(&app, json!({"mode": "warn"})).await;
    let answer = app
        .ask(
            "POST",
            "/admission/validate",
            &[],
            &odd.to_string().replace("\"request\":{", "\"request\":{\"uid\":\"u-2\","),
        )
        .await;
    assert!(answer.body.contains("would be refused: what is asked about cannot be read"), "{}", answer.body);
}

#[tokio::test]
async fn nonsense_and_settings() {
    let app = App::new().await;
    for (body, status) in [("", 400), ("{}", 400), ("{\"kind\": \"AdmissionReview\"}", 400), ("[1", 400)] {
        for verb in ["validate", "mutate"] {
            let answer = app.ask("POST", &format!("/admission/{verb}"), &[], body).await;
            assert_eq!(answer.status, status, "{body}: {}", answer.body);
            assert_eq!(answer.header("content-type"), "application/problem+json");
        }
    }
    let long = " ".repeat(boltseal_orchestrator::admission::MAX_BODY + 1);
    assert_eq!(app.ask("POST", "/admission/validate", &[], &long).await.status, 413);
    for wrong in [
        json!({"level": "strict"}),
        json!({"version": "2"}),
        json!({"unknown": "maybe"}),
        json!({"levle": "restricted"}),
        json!({"registries": ["r.example.com/team"]}),
        json!({"exceptions": "a\nb"}),
        json!({"namespaces": {"shop": {"level": "none"}}}),
    ] {
        let (status, told) = call(&app, sample::NAME, "PUT", SETTING, &wrong).await;
        assert_eq!(status, 400, "{wrong}: {told}");
    }
    assert_eq!(call(&app, "", "PUT", SETTING, &json!({})).await.0, 401);
    set(&app, json!({"unknown": "warn"})).await;
    let record = newest(&app).await.to_string();
    assert!(record.contains("/settings/admission") && record.contains("warn"), "{record}");
    let (_, setting) = call(&app, sample::NAME, "GET", SETTING, &Value::Null).await;
    assert_eq!(
        setting,
        json!({"unknown": "warn", "mode": "enforce", "level": "privileged", "version": "latest", "log": "counts"})
    );
}
