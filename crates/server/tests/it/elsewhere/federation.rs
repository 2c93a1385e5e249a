//! Tokens of GitHub's and Kubernetes' form, for tokens of ours.

use boltseal_model::Timestamp;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::issuer::Issuer;
use crate::{
    app::App,
    control::{call, call_with, newest, principal},
    sample,
};

const LOGIN: &str = "/api/v1/login/federated";

/// Claims as GitHub Actions has them.
fn github(now: Timestamp) -> Value {
    json!({
        "aud": "boltseal", "sub": "repo:octo/app:ref:refs/heads/main", "repository": "octo/app",
        "ref": "refs/heads/main", "iat": now.as_second(), "exp": now.as_second() + 300,
    })
}

async fn trust(app: &App, federation: &Value) -> Value {
    let (status, made) = call(app, "admin", "POST", "/api/v1/federations", federation).await;
    assert_eq!(status, 201, "{made}");
    made
}

async fn login(app: &App, token: &str) -> (u16, Value) {
    call(app, "", "POST", LOGIN, &json!({ "token": token })).await
}

fn in_hours(hours: i64) -> Timestamp {
    sample::now().checked_add(SignedDuration::from_hours(hours)).unwrap()
}

#[tokio::test]
async fn a_token_of_another_issuer_stands_for_a_principal() {
    let (app, issuer) = (App::empty().await, Issuer::start());
    principal(&app, "workload", "deploy", &[("Reader", "/")]).await;
    principal(&app, "workload", "pod", &[]).await;
    let actions = json!({
        "issuer": issuer.url, "audience": "boltseal", "subject": "repo:octo/*",
        "claims": ["ref=refs/heads/main"], "principal": "deploy",
    });
    let made = trust(&app, &actions).await;
    assert_eq!(made["claims"], actions["claims"]);
    trust(
        &app,
        &json!({
            "issuer": issuer.url, "audience": "boltseal", "subject": "system:serviceaccount:prod:web",
            "claims": ["kubernetes.io.namespace=prod"], "principal": "pod",
        }),
    )
    .await;
    let now = sample::now();
    let pod = json!({
        "aud": ["boltseal", "other"], "sub": "system:serviceaccount:prod:web", "iat": now.as_second(),
        "exp": now.as_second() + 300, "kubernetes.io": { "namespace": "prod", "serviceaccount": { "name": "web" } },
    });
    for (claims, name) in [(github(now), "deploy"), (pod, "pod")] {
        let (status, session) = login(&app, &issuer.sign(&claims)).await;
        assert_eq!((status, session["principal"].as_str()), (200, Some(name)), "{session}");
        assert!(newest(&app).await.to_string().contains("federation"));
        let token = session["access_token"].as_str().unwrap();
        let (_, me) = call_with(&app, token, "GET", "/api/v1/whoami", &Value::Null).await;
        assert_eq!(me["name"], name);
    }
    assert_eq!(issuer.asked(), 1, "keys are remembered");
    let (_, all) = call(&app, "admin", "GET", "/api/v1/federations", &Value::Null).await;
    let path = format!("/api/v1/federations/{}", all[0]["id"].as_str().unwrap());
    assert_eq!(call(&app, "admin", "DELETE", &path, &Value::Null).await.0, 204);
    assert_eq!(call(&app, "admin", "DELETE", &path, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn what_is_not_as_it_should_be_is_refused_and_recorded() {
    let (app, issuer, stranger) = (App::empty().await, Issuer::start(), Issuer::start());
    principal(&app, "workload", "deploy", &[]).await;
    trust(
        &app,
        &json!({
            "issuer": issuer.url, "audience": "boltseal", "subject": "repo:octo/*", "principal": "deploy",
        }),
    )
    .await;
    let now = sample::now();
    let with = |field: &str, value: Value| {
        let mut claims = github(now);
        claims[field] = value;
        claims
    };
    let good = issuer.sign(&github(now));
    let (head, rest) = good.split_once('.').unwrap();
    let none = format!("eyJhbGciOiJub25lIn0.{}.", rest.split('.').next().unwrap());
    let cases = [
        ("another audience", issuer.sign(&with("aud", json!("other"))), "aud"),
        ("over", issuer.sign(&with("exp", json!(now.as_second() - 3600))), "expired"),
        ("not yet", issuer.sign(&with("nbf", json!(now.as_second() + 3600))), "still to come"),
        ("no end", issuer.sign(&with("exp", Value::Null)), "exp"),
        ("another subject", issuer.sign(&with("sub", json!("repo:evil/app:ref:x"))), "federation"),
        ("an unknown issuer", stranger.sign(&github(now)), "no federation names"),
        ("somebody else's key", stranger.sign(&with("iss", json!(issuer.url))), "key"),
        ("no algorithm", none, "none"),
        ("HMAC with the public key", format!("eyJhbGciOiJIUzI1NiJ9.{rest}"), "HS256"),
        ("a changed head", format!("x{}.{rest}", &head[1..]), ""),
        ("no token", "nonsense".to_owned(), ""),
    ];
    for (what, token, why) in cases {
        let (status, answer) = login(&app, &token).await;
        assert_eq!(status, 401, "{what}: {answer}");
        assert!(!answer.to_string().contains("octo"), "{what}: the table is told to strangers: {answer}");
        let record = newest(&app).await;
        let text = record.to_string();
        assert_eq!(record["status"], "Failure", "{what}: {record}");
        assert!(text.to_lowercase().contains(&why.to_lowercase()), "{what}: no `{why}` in {text}");
        assert!(!text.contains(&token), "{what}: the token is in the log");
    }
    assert_eq!(login(&app, &good).await.0, 200);
    let (status, _) =
        call(&app, "admin", "PATCH", "/api/v1/principals/deploy", &json!({ "disabled": true })).await;
    assert_eq!((status, login(&app, &good).await.0), (200, 401), "disabled and let in");
}

#[tokio::test]
async fn an_issuer_that_is_down_takes_nobody_with_it() {
    let (app, issuer) = (App::empty().await, Issuer::start());
    principal(&app, "workload", "deploy", &[]).await;
    let federation = json!({
        "issuer": issuer.url, "audience": "boltseal", "subject": "repo:octo/*", "principal": "deploy",
    });
    trust(&app, &federation).await;
    assert_eq!(login(&app, &issuer.sign(&github(sample::now()))).await.0, 200);

    // A new key is fetched at its first token, not at the end of the hour.
    issuer.rotate();
    assert_eq!(login(&app, &issuer.sign(&github(sample::now()))).await.0, 200);
    assert_eq!(issuer.asked(), 2);

    issuer.stop();
    let app = app.with(|state| state.now = || in_hours(2));
    assert_eq!(login(&app, &issuer.sign(&github(in_hours(2)))).await.0, 200, "stale keys were not used");
    let app = app.with(|state| state.now = || in_hours(30));
    let (status, answer) = login(&app, &issuer.sign(&github(in_hours(30)))).await;
    assert_eq!(status, 401, "keys of yesterday are not for ever");
    assert!(answer["title"].as_str().unwrap().contains("keys"), "{answer}");
}

#[tokio::test]
async fn keys_that_came_with_a_federation_speak_for_it_alone() {
    let (app, issuer) = (App::empty().await, Issuer::start());
    issuer.stop();
    principal(&app, "workload", "deploy", &[]).await;
    principal(&app, "workload", "other", &[]).await;
    trust(
        &app,
        &json!({
            "issuer": issuer.url, "audience": "boltseal", "subject": "repo:octo/*", "principal": "deploy",
            "jwks": issuer.jwks(),
        }),
    )
    .await;
    trust(
        &app,
        &json!({
            "issuer": issuer.url, "audience": "boltseal", "subject": "repo:team/*", "principal": "other",
        }),
    )
    .await;
    let (status, session) = login(&app, &issuer.sign(&github(sample::now()))).await;
    assert_eq!((status, session["principal"].as_str()), (200, Some("deploy")), "{session}");
    let mut claims = github(sample::now());
    claims["sub"] = json!("repo:team/app:ref:x");
    assert_eq!(
        login(&app, &issuer.sign(&claims)).await.0,
        401,
        "one entry's keys let another's principal in"
    );
    assert_eq!(issuer.asked(), 0);

    let wrong = json!({
        "issuer": issuer.url, "audience": "boltseal", "subject": "repo:a/*", "principal": "deploy", "jwks": { "keys": 1 },
    });
    assert_eq!(call(&app, "admin", "POST", "/api/v1/federations", &wrong).await.0, 400);
}
