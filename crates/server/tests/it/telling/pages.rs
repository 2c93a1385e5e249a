//! The pages about what became newly vulnerable.

use boltseal_model::Severity;
use serde_json::{Value, json};

use super::{Receiver, SESAME, finding, judge, push, rule, slack, tried, until};
use crate::{
    app::{App, token},
    control::{call, principal},
    sample,
};

#[tokio::test]
async fn what_is_new_is_on_the_front_page_and_on_its_own() {
    let app = App::empty().await;
    push(&app, "team/app", "v1", "image").await;
    let page = app.get("/findings/new").await;
    assert!(page.status == 200 && page.body.contains("Nothing is newly vulnerable"), "{}", page.body);
    judge(&app, "image", "s1", vec![finding("CVE-2026-1", Severity::High, Some("2"), false)]).await;
    let page = app.get("/findings/new?days=90").await;
    for part in ["CVE-2026-1", "team/app:v1", "new data", "openssl", "s-high"] {
        assert!(page.body.contains(part), "no {part} in {}", page.body);
    }
    assert!(!app.get("/findings/new?days=90&severity=critical").await.body.contains("CVE-2026-1"));
    assert!(!app.get("/findings/new?days=90&repository=other").await.body.contains("CVE-2026-1"));
    assert!(app.get("/").await.body.contains("Newly vulnerable"));
    assert!(app.get("/vulnerabilities").await.body.contains("href=\"/findings/new\""));
    let page = app.get("/vulnerabilities/CVE-2026-1").await;
    assert!(page.body.contains("Since"), "{}", page.body);
}

#[tokio::test]
async fn rules_are_made_and_tested_from_their_page() {
    let app = App::empty().await;
    let (receiver, address) = Receiver::start().await;
    assert!(app.get("/notifications").await.body.contains("nobody is told"));
    let bearer = format!("Bearer {}", token(&app.state, sample::NAME));
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/x-www-form-urlencoded")];
    let form = format!(
        "name=ops&severity=high&kind=slack&fixable=yes&secret=https%3A%2F%2Flocalhost%3A{}%2F{SESAME}",
        address.port()
    );
    let answer = app.ask("POST", "/notifications", &headers, &form).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/notifications"),
        "{}",
        answer.body
    );
    let answer = app.ask("POST", "/notifications/ops/test", &headers, "").await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let last = tried(&app, "ops").await.remove(0);
    let page = app.get("/notifications").await.body;
    for part in ["failing", "not public", "At least high, with a fix", "localhost", "Send again"] {
        assert!(page.contains(part), "no {part} in {page}");
    }
    assert!(!page.contains(SESAME));
    let again = format!("id={}", last["id"].as_str().unwrap());
    assert_eq!(app.ask("POST", "/notifications/ops/redeliver", &headers, &again).await.status, 303);
    assert_eq!(rule(&app, "ops", slack(address)).await.0, 201);
    until(&app, async || Some(()).filter(|()| receiver.taken().len() == 1)).await;
    assert_eq!(app.ask("POST", "/notifications/ops/nonsense", &headers, "").await.status, 404);
    // Whoever may only look has no buttons, and no way around them.
    principal(&app, "user", "ada", &[("Reader", "/")]).await;
    let bearer = format!("Bearer {}", token(&app.state, "ada"));
    let page = app.ask("GET", "/notifications", &[("authorization", &bearer)], "").await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("ops") && !page.body.contains("Send a test"), "{}", page.body);
    let refused = call(&app, "ada", "POST", "/api/v1/notifications/ops/test", &Value::Null).await;
    assert_eq!(refused.0, 403, "{refused:?}");
    assert_eq!(app.ask("POST", "/notifications/ops/remove", &headers, "").await.status, 303);
    let (_, listed) = call(&app, "admin", "GET", "/api/v1/notifications", &Value::Null).await;
    assert_eq!(listed, json!([]));
}
