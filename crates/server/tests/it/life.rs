//! Locks, immutable tags, quotas and the trash, over the API: who may, what comes of it, and what the log says.

use boltseal_model::{Digest, Timestamp};
use boltseal_store::{Kind, NewManifest};
use serde_json::{Value, json};

use crate::{
    app::App,
    control::{call, newest, principal},
};

const LOCKS: &str = "/api/v1/repositories/team%2Fapp/locks";
const SCOPE: &str = "/registries/main/repositories/team/*";

async fn push(app: &App, tag: &str, text: &str) -> Digest {
    let digest = Digest::of(text.as_bytes());
    let manifest = NewManifest {
        repository: "team/app".to_owned(),
        digest: digest.clone(),
        media_type: "application/vnd.oci.image.manifest.v1+json".to_owned(),
        size: 10,
        place: String::new(),
        content_size: 100,
        kind: Kind::Artifact,
        platform: None,
        subject: None,
        artifact_type: None,
        annotations: None,
        about: None,
        blobs: vec![],
        manifests: vec![],
        tags: vec![tag.to_owned()],
        by: None,
        at: Timestamp::now(),
    };
    app.state.facts.put_manifest(manifest).await.unwrap();
    digest
}

async fn app() -> App {
    let app = App::empty().await;
    principal(&app, "service-principal", "pusher", &[("AcrPush", SCOPE)]).await;
    principal(&app, "service-principal", "deleter", &[("AcrDelete", SCOPE)]).await;
    principal(&app, "service-principal", "puller", &[("AcrPull", SCOPE)]).await;
    app
}

#[tokio::test]
async fn locks_are_set_where_their_right_is_held() {
    let app = app().await;
    let digest = push(&app, "v1", "one").await;
    for (who, method, path, body, status) in [
        ("pusher", "PATCH", LOCKS, json!({"tag": "v1", "write": false, "note": "in production"}), 200),
        ("pusher", "PATCH", LOCKS, json!({"digest": digest, "read": false}), 200),
        ("pusher", "PATCH", LOCKS, json!({"list": false}), 200),
        ("pusher", "PATCH", LOCKS, json!({"tag": "v9", "write": false}), 404),
        ("pusher", "PATCH", LOCKS, json!({"tag": "v1"}), 400),
        ("pusher", "PATCH", LOCKS, json!({"tag": "v 1", "write": false}), 400),
        ("pusher", "PATCH", LOCKS, json!({"tag": "v1", "digest": digest, "write": false}), 400),
        ("pusher", "PATCH", LOCKS, json!({"digest": "sha256:0", "write": false}), 400),
        ("pusher", "PATCH", "/api/v1/repositories/other/locks", json!({"write": false}), 403),
        ("pusher", "PATCH", "/api/v1/repositories/NO/locks", json!({"write": false}), 400),
        ("puller", "PATCH", LOCKS, json!({"tag": "v1", "write": true}), 403),
        ("puller", "GET", "/api/v1/repositories/other/locks", Value::Null, 403),
        ("", "GET", LOCKS, Value::Null, 401),
    ] {
        let (found, answer) = call(&app, who, method, path, &body).await;
        assert_eq!(found, status, "{who} {method} {path} {body}: {answer}");
    }
    let (_, locks) = call(&app, "puller", "GET", LOCKS, &Value::Null).await;
    assert_eq!(locks.as_array().map(Vec::len), Some(3), "{locks}");
    let on_tag = locks.as_array().unwrap().iter().find(|lock| lock["tag"] == "v1").unwrap();
    assert_eq!(
        (&on_tag["write"], &on_tag["by"], &on_tag["note"]),
        (&json!(false), &json!("pusher"), &json!("in production"))
    );
    let (_, opened) = call(&app, "pusher", "PATCH", LOCKS, &json!({"tag": "v1", "write": true})).await;
    assert_eq!(opened["write"], true);
    let record = newest(&app).await.to_string();
    assert!(record.contains("writeEnabled is true now") && record.contains("team/app"), "{record}");
}

