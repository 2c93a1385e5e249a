//! Entra's endpoints, as its libraries ask them.

use serde_json::{Value, json};

use super::issuer::Issuer;
use crate::{
    app::App,
    control::{call, call_with, newest, principal},
    sample,
};

const HOST: (&str, &str) = ("host", "localhost:8443");
const ASSERTION: &str = "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer";

async fn get(app: &App, path: &str) -> (u16, Value) {
    let answer = app.ask("GET", path, &[HOST], "").await;
    (answer.status.as_u16(), serde_json::from_str(&answer.body).unwrap_or_default())
}

async fn ask(app: &App, path: &str, form: &str) -> (u16, Value) {
    let answer = app.ask("POST", path, &[HOST], form).await;
    assert_eq!(answer.header("cache-control"), "no-store");
    (answer.status.as_u16(), serde_json::from_str(&answer.body).unwrap_or_default())
}

/// The tenant, as the discovery of clouds names it.
async fn tenant(app: &App) -> String {
    let (status, cloud) = get(app, "/common/discovery/instance?api-version=1.1").await;
    assert_eq!(status, 200, "{cloud}");
    let path = cloud["tenant_discovery_endpoint"].as_str().unwrap();
    path.split('/').nth(3).unwrap().to_owned()
}

#[tokio::test]
async fn metadata_says_where_tokens_are() {
    let app = App::empty().await;
    let tenant = tenant(&app).await;
    for (path, issuer, endpoint) in [
        (format!("{tenant}/v2.0"), format!("{tenant}/v2.0"), format!("{tenant}/oauth2/v2.0/token")),
        ("adfs".to_owned(), "adfs".to_owned(), "adfs/oauth2/token".to_owned()),
    ] {
        let (status, metadata) = get(&app, &format!("/{path}/.well-known/openid-configuration")).await;
        assert_eq!(status, 200, "{metadata}");
        assert_eq!(metadata["issuer"], format!("http://localhost:8443/{issuer}"));
        assert_eq!(metadata["token_endpoint"], format!("http://localhost:8443/{endpoint}"));
    }
    let (status, keys) = get(&app, &format!("/{tenant}/discovery/v2.0/keys")).await;
    assert_eq!((status, keys["keys"][0]["alg"].as_str()), (200, Some("ES256")));
    for path in ["/common/v2.0/.well-known/openid-configuration", "/x/discovery/v2.0/keys"] {
        let (status, refusal) = get(&app, path).await;
        assert_eq!(status, 404, "{refusal}");
        assert!(refusal["error_description"].as_str().unwrap().starts_with("AADSTS90002"), "{refusal}");
    }
}

#[tokio::test]
async fn a_secret_is_exchanged_for_a_token() {
    let app = App::empty().await;
    let secret = principal(&app, "service-principal", "ci", &[]).await;
    let (_, ci) = call(&app, "admin", "GET", "/api/v1/principals/ci", &Value::Null).await;
    let (id, tenant) = (ci["id"].as_str().unwrap(), tenant(&app).await);
    for (path, client) in [
        (format!("/{tenant}/oauth2/v2.0/token"), id),
        ("/adfs/oauth2/token".to_owned(), "ci"),
        ("/adfs/oauth2/v2.0/token".to_owned(), "CI"),
    ] {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_secret={secret}\
             &scope=https%3A%2F%2Flocalhost%3A8443%2F.default"
        );
        let (status, answer) = ask(&app, &path, &form).await;
        assert_eq!((status, answer["token_type"].as_str()), (200, Some("Bearer")), "{answer}");
        let record = newest(&app).await.to_string();
        assert!(record.contains("\"ci\"") && !record.contains(&secret), "{record}");
        let token = answer["access_token"].as_str().unwrap();
        let (status, me) = call_with(&app, token, "GET", "/api/v1/whoami", &Value::Null).await;
        assert_eq!((status, me["name"].as_str()), (200, Some("ci")));
    }
    let form = format!(
        "grant_type=client_credentials&client_id=ci&client_secret={secret}&resource=https%3A%2F%2Fcontainerregistry.azure.net%2F"
    );
    let (status, answer) = ask(&app, "/adfs/oauth2/token", &form).await;
    assert_eq!(status, 200);
    let token = answer["access_token"].as_str().unwrap();
    let (status, _) = call_with(&app, token, "GET", "/api/v1/whoami", &Value::Null).await;
    assert_eq!(status, 401, "a token for the registry's exchange is good for the control plane");
}

