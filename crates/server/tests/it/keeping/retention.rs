//! Rules are added, shown, tried out and taken away.

use boltseal_store::About;
use serde_json::{Value, json};

use super::image;
use crate::{
    app::App,
    control::{call, newest, principal},
    sample,
};

#[tokio::test]
async fn rules_are_tried_out_before_they_are_done() {
    let app = App::empty().await;
    let now = sample::now();
    for (tag, days) in [("build-1", 100), ("build-2", 10), ("v1", 100)] {
        let at = now - std::time::Duration::from_hours(24 * days + 1);
        let pushed = image("team/app", tag, tag, About::default(), at);
        app.state.facts.put_manifest(pushed).await.unwrap();
    }
    let rule = json!({ "name": "old", "repositories": "team/*", "older_than_days": 30, "keep": ["v*"] });
    let (status, made) = call(&app, "admin", "POST", "/api/v1/retention/rules", &rule).await;
    assert_eq!((status, &made), (201, &rule));
    let record = newest(&app).await;
    assert_eq!(record["unmapped"]["detail"]["after"]["older_than_days"], 30, "{record}");
    let (_, all) = call(&app, "admin", "GET", "/api/v1/retention/rules", &Value::Null).await;
    assert_eq!(all, json!([rule]));

    let (status, plan) = call(&app, "admin", "GET", "/api/v1/retention/plan", &Value::Null).await;
    assert_eq!((status, plan["total"].as_u64(), plan["kept"].as_u64()), (200, Some(1), Some(2)), "{plan}");
    let going = &plan["images"][0];
    assert_eq!((going["tags"].clone(), going["rule"].as_str()), (json!(["build-1"]), Some("old")));
    assert_eq!(going["why"], "it was pushed 100 days ago");
    for (query, total) in [("?repository=other", 0), ("?repository=team/app", 1), ("?rule=old", 1)] {
        let path = format!("/api/v1/retention/plan{query}");
        assert_eq!(call(&app, "admin", "GET", &path, &Value::Null).await.1["total"], total, "{query}");
    }
    let kept = app.state.facts.kept_manifests("team/app", 10).await.unwrap();
    assert_eq!(kept.len(), 3, "a plan deletes nothing");

    let (status, run) =
        call(&app, "admin", "POST", "/api/v1/retention/runs", &json!({ "rule": "old" })).await;
    assert_eq!(status, 202, "{run}");
    let job = app.state.facts.job(run["job"].as_str().unwrap()).await.unwrap().unwrap();
    assert_eq!(
        (job.kind.as_str(), job.spec.as_str(), job.by.as_str()),
        ("retention", "{\"rule\":\"old\"}", "admin")
    );

    principal(&app, "user", "ada", &[("Reader", "/")]).await;
    for (who, method, path, body, status) in [
        ("ada", "GET", "/api/v1/retention/plan", Value::Null, 200),
        ("ada", "POST", "/api/v1/retention/rules", rule.clone(), 403),
        ("ada", "POST", "/api/v1/retention/runs", json!({}), 403),
        ("admin", "POST", "/api/v1/retention/runs", json!({ "rule": "none" }), 404),
        ("admin", "GET", "/api/v1/retention/plan?rule=none", Value::Null, 404),
        ("admin", "POST", "/api/v1/retention/rules", json!({ "name": "x", "repositories": "*" }), 400),
        (
            "admin",
            "POST",
            "/api/v1/retention/rules",
            json!({ "name": "X", "repositories": "*", "keep": ["v*"] }),
            400,
        ),
        (
            "admin",
            "POST",
            "/api/v1/retention/rules",
            json!({ "name": "x", "repositories": "", "keep": ["v*"] }),
            400,
        ),
        ("admin", "DELETE", "/api/v1/retention/rules/none", Value::Null, 404),
        ("admin", "DELETE", "/api/v1/retention/rules/old", Value::Null, 204),
        ("admin", "DELETE", "/api/v1/retention/rules/old", Value::Null, 404),
    ] {
        let (found, answer) = call(&app, who, method, path, &body).await;
        assert_eq!(found, status, "{who} {method} {path} {body}: {answer}");
    }
}
