//! Principals, logging in and out, and what somebody may.

use serde_json::{Value, json};

use super::{call, call_with, newest, principal, records};
use crate::app::App;

#[tokio::test]
async fn a_program_logs_in_and_may_what_it_was_given() {
    let app = App::empty().await;
    let secret = principal(&app, "service-principal", "ci", &[]).await;
    assert!(secret.starts_with("bsl_"), "no secret");
    let login = json!({ "name": "ci", "secret": secret });
    let (status, session) = call(&app, "", "POST", "/api/v1/login", &login).await;
    assert_eq!((status, session["principal"].as_str()), (200, Some("ci")), "{session}");
    let record = newest(&app).await;
    assert_eq!((record["class_uid"].as_u64(), record["status"].as_str()), (Some(3002), Some("Success")));
    assert!(!record.to_string().contains(&secret), "the secret is in the log");

    let token = session["access_token"].as_str().unwrap();
    let (status, me) = call_with(&app, token, "GET", "/api/v1/whoami", &Value::Null).await;
    assert_eq!((status, me["name"].as_str(), me["via"].as_str()), (200, Some("ci"), Some("token")), "{me}");
    let question = "/api/v1/can-i?action=Microsoft.ContainerRegistry/registries/repositories/content/read\
                    &scope=/registries/main/repositories/team/a";
    let (_, no) = call_with(&app, token, "GET", question, &Value::Null).await;
    assert_eq!(no["allowed"], false, "{no}");
    assert!(no["roles_that_would"].as_array().is_some_and(|roles| !roles.is_empty()), "{no}");

    let given =
        json!({ "principal": "ci", "role": "AcrPull", "scope": "/registries/main/repositories/team/*" });
    let (status, assignment) = call(&app, "admin", "POST", "/api/v1/role-assignments", &given).await;
    assert_eq!(status, 201, "{assignment}");
    let (_, yes) = call_with(&app, token, "GET", question, &Value::Null).await;
    assert_eq!((&yes["allowed"], &yes["granted_by"]["id"]), (&json!(true), &assignment["id"]), "{yes}");
    let other = question.replace("team/a", "other/b");
    let (_, no) = call_with(&app, token, "GET", &other, &Value::Null).await;
    assert_eq!(no["allowed"], false);
    assert!(no["considered"][0]["why_not"].as_str().unwrap().starts_with("scope"), "{no}");
    let (status, _) =
        call_with(&app, token, "GET", &format!("{question}&principal=admin"), &Value::Null).await;
    assert_eq!(status, 403, "about others only whoever may see who there is");

    let (status, _) = call_with(&app, token, "POST", "/api/v1/logout", &Value::Null).await;
    assert_eq!(status, 204);
    let (status, _) = call_with(&app, token, "GET", "/api/v1/whoami", &Value::Null).await;
    assert_eq!(status, 401, "logged out and still somebody");
}

#[tokio::test]
async fn people_are_made_changed_and_removed() {
    let app = App::empty().await;
    principal(&app, "user", "ada", &[]).await;
    let group = json!({ "kind": "group", "name": "team", "members": ["ada"] });
    for (method, path, body, status) in [
        ("POST", "/api/v1/principals", group.clone(), 201),
        ("POST", "/api/v1/principals", group, 400),
        ("POST", "/api/v1/principals", json!({ "kind": "user", "name": "a b" }), 400),
        ("POST", "/api/v1/principals", json!({ "kind": "user", "name": "bob", "password": "short" }), 400),
        ("POST", "/api/v1/principals", json!({ "kind": "group", "name": "g", "members": ["nobody"] }), 404),
        ("POST", "/api/v1/principals", json!("nonsense"), 400),
        (
            "PATCH",
            "/api/v1/principals/team",
            json!({ "remove_members": ["ada"], "add_members": ["admin"] }),
            200,
        ),
        ("PATCH", "/api/v1/principals/ada", json!({ "add_members": ["admin"] }), 409),
        ("PATCH", "/api/v1/principals/ada", json!({ "display": "Ada", "disabled": true }), 200),
        ("PATCH", "/api/v1/principals/nobody", json!({}), 404),
        ("DELETE", "/api/v1/principals/ada", Value::Null, 204),
        ("DELETE", "/api/v1/principals/ada", Value::Null, 404),
        ("DELETE", "/api/v1/principals/admin", Value::Null, 409),
    ] {
        let before = records(&app).await.len();
        let (found, answer) = call(&app, "admin", method, path, &body).await;
        assert_eq!(found, status, "{method} {path} {body}: {answer}");
        let recorded = records(&app).await.len() > before;
        assert_eq!(recorded, status < 300, "{method} {path} {body}: a change is recorded, a mistake is not");
    }
    let (_, team) = call(&app, "admin", "GET", "/api/v1/principals/team", &Value::Null).await;
    assert_eq!(team["members"], json!(["admin"]));
    let (_, groups) = call(&app, "admin", "GET", "/api/v1/principals?kind=group", &Value::Null).await;
    assert!(groups.as_array().unwrap().iter().any(|one| one["name"] == "team"), "{groups}");
    let large = json!({ "kind": "user", "name": "x".repeat(70_000) });
    let (status, _) = call(&app, "admin", "POST", "/api/v1/principals", &large).await;
    assert_eq!(status, 413);
}

