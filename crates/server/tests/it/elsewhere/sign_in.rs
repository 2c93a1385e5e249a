//! Signing in through another issuer, as a browser does it.

use serde_json::{Value, json};

use super::issuer::Issuer;
use crate::{
    app::{Answer, App},
    control::{call, newest, principal},
};

const SETTING: &str = "/api/v1/settings/sign-in";
const CALLBACK: &str = "/sign-in/oidc/callback";

async fn installation() -> (App, Issuer) {
    let (app, issuer) = (App::empty().await, Issuer::start());
    principal(&app, "user", "ada", &[("Reader", "/")]).await;
    let setting = json!({
        "issuer": issuer.url, "client_id": "boltseal-app", "client_secret": "hush-hush",
        "address": "https://boltseal.example", "button": "Sign in with Octo",
    });
    assert_eq!(call(&app, "admin", "PUT", SETTING, &setting).await.0, 204);
    assert!(!newest(&app).await.to_string().contains("hush-hush"), "the client's secret is in the log");
    let federation = json!({
        "issuer": issuer.url, "audience": "boltseal-app", "subject": "ada", "principal": "ada",
    });
    assert_eq!(call(&app, "admin", "POST", "/api/v1/federations", &federation).await.0, 201);
    (app, issuer)
}

/// The cookie of an answer, as a browser sends it back.
fn cookie(answer: &Answer, name: &str) -> String {
    let mut all = answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap());
    let found = all.rfind(|value| value.starts_with(&format!("{name}=")));
    found.unwrap_or_default().split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_browser_goes_there_and_comes_back_signed_in() {
    let (app, issuer) = installation().await;
    let door = app.ask("GET", "/sign-in?back=/images", &[], "").await;
    assert!(
        door.body.contains("Sign in with Octo") && door.body.contains("/sign-in/oidc?back=%2Fimages"),
        "{}",
        door.body
    );
    let sent = app.ask("GET", "/sign-in/oidc?back=/images", &[], "").await;
    assert_eq!(sent.status, 303, "{}", sent.body);
    let begun = cookie(&sent, "boltseal-oidc");
    let query = issuer.browse(sent.header("location"));
    let back = app.ask("GET", &format!("{CALLBACK}?{query}"), &[("cookie", &begun)], "").await;
    assert_eq!((back.status.as_u16(), back.header("location")), (303, "/images"), "{}", back.body);
    let session = cookie(&back, "boltseal");
    assert_eq!(app.ask("GET", "/images", &[("cookie", &session)], "").await.status, 200);
    let record = newest(&app).await.to_string();
    assert!(record.contains("ada") && record.contains("federation"), "{record}");

    let again = app.ask("GET", &format!("{CALLBACK}?{query}"), &[("cookie", &begun)], "").await;
    assert_eq!(again.status, 403, "a code worked twice");
}

#[tokio::test]
async fn whoever_does_not_belong_stays_outside() {
    let (app, issuer) = installation().await;
    let send = async || {
        let sent = app.ask("GET", "/sign-in/oidc", &[], "").await;
        (cookie(&sent, "boltseal-oidc"), issuer.browse(sent.header("location")))
    };
    let (begun, query) = send().await;
    let (other, _) = send().await;
    let nobody = json!({ "sub": "mallory" });
    let elsewhere = json!({ "sub": "ada", "aud": "another-app" });
    for (what, cookie, query, person) in [
        ("no cookie", "", query.as_str(), None),
        ("somebody else's cookie", other.as_str(), query.as_str(), None),
        ("a forged state", begun.as_str(), "code=c0de&state=x", None),
        ("the issuer said no", begun.as_str(), "error=access_denied", None),
        ("somebody unknown", "", "", Some(nobody)),
        ("a token for another", "", "", Some(elsewhere)),
    ] {
        let (cookie, query) = match person {
            Some(person) => {
                *issuer.person.lock().unwrap() = person;
                send().await
            }
            None => (cookie.to_owned(), query.to_owned()),
        };
        let answer = app.ask("GET", &format!("{CALLBACK}?{query}"), &[("cookie", &cookie)], "").await;
        assert_eq!(answer.status, 403, "{what}");
        assert!(self::cookie(&answer, "boltseal").is_empty(), "{what}: a session");
        assert_eq!(newest(&app).await["status"], "Failure", "{what}");
    }
    issuer.stop();
    let (app, gone) = (App::empty().await, "/sign-in/oidc");
    assert_eq!(app.ask("GET", gone, &[], "").await.status, 404, "not set up");
}

#[tokio::test]
async fn the_setting_is_checked_and_shows_no_secret() {
    let (app, issuer) = installation().await;
    let (_, shown) = call(&app, "admin", "GET", SETTING, &Value::Null).await;
    assert_eq!((&shown["issuer"], &shown["client_secret"]), (&json!(issuer.url), &Value::Null), "{shown}");
    for (field, value) in [
        ("issuer", json!("http://issuer.example")),
        ("address", json!("boltseal.example")),
        ("address", json!("https://boltseal.example/path")),
        ("client_id", json!("")),
        ("button", json!("x".repeat(61))),
        ("scopes", json!(["two words"])),
    ] {
        let mut setting =
            json!({ "issuer": issuer.url, "client_id": "a", "address": "https://boltseal.example" });
        setting[field] = value;
        assert_eq!(call(&app, "admin", "PUT", SETTING, &setting).await.0, 400, "{setting}");
    }
    assert_eq!(call(&app, "admin", "DELETE", SETTING, &Value::Null).await.0, 204);
    assert_eq!(call(&app, "admin", "GET", SETTING, &Value::Null).await.0, 404);
    assert!(!app.ask("GET", "/sign-in", &[], "").await.body.contains("Octo"));
}