#[tokio::test]
async fn refusals_are_those_that_libraries_know_and_tell_nothing() {
    let app = App::empty().await;
    let secret = principal(&app, "service-principal", "ci", &[]).await;
    principal(&app, "user", "ada", &[]).await;
    let password = "seven+words+that+do+not+belong";
    let form = |client: &str, secret: &str, more: &str| {
        format!("grant_type=client_credentials&client_id={client}&client_secret={secret}{more}")
    };
    let scope = "&scope=boltseal%2F.default";
    for (form, status, error) in [
        (form("ci", &secret, scope), 200, ""),
        (form("ci", "wrong", scope), 401, "invalid_client"),
        (form("nobody", "wrong", scope), 401, "invalid_client"),
        (form("ada", password, scope), 400, "unauthorized_client"),
        (form("ci", &secret, ""), 400, "invalid_request"),
        (form("ci", &secret, "&scope=openid"), 400, "invalid_request"),
        (form("ci", &secret, "&scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"), 400, "invalid_resource"),
        (form("ci", &secret, "&scope=boltseal%2F.default&client_id=ci"), 400, "invalid_request"),
        (form("ci", &secret, &format!("{scope}&client_assertion=x")), 400, "invalid_request"),
        (format!("grant_type=password&client_id=ci{scope}"), 400, "unsupported_grant_type"),
        (format!("grant_type=client_credentials&client_id=ci{scope}"), 400, "invalid_request"),
        (
            format!(
                "grant_type=client_credentials&client_id=ci{scope}&client_assertion=x&client_assertion_type={ASSERTION}"
            ),
            401,
            "invalid_client",
        ),
    ] {
        let (found, answer) = ask(&app, "/adfs/oauth2/v2.0/token", &form).await;
        assert_eq!(
            (found, answer["error"].as_str().unwrap_or_default()),
            (status, error),
            "{form}: {answer}"
        );
        if status == 401 {
            assert_eq!(newest(&app).await["status"], "Failure", "{form}");
        }
    }
    let (_, known) = ask(&app, "/adfs/oauth2/token", &form("ci", "wrong", scope)).await;
    let (_, unknown) = ask(&app, "/adfs/oauth2/token", &form("nobody", "wrong", scope)).await;
    assert_eq!(known, unknown, "it tells who exists");
}

#[tokio::test]
async fn a_federated_token_proves_the_client_it_stands_for() {
    let (app, issuer) = (App::empty().await, Issuer::start());
    principal(&app, "workload", "pod", &[]).await;
    principal(&app, "workload", "other", &[]).await;
    let federation = json!({
        "issuer": issuer.url, "audience": "api://AzureADTokenExchange",
        "subject": "system:serviceaccount:prod:web", "principal": "pod",
    });
    assert_eq!(call(&app, "admin", "POST", "/api/v1/federations", &federation).await.0, 201);
    let now = sample::now().as_second();
    let token = issuer.sign(&json!({
        "aud": "api://AzureADTokenExchange", "sub": "system:serviceaccount:prod:web", "iat": now, "exp": now + 600,
    }));
    for (client, status) in [("pod", 200), ("other", 401), ("nobody", 401)] {
        let form = format!(
            "grant_type=client_credentials&client_id={client}&client_assertion={token}\
             &client_assertion_type={ASSERTION}&scope=boltseal%2F.default"
        );
        let (found, answer) = ask(&app, "/adfs/oauth2/v2.0/token", &form).await;
        assert_eq!(found, status, "{client}: {answer}");
    }
}