#[tokio::test]
async fn whoever_may_not_is_told_what_is_missing() {
    let app = App::empty().await;
    principal(&app, "user", "reader", &[("Reader", "/")]).await;
    principal(&app, "user", "giver", &[("User Access Administrator", "/registries/main")]).await;
    principal(&app, "user", "nothing", &[]).await;
    let assign = |scope: &str| json!({ "principal": "nothing", "role": "AcrPull", "scope": scope });
    for (who, method, path, body, status) in [
        ("reader", "POST", "/api/v1/principals", json!({ "kind": "user", "name": "x" }), 403),
        ("reader", "POST", "/api/v1/role-assignments", assign("/registries/main"), 403),
        ("reader", "GET", "/api/v1/role-assignments", Value::Null, 200),
        ("giver", "POST", "/api/v1/role-assignments", assign("/registries/main"), 201),
        ("giver", "POST", "/api/v1/role-assignments", assign("/"), 403),
        ("giver", "GET", "/api/v1/role-assignments", Value::Null, 200),
        ("nothing", "GET", "/api/v1/principals", Value::Null, 403),
        ("nothing", "GET", "/api/v1/role-assignments", Value::Null, 403),
        ("nothing", "POST", "/api/v1/role-assignments", Value::Null, 403),
        ("nothing", "POST", "/api/v1/scope-maps", Value::Null, 403),
        ("nothing", "POST", "/api/v1/roles", Value::Null, 403),
        ("nothing", "POST", "/api/v1/federations", Value::Null, 403),
        ("nothing", "POST", "/api/v1/principals/admin/secrets", json!({}), 403),
        ("nothing", "POST", "/api/v1/principals/nobody/secrets", json!({}), 403),
        ("nothing", "POST", "/api/v1/break-glass/shares", json!({ "shares": 3, "threshold": 2 }), 403),
        ("nothing", "PUT", "/api/v1/settings/sign-in", json!({}), 403),
        ("nothing", "GET", "/api/v1/whoami", Value::Null, 200),
        ("", "GET", "/api/v1/whoami", Value::Null, 401),
        ("", "POST", "/api/v1/principals", Value::Null, 401),
    ] {
        let (found, answer) = call(&app, who, method, path, &body).await;
        assert_eq!(found, status, "{who} {method} {path} {body}: {answer}");
        if status == 403 {
            assert!(answer["action"].is_string() && answer["scope"].is_string(), "{answer}");
            assert_eq!(newest(&app).await["action"], "Denied", "{who} {method} {path}: not in the log");
        }
    }
    let (_, all) = call(&app, "reader", "GET", "/api/v1/role-assignments", &Value::Null).await;
    let (_, some) = call(&app, "giver", "GET", "/api/v1/role-assignments", &Value::Null).await;
    let scopes: Vec<_> = some.as_array().unwrap().iter().map(|one| one["scope"].as_str().unwrap()).collect();
    assert!(scopes.iter().all(|scope| scope.starts_with("/registries/main")), "{scopes:?}");
    assert!(!scopes.is_empty() && all.as_array().unwrap().len() > scopes.len());
}
