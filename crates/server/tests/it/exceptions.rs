//! Who may approve an exception, and what speaks against it.

use std::sync::Arc;

use boltseal_policy::Policy;
use boltseal_server::ActivePolicy;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    app::App,
    control::{call, newest, principal},
};

const TEXT: &str = "version: 1
name: shop
approvals: 1
rules: [{ name: high, effect: deny, vulnerabilities: {} }]
exceptions:
  - { name: of-ann, findings: [CVE-1], owner: ann@example.com, reason: r, expires: 2099-01-31 }
  - { name: of-team, findings: [CVE-1], owner: payments, reason: r, expires: 2099-01-31 }
  - { name: ended, findings: [CVE-1], owner: dan, reason: r, expires: 2020-01-31 }
";

async fn app() -> App {
    let policy = Policy::parse(TEXT).unwrap();
    let active = ActivePolicy::of_file(policy, TEXT.to_owned());
    App::empty().await.with(|state| state.policy = watch::channel(Arc::new(active)).1)
}

async fn listed(app: &App) -> Value {
    call(app, "admin", "GET", "/api/v1/policy/exceptions", &Value::Null).await.1
}

#[tokio::test]
async fn people_with_the_action_approve_what_others_own() {
    let app = app().await;
    for name in ["ann", "bob", "cho", "dan"] {
        principal(&app, "user", name, &[("Exception Approver", "/")]).await;
    }
    principal(&app, "service-principal", "bot", &[("Exception Approver", "/")]).await;
    principal(&app, "user", "eve", &[("SecurityAdmin", "/"), ("Contributor", "/")]).await;
    let group = json!({ "kind": "group", "name": "payments", "members": ["cho"] });
    assert_eq!(call(&app, "admin", "POST", "/api/v1/principals", &group).await.0, 201);

    let all = listed(&app).await;
    let digest = |index: usize| json!({ "digest": all[index]["digest"] });
    let stale = json!({ "digest": format!("sha256:{}", "0".repeat(64)) });
    for (who, name, body, status, words) in [
        ("eve", "of-ann", digest(0), 403, "may not"),
        ("bot", "of-ann", digest(0), 409, "approved by people, and bot is a service principal"),
        ("ann", "of-ann", digest(0), 409, "owned by ann@example.com"),
        ("cho", "of-team", digest(1), 409, "owned by payments"),
        ("bob", "of-ann", stale, 409, "something else than what you looked at"),
        ("bob", "of-ann", digest(1), 409, "something else than what you looked at"),
        ("bob", "ended", digest(2), 409, "it ended on 2020-01-31"),
        ("bob", "none", digest(0), 404, "exception `none`"),
        ("bob", "of-ann", digest(0), 201, "\"counts\":true"),
        ("bob", "of-ann", digest(0), 409, "nobody counts twice"),
        ("bob", "of-team", digest(1), 201, "\"counts\":true"),
        ("cho", "of-ann", digest(0), 201, "bob"),
    ] {
        let path = format!("/api/v1/policy/exceptions/{name}/approvals");
        let (found, answer) = call(&app, who, "POST", &path, &body).await;
        assert_eq!(found, status, "{who} {name}: {answer}");
        let said = answer.to_string().to_lowercase();
        assert!(said.contains(words), "{who} {name}: {answer}");
    }
    let record = newest(&app).await;
    assert!(
        record.to_string().contains("2 of 1 approved the exception of-ann of ann@example.com"),
        "{record}"
    );
    let now = listed(&app).await;
    assert_eq!(now[0]["approvals"].as_array().unwrap().len(), 2, "{now}");
    assert_eq!((&now[2]["counts"], &now[2]["ended"]), (&json!(false), &json!(true)));

    let approvals = boltseal_server::approvals(&app.state.facts).await.unwrap();
    let policy = app.state.policy.borrow().policy.clone();
    assert_ne!(policy.clone().with_approvals(&approvals).digest(), policy.digest());

    for (who, name, of, status) in [
        ("eve", "of-ann", "bob", 403),
        ("cho", "of-ann", "dan", 404),
        ("cho", "of-ann", "Bob", 204),
        ("cho", "of-ann", "cho", 204),
        ("cho", "of-team", "bob", 204),
    ] {
        let path = format!("/api/v1/policy/exceptions/{name}/approvals/{of}");
        assert_eq!(call(&app, who, "DELETE", &path, &Value::Null).await.0, status, "{who} {name} {of}");
    }
    let record = newest(&app).await;
    assert!(
        record.to_string().contains("approval of the exception of-team by bob was taken back"),
        "{record}"
    );
    assert_eq!(boltseal_server::approvals(&app.state.facts).await.unwrap(), []);
}

#[tokio::test]
async fn the_page_of_the_policy_has_a_button_for_whoever_may() {
    let app = app().await;
    principal(&app, "user", "bob", &[("Exception Approver", "/")]).await;
    principal(&app, "user", "eve", &[("SecurityAdmin", "/")]).await;
    let page = async |who: &str| {
        let token = format!("Bearer {}", crate::app::token(&app.state, who));
        app.ask("GET", "/policy", &[("authorization", &token)], "").await.body
    };
    let form = "action=\"/policy/exceptions/of-ann/approve\"";
    assert!(!page("eve").await.contains(form));
    let shown = page("bob").await;
    assert!(shown.contains(form) && shown.contains("1 approval missing"), "{shown}");
    let digest = listed(&app).await[0]["digest"].as_str().unwrap().to_owned();
    let send = async |what: &str, body: &str| {
        let token = format!("Bearer {}", crate::app::token(&app.state, "bob"));
        let headers =
            [("authorization", token.as_str()), ("content-type", "application/x-www-form-urlencoded")];
        app.ask("POST", &format!("/policy/exceptions/of-ann/{what}"), &headers, body).await
    };
    assert_eq!(send("approve", "digest=sha256%3A0").await.status, 409);
    let answer = send("approve", &format!("digest={}", digest.replace(':', "%3A"))).await;
    assert_eq!(
        (answer.status.as_u16(), answer.header("location")),
        (303, "/policy#exceptions"),
        "{}",
        answer.body
    );
    let shown = page("bob").await;
    assert!(shown.contains("approved by bob") && shown.contains("Take my approval back"), "{shown}");
    assert_eq!(send("take-back", "who=bob").await.status, 303);
    assert_eq!(send("nonsense", "").await.status, 404);
    assert!(page("bob").await.contains(form));
}
