//! The document and the routes say the same, and answers are as the document says.

use boltseal_flow::access::{Endpoint, Needs};
use serde_json::{Value, json};

use crate::app::App;

const DOCUMENT: &str = include_str!("../../../../docs/reference/openapi.json");

fn document() -> Value {
    serde_json::from_str(DOCUMENT).unwrap()
}

/// Every path of the document.
pub fn paths() -> Vec<String> {
    document()["paths"].as_object().unwrap().keys().cloned().collect()
}

#[test]
fn document_and_routes_agree() {
    let document = document();
    let of_programs = |path: &str| path.starts_with("/api/") || path.ends_with('z');
    let served: Vec<_> = boltseal_server::endpoints().filter(|endpoint| of_programs(endpoint.path)).collect();
    for Endpoint { method, path, needs } in &served {
        let operation = &document["paths"][path][method.to_lowercase()];
        assert!(operation.is_object(), "{method} {path} is not in the document");
        let open = matches!(needs, Needs::Nothing(_));
        assert_eq!(operation["security"] == json!([]), open, "{method} {path}: who may ask");
    }
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let is = |this: &Endpoint| this.path == path && this.method.eq_ignore_ascii_case(method);
            assert!(served.iter().any(is), "{method} {path} is in the document but not served");
        }
    }
}

/// Whether a page of the document can be asked for by its path alone, and answers with JSON.
fn is_plain(path: &str) -> bool {
    let get = &document()["paths"][path]["get"];
    let required =
        get["parameters"].as_array().is_some_and(|all| all.iter().any(|one| one["required"] == true));
    let json = get["responses"]["200"]["content"].as_object();
    get.is_object() && !required && json.is_some_and(|media| media.keys().all(|name| name.ends_with("json")))
}

/// Checks `answer` against the schema that the document has for `path`, status and media type.
fn validate(path: &str, status: u16, media_type: &str, answer: &Value) {
    let document = document();
    let response = &document["paths"][path]["get"]["responses"][status.to_string()];
    let schema = &response["content"][media_type]["schema"];
    assert!(schema.is_object(), "{path}: no schema for {status} {media_type}");
    if schema["$ref"] == "report.schema.json" {
        return;
    }
    let mut schema = schema.clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(answer).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(problems.is_empty(), "{path}: {problems:#?}");
}

async fn check(app: &App, path: &str, address: &str, status: u16) -> Value {
    let answer = app.get(address).await;
    assert_eq!(answer.status, status, "{address}: {}", answer.body);
    let media_type = answer.header("content-type").split(';').next().unwrap_or_default();
    let value: Value = serde_json::from_str(&answer.body).unwrap_or_else(|e| panic!("{address}: {e}"));
    validate(path, status, media_type, &value);
    value
}

#[tokio::test]
async fn answers_are_as_described() {
    for app in [App::new().await, App::empty().await] {
        for path in paths().iter().filter(|path| is_plain(path)) {
            // Nothing is set up yet.
            let status = if path == "/api/v1/settings/sign-in" { 404 } else { 200 };
            check(&app, path, path, status).await;
        }
    }
    let app = App::new().await;
    let images = check(&app, "/api/v1/images", "/api/v1/images?limit=500", 200).await;
    assert_eq!((images["total"].as_u64(), images["rows"].as_array().map(Vec::len)), (Some(16), Some(16)));
    for image in images["rows"].as_array().unwrap() {
        let address = format!("/api/v1/images/{}", image["digest"].as_str().unwrap());
        check(&app, "/api/v1/images/{digest}", &address, 200).await;
        let verdict =
            check(&app, "/api/v1/images/{digest}/verdict", &format!("{address}/verdict"), 200).await;
        if image["kind"] == "index" {
            assert_eq!((&verdict["verdict"], &verdict["judged"]), (&Value::Null, &Value::Bool(true)));
            continue;
        }
        let judged = image["state"] == "judged";
        assert_eq!(verdict["verdict"].is_object(), judged);
        assert!(judged || verdict["decision"] == "unknown", "no verdict is never allow");
        let status = if judged { 200 } else { 404 };
        for query in ["", "?format=json", "?format=sarif", "?format=cyclonedx", "?format=spdx"] {
            check(&app, "/api/v1/images/{digest}/report", &format!("{address}/report{query}"), status).await;
        }
    }
    let vulnerabilities = check(&app, "/api/v1/vulnerabilities", "/api/v1/vulnerabilities", 200).await;
    for row in vulnerabilities["rows"].as_array().unwrap() {
        let address = format!("/api/v1/vulnerabilities/{}", row["id"].as_str().unwrap());
        let detail = check(&app, "/api/v1/vulnerabilities/{id}", &address, 200).await;
        assert!(!detail["hits"].as_array().unwrap().is_empty());
    }
}

#[tokio::test]
async fn nonsense_is_refused_in_words() {
    let app = App::new().await;
    let none = format!("/api/v1/images/sha256:{}", "0".repeat(64));
    for (path, address, status) in [
        ("/api/v1/images", "/api/v1/images?verdict=maybe".to_owned(), 400),
        ("/api/v1/vulnerabilities", "/api/v1/vulnerabilities?severity=bad".to_owned(), 400),
        ("/api/v1/images/{digest}", "/api/v1/images/sha256:0".to_owned(), 400),
        ("/api/v1/images/{digest}", none.clone(), 404),
        ("/api/v1/images/{digest}/verdict", "/api/v1/images/sha256:0/verdict".to_owned(), 400),
        ("/api/v1/images/{digest}/verdict", format!("{none}/verdict?name=NO%20NAME"), 400),
        ("/api/v1/images/{digest}/report", format!("{none}/report?format=pdf"), 400),
        ("/api/v1/vulnerabilities/{id}", "/api/v1/vulnerabilities/CVE-1-1".to_owned(), 404),
    ] {
        let problem = check(&app, path, &address, status).await;
        assert!(problem["title"].as_str().is_some_and(|title| title.len() > 10), "{problem}");
    }
    let answer = app.ask("GET", "/api/v1/images", &[], "").await;
    assert_eq!(answer.status, 401);
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    validate("/api/v1/images", 401, "application/problem+json", &problem);
}

#[tokio::test]
async fn pages_of_a_list_fit_together() {
    let app = App::new().await;
    let mut digests = Vec::new();
    for offset in [0, 4, 8, 12, 16] {
        let list =
            check(&app, "/api/v1/images", &format!("/api/v1/images?limit=4&offset={offset}"), 200).await;
        digests.extend(list["rows"].as_array().unwrap().iter().map(|row| row["digest"].to_string()));
    }
    let every = digests.len();
    digests.sort();
    digests.dedup();
    assert_eq!((every, digests.len()), (16, 16));
}
