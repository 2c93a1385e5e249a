//! Policies that are put in force over the API: counted, checked, and refused where they are older.

use std::sync::Arc;

use boltseal_flow::endorsed::{Endorsers, endorsement};
use boltseal_policy::Policy;
use boltseal_server::policies::{PolicySource, applied};
use boltseal_trust::{PrivateKey, sign};
use serde_json::{Value, json};

use crate::{
    app::App,
    control::{call, newest, principal},
};

const PATH: &str = "/api/v1/policy/versions";

fn text(name: &str, more: &str) -> String {
    format!("version: 1\nname: {name}\n{more}rules: [{{ name: gaps, effect: warn, coverage: {{}} }}]\n")
}

#[tokio::test]
async fn an_older_policy_needs_more_than_a_newer_one() {
    let app = App::empty().await;
    principal(&app, "user", "writer", &[("SecurityAdmin", "/")]).await;
    principal(&app, "user", "reader", &[("Reader", "/")]).await;
    let role =
        json!({ "Name": "Policy Writer", "Actions": ["Boltseal/policies/write"], "AssignableScopes": ["/"] });
    assert_eq!(call(&app, "admin", "POST", "/api/v1/roles", &role).await.0, 201);
    principal(&app, "user", "plain", &[("Policy Writer", "/")]).await;
    let revision = |number: u64| text("shop", &format!("revision: {number}\n"));
    for (who, body, status, words) in [
        ("reader", json!({ "text": revision(1) }), 403, "may not"),
        ("writer", json!({ "text": "version: 1\nname: x\nrulez: []\n" }), 400, "rulez"),
        (
            "writer",
            json!({ "text": text("shop", "authorities: [{ name: a, key: a.pub }]\n") }),
            400,
            "was not sent",
        ),
        ("writer", json!({ "text": revision(1) }), 201, "\"version\":1"),
        ("plain", json!({ "text": revision(3) }), 201, "\"version\":2"),
        ("plain", json!({ "text": revision(3) }), 201, "\"version\":3"),
        ("plain", json!({ "text": revision(2) }), 409, "it is revision 2, and revision 3 is in force"),
        ("plain", json!({ "text": text("shop", "revision: 3\napprovals: 1\n") }), 409, "count `revision` up"),
        ("plain", json!({ "text": text("shop", "") }), 409, "it has no `revision`"),
        ("plain", json!({ "text": revision(1), "rollback": true }), 403, "policies/rollback/action"),
        ("writer", json!({ "text": revision(1), "rollback": true }), 201, "revision 1, and revision 3"),
    ] {
        let (found, answer) = call(&app, who, "POST", PATH, &body).await;
        assert_eq!(found, status, "{who} {body}: {answer}");
        let said = answer.to_string().to_lowercase();
        assert!(said.contains(&words.to_lowercase()), "{who} {body}: {answer}");
    }
    let record = newest(&app).await.to_string();
    assert!(record.contains("an older policy was put in force as version 4"), "{record}");
    let all = call(&app, "reader", "GET", PATH, &Value::Null).await.1;
    assert_eq!(
        (all.as_array().unwrap().len(), &all[0]["version"], &all[0]["by"]),
        (4, &json!(4), &json!("writer"))
    );
    let one = call(&app, "reader", "GET", &format!("{PATH}/2"), &Value::Null).await.1;
    assert_eq!(one["text"], revision(3));
    assert_eq!(call(&app, "reader", "GET", &format!("{PATH}/9"), &Value::Null).await.0, 404);
    let active = applied(&app.state.facts, &Endorsers::default()).await.unwrap().unwrap();
    assert_eq!((active.version, active.text), (Some(4), revision(1)));
}

#[tokio::test]
async fn what_was_in_force_before_is_older_whoever_counts() {
    let app = App::empty().await;
    let apply = async |name: &str, rollback: bool| {
        call(&app, "admin", "POST", PATH, &json!({ "text": text(name, ""), "rollback": rollback })).await
    };
    assert_eq!(apply("a", false).await.0, 201);
    assert_eq!(apply("b", false).await.0, 201);
    let (status, why) = apply("a", false).await;
    assert!(status == 409 && why.to_string().to_lowercase().contains("version 1 said exactly this"), "{why}");
    let (status, done) = apply("a", true).await;
    assert_eq!((status, &done["rollback"]), (201, &json!("version 1 said exactly this")));
}

#[tokio::test]
async fn a_server_that_asks_for_signatures_applies_what_is_signed() {
    let key = PrivateKey::passing().unwrap();
    let endorsers = Endorsers::new(vec![("ours.pub".to_owned(), key.public().to_pem())]).unwrap();
    let source = PolicySource { endorsers: endorsers.clone(), file: None };
    let app = App::empty().await.with(|state| state.policies = Arc::new(source));
    let signed = |name: &str, second: i64, by: &PrivateKey| {
        let policy = Policy::parse(&text(name, "")).unwrap();
        let at = boltseal_model::Timestamp::from_second(second).unwrap();
        let bundle = sign(&endorsement(&policy, at), policy.text_digest(), Some(name), by).unwrap();
        let bundle = String::from_utf8(bundle).unwrap();
        json!({ "text": text(name, ""), "bundle": bundle })
    };
    let other = PrivateKey::passing().unwrap();
    let mut swapped = signed("a", 1_000, &key);
    swapped["text"] = json!(text("evil", ""));
    for (body, status, words) in [
        (json!({ "text": text("a", "") }), 400, "it is not signed"),
        (signed("a", 1_000, &other), 400, "not signed by whom this server believes"),
        (swapped, 400, "not signed by whom this server believes"),
        (signed("b", 2_000, &key), 201, "ours.pub"),
        (signed("a", 1_000, &key), 409, "it was signed at 1970-01-01T00:16:40Z"),
        (signed("c", 3_000, &key), 201, "\"version\":2"),
    ] {
        let (found, answer) = call(&app, "admin", "POST", PATH, &body).await;
        assert_eq!(found, status, "{body}: {answer}");
        let said = answer.to_string().to_lowercase();
        assert!(said.contains(&words.to_lowercase()), "{body}: {answer}");
    }
    assert!(applied(&app.state.facts, &endorsers).await.unwrap().is_some());
    let others = Endorsers::new(vec![("theirs.pub".to_owned(), other.public().to_pem())]).unwrap();
    let refused = applied(&app.state.facts, &others).await.unwrap_err().to_string();
    assert!(refused.starts_with("version 2 of the policy, which was applied"), "{refused}");

    let file = PolicySource { endorsers, file: Some("/etc/policy.yaml".to_owned()) };
    let app = app.with(|state| state.policies = Arc::new(file));
    let (status, why) = call(&app, "admin", "POST", PATH, &signed("d", 4_000, &key)).await;
    assert!(status == 409 && why.to_string().contains("--policy /etc/policy.yaml"), "{why}");
}
