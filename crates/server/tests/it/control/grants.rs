//! Roles, assignments and scope maps.

use serde_json::{Value, json};

use super::{call, newest, principal};
use crate::app::App;

const CUSTOM: &str = r#"{
    "Name": "Image Watcher", "IsCustom": true, "Description": "Looks at images.",
    "Actions": ["Boltseal/images/read", "Microsoft.Compute/virtualMachines/read"],
    "NotActions": [], "AssignableScopes": ["/subscriptions/11111111-2222-3333-4444-555555555555"]
}"#;

#[tokio::test]
async fn a_role_of_azure_is_imported_given_and_removed() {
    let app = App::empty().await;
    let custom: Value = serde_json::from_str(CUSTOM).unwrap();
    let (status, imported) = call(&app, "admin", "POST", "/api/v1/roles", &custom).await;
    assert_eq!((status, imported["roles"][0]["name"].as_str()), (201, Some("Image Watcher")), "{imported}");
    assert_eq!(imported["notes"].as_array().map(Vec::len), Some(2), "{imported}");
    let id = imported["roles"][0]["id"].as_str().unwrap();
    principal(&app, "user", "ada", &[("image watcher", "/")]).await;
    assert_eq!(call(&app, "ada", "GET", "/api/v1/images", &Value::Null).await.0, 200);
    let path = format!("/api/v1/roles/{id}");
    assert_eq!(call(&app, "admin", "DELETE", &path, &Value::Null).await.0, 409, "it is in use");
    let (_, given) = call(&app, "admin", "GET", "/api/v1/role-assignments?principal=ada", &Value::Null).await;
    let assignment = format!("/api/v1/role-assignments/{}", given[0]["id"].as_str().unwrap());
    assert_eq!(call(&app, "admin", "DELETE", &assignment, &Value::Null).await.0, 204);
    assert_eq!(newest(&app).await["activity_name"], "Revoke Privileges");
    assert_eq!(call(&app, "admin", "DELETE", &assignment, &Value::Null).await.0, 404);
    assert_eq!(call(&app, "ada", "GET", "/api/v1/images", &Value::Null).await.0, 403);
    assert_eq!(call(&app, "admin", "DELETE", &path, &Value::Null).await.0, 204);
    let (_, roles) = call(&app, "admin", "GET", "/api/v1/roles", &Value::Null).await;
    assert!(roles.as_array().unwrap().iter().all(|role| role["built_in"] == true), "{roles}");
    let owner = roles.as_array().unwrap().iter().find(|role| role["name"] == "Owner").unwrap();
    let path = format!("/api/v1/roles/{}", owner["id"].as_str().unwrap());
    assert_eq!(call(&app, "admin", "DELETE", &path, &Value::Null).await.0, 409);
}

#[tokio::test]
async fn nonsense_is_not_given() {
    let app = App::empty().await;
    principal(&app, "user", "ada", &[]).await;
    let good = json!({ "principal": "ada", "role": "AcrPull", "scope": "/registries/main" });
    for (field, value, status) in [
        ("principal", json!("nobody"), 404),
        ("role", json!("King"), 404),
        ("scope", json!("registries"), 400),
        ("condition", json!("repository like"), 400),
        ("condition", json!("repository like \"team/*\""), 201),
        ("expires", json!("2020-01-01T00:00:00Z"), 400),
        ("expires", json!("2090-01-01T00:00:00Z"), 201),
    ] {
        let mut asked = good.clone();
        asked[field] = value;
        let (found, answer) = call(&app, "admin", "POST", "/api/v1/role-assignments", &asked).await;
        assert_eq!(found, status, "{asked}: {answer}");
    }
}

#[tokio::test]
async fn a_token_has_a_scope_map() {
    let app = App::empty().await;
    let map = json!({ "name": "pulls", "actions": ["repositories/team/a/content/read"] });
    assert_eq!(call(&app, "admin", "POST", "/api/v1/scope-maps", &map).await.0, 201);
    let wrong = json!({ "name": "pulls", "actions": ["repositories/team/a/content/pull"] });
    assert_eq!(call(&app, "admin", "POST", "/api/v1/scope-maps", &wrong).await.0, 400);
    let (_, maps) = call(&app, "admin", "GET", "/api/v1/scope-maps", &Value::Null).await;
    assert_eq!(maps, json!([map]));
    let token = json!({ "kind": "token", "name": "puller", "scope_map": "pulls" });
    let (status, made) = call(&app, "admin", "POST", "/api/v1/principals", &token).await;
    assert_eq!(status, 201, "{made}");
    assert!(made["secret"].is_string());
    assert_eq!(call(&app, "admin", "DELETE", "/api/v1/scope-maps/pulls", &Value::Null).await.0, 409);
    assert_eq!(call(&app, "admin", "DELETE", "/api/v1/principals/puller", &Value::Null).await.0, 204);
    assert_eq!(call(&app, "admin", "DELETE", "/api/v1/scope-maps/pulls", &Value::Null).await.0, 204);
    assert_eq!(call(&app, "admin", "DELETE", "/api/v1/scope-maps/pulls", &Value::Null).await.0, 404);
}