#[tokio::test]
async fn deletions_are_taken_back_by_whoever_may_push() {
    let app = app().await;
    let (status, set) = call(&app, "admin", "PATCH", "/api/v1/trash/settings", &json!({"days": 14})).await;
    assert_eq!((status, &set["days"]), (200, &json!(14)));
    assert_eq!(call(&app, "pusher", "PATCH", "/api/v1/trash/settings", &json!({"days": 1})).await.0, 403);
    assert_eq!(call(&app, "admin", "PATCH", "/api/v1/trash/settings", &json!({"days": 91})).await.0, 400);
    let one = push(&app, "v1", "one").await;
    let two = push(&app, "v2", "two").await;
    for digest in [&one, &two] {
        app.state.facts.remove_manifest_by("ada", "team/app", digest).await.unwrap();
    }
    let list = |who: &'static str| call(&app, who, "GET", "/api/v1/trash?repository=team/app", &Value::Null);
    let (_, trash) = list("puller").await;
    let images = trash["images"].as_array().unwrap();
    assert_eq!((images.len(), &images[0]["by"]), (2, &json!("ada")), "{trash}");
    principal(&app, "service-principal", "stranger", &[]).await;
    assert_eq!(list("stranger").await.1["images"], json!([]), "nobody sees what they may not");
    let back = "/api/v1/trash/undelete";
    for (who, body, status) in [
        ("puller", json!({"repository": "team/app", "tag": "v1"}), 403),
        ("pusher", json!({"repository": "team/app"}), 400),
        ("pusher", json!({"repository": "team/app", "tag": "v7"}), 404),
        ("pusher", json!({"repository": "team/app", "tag": "v1"}), 200),
        ("pusher", json!({"repository": "team/app", "digest": one}), 404),
    ] {
        let (found, answer) = call(&app, who, "POST", back, &body).await;
        assert_eq!(found, status, "{who} {body}: {answer}");
    }
    assert_eq!(app.state.facts.tag("team/app", "v1").await.unwrap(), Some(one));
    // A tag that is removed alone comes back alone.
    assert!(app.state.facts.remove_tag("team/app", "v1").await.unwrap());
    let (status, answer) =
        call(&app, "pusher", "POST", back, &json!({"repository": "team/app", "tag": "v1"})).await;
    assert_eq!((status, answer), (200, json!({"manifests": [], "tags": ["v1"], "taken": []})));
    call(&app, "pusher", "PATCH", LOCKS, &json!({"write": false, "note": "frozen"})).await;
    let (status, refused) =
        call(&app, "pusher", "POST", back, &json!({"repository": "team/app", "tag": "v2"})).await;
    assert_eq!(status, 409, "{refused}");
    assert!(refused["title"].as_str().unwrap().contains("pusher locked it"), "{refused}");
    let purge = format!("/api/v1/trash?repository=team/app&digest={two}");
    for (who, status) in [("pusher", 403), ("deleter", 204), ("deleter", 404)] {
        assert_eq!(call(&app, who, "DELETE", &purge, &Value::Null).await.0, status, "{who}");
    }
}

#[tokio::test]
async fn rules_and_quotas_are_the_registrys() {
    let app = app().await;
    push(&app, "v1", "one").await;
    let (rules, quotas) = ("/api/v1/immutable-tags", "/api/v1/quotas");
    let rule = json!({"name": "releases", "repositories": "team/*", "tags": "v*", "except": "*-rc*"});
    let quota = json!({"scope": "team/*", "bytes": 1000, "tags": 5});
    for (who, method, path, body, status) in [
        ("pusher", "POST", rules, rule.clone(), 403),
        ("admin", "POST", rules, rule.clone(), 201),
        ("admin", "POST", rules, json!({"name": "A", "repositories": "*", "tags": "*"}), 400),
        ("admin", "POST", rules, json!({"name": "a", "repositories": " , ", "tags": "*"}), 400),
        ("admin", "DELETE", "/api/v1/immutable-tags/none", Value::Null, 404),
        ("pusher", "POST", quotas, quota.clone(), 403),
        ("admin", "POST", quotas, quota.clone(), 201),
        ("admin", "POST", quotas, json!({"scope": "team/*"}), 400),
        ("admin", "POST", quotas, json!({"scope": "t*", "bytes": 1}), 400),
        ("admin", "DELETE", "/api/v1/quotas?scope=none", Value::Null, 404),
    ] {
        let (found, answer) = call(&app, who, method, path, &body).await;
        assert_eq!(found, status, "{who} {method} {path} {body}: {answer}");
    }
    let (_, all) = call(&app, "admin", "GET", quotas, &Value::Null).await;
    assert_eq!(all[0]["used"], json!({"bytes": 10, "repositories": 1, "tags": 1}), "{all}");
    let (_, all) = call(&app, "admin", "GET", rules, &Value::Null).await;
    assert_eq!((&all[0]["except"], &all[0]["by"]), (&json!("*-rc*"), &json!("admin")));
    assert_eq!(call(&app, "admin", "DELETE", "/api/v1/immutable-tags/releases", &Value::Null).await.0, 204);
    assert_eq!(call(&app, "admin", "DELETE", "/api/v1/quotas?scope=team/*", &Value::Null).await.0, 204);
    assert!(newest(&app).await.to_string().contains("a quota was taken away"));
}
