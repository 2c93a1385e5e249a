//! Secrets, passwords, second factors and one-time links.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use serde_json::{Value, json};

use super::{call, call_with, newest, principal};
use crate::{app::App, sample};

const PASSWORD: &str = "seven words that do not belong";

async fn login(app: &App, name: &str, secret: &str, code: Option<&str>) -> (u16, String) {
    let body = json!({ "name": name, "secret": secret, "code": code });
    let (status, session) = call(app, "", "POST", "/api/v1/login", &body).await;
    (status, session["access_token"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test]
async fn a_secret_is_replaced_while_the_old_one_works() {
    let app = App::empty().await;
    let first = principal(&app, "service-principal", "ci", &[]).await;
    let path = "/api/v1/principals/ci/secrets";
    // The principal itself may.
    let (status, second) = call(&app, "ci", "POST", path, &json!({})).await;
    assert_eq!(status, 201, "{second}");
    let second = second["secret"].as_str().unwrap();
    assert_eq!(
        (login(&app, "ci", &first, None).await.0, login(&app, "ci", second, None).await.0),
        (200, 200)
    );
    let (status, _) = call(&app, "ci", "POST", path, &json!({})).await;
    assert_eq!(status, 409, "a third secret");
    let (status, third) = call(&app, "admin", "POST", path, &json!({ "replace_oldest": true })).await;
    assert_eq!((status, login(&app, "ci", &first, None).await.0), (201, 401));
    let id = third["secret_id"].as_str().unwrap();
    let third = third["secret"].as_str().unwrap();
    assert_eq!(login(&app, "ci", third, None).await.0, 200);
    let (status, _) = call(&app, "ci", "DELETE", &format!("{path}/{id}"), &Value::Null).await;
    assert_eq!((status, login(&app, "ci", third, None).await.0), (204, 401));
    let (status, _) = call(&app, "ci", "DELETE", &format!("{path}/{id}"), &Value::Null).await;
    assert_eq!(status, 404);
    let past = json!({ "expires": "2020-01-01T00:00:00Z" });
    assert_eq!(call(&app, "ci", "POST", path, &past).await.0, 400);
    let (status, _) =
        call(&app, "ci", "POST", "/api/v1/principals/ci/certificates", &json!({ "pem": "nonsense" })).await;
    assert_eq!(status, 400);
}

#[tokio::test]
async fn a_second_factor_is_set_up_used_and_removed() {
    let app = App::empty().await;
    principal(&app, "user", "ada", &[]).await;
    let (_, plain) = login(&app, "ada", PASSWORD, None).await;
    let confirm = "/api/v1/me/totp/confirm";
    let (status, _) = call_with(&app, &plain, "POST", confirm, &json!({ "code": "123456" })).await;
    assert_eq!(status, 409, "nothing was begun");
    let (status, begun) = call_with(&app, &plain, "POST", "/api/v1/me/totp", &Value::Null).await;
    assert_eq!(status, 200, "{begun}");
    let code = code_of(begun["uri"].as_str().unwrap());
    let wrong = if code == "000000" { "000001" } else { "000000" };
    let (status, _) = call_with(&app, &plain, "POST", confirm, &json!({ "code": wrong })).await;
    assert_eq!(status, 400);
    assert_eq!(login(&app, "ada", PASSWORD, None).await.0, 200, "it counted before it was confirmed");
    let (status, recovery) = call_with(&app, &plain, "POST", confirm, &json!({ "code": code })).await;
    assert_eq!((status, recovery["codes"].as_array().map(Vec::len)), (201, Some(10)), "{recovery}");
    assert_eq!(newest(&app).await["activity_name"], "MFA Factor Enable");

    assert_eq!(login(&app, "ada", PASSWORD, None).await.0, 401);
    let (status, strong) = login(&app, "ada", PASSWORD, Some(&code)).await;
    assert_eq!(status, 200);
    assert_eq!(login(&app, "ada", PASSWORD, Some(&code)).await.0, 401, "a code worked twice");
    let spare = recovery["codes"][0].as_str().unwrap();
    assert_eq!(login(&app, "ada", PASSWORD, Some(spare)).await.0, 200);
    assert_eq!(login(&app, "ada", PASSWORD, Some(spare)).await.0, 401, "a recovery code worked twice");

    for method in ["DELETE", "POST"] {
        let (status, _) = call_with(&app, &plain, method, "/api/v1/me/totp", &Value::Null).await;
        assert_eq!(status, 409, "{method} with a session from before");
    }
    let (status, _) = call_with(&app, &strong, "DELETE", "/api/v1/me/totp", &Value::Null).await;
    assert_eq!(status, 204);
    assert_eq!(login(&app, "ada", PASSWORD, None).await.0, 200);
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let app = App::empty().await;
    principal(&app, "user", "ada", &[]).await;
    let (_, token) = login(&app, "ada", PASSWORD, None).await;
    let new = "eight other words that do not";
    for (old, new, status) in [("wrong", new, 401), (PASSWORD, "short", 400), (PASSWORD, new, 204)] {
        let (found, answer) =
            call_with(&app, &token, "POST", "/api/v1/me/password", &json!({ "old": old, "new": new })).await;
        assert_eq!(found, status, "{answer}");
    }
    assert_eq!(
        call_with(&app, &token, "GET", "/api/v1/whoami", &Value::Null).await.0,
        401,
        "still signed in"
    );
    assert_eq!(
        (login(&app, "ada", PASSWORD, None).await.0, login(&app, "ada", new, None).await.0),
        (401, 200)
    );
}

#[tokio::test]
async fn a_new_user_comes_by_a_link_and_chooses_a_password() {
    let app = App::empty().await;
    let asked = json!({ "kind": "user", "name": "bob" });
    let (status, made) = call(&app, "admin", "POST", "/api/v1/principals", &asked).await;
    assert_eq!(status, 201, "{made}");
    let code = made["link"].as_str().and_then(|link| link.split_once("code=")).unwrap().1;
    let form = format!("code={code}");
    let answer = app.ask("POST", "/sign-in", &[], &form).await;
    assert_eq!(answer.status, 303);
    let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
    let body = json!({ "old": "", "new": PASSWORD }).to_string();
    let answer = app.ask("POST", "/api/v1/me/password", &[("cookie", &cookie)], &body).await;
    assert_eq!(answer.status, 204, "{}", answer.body);
    assert_eq!(login(&app, "bob", PASSWORD, None).await.0, 200);
    assert_eq!(app.ask("POST", "/sign-in", &[], &form).await.status, 403, "the link worked twice");
}

/// The code of this moment (RFC 6238), from the URI that an authenticator scans.
pub fn code_of(uri: &str) -> String {
    let seed = uri.split_once("secret=").unwrap().1.split('&').next().unwrap();
    let mut bits = String::new();
    for letter in seed.bytes() {
        let value = if letter.is_ascii_digit() { letter - b'2' + 26 } else { letter - b'A' };
        write!(bits, "{value:05b}").unwrap();
    }
    let bytes: Vec<u8> = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|byte| u8::from_str_radix(std::str::from_utf8(byte).unwrap(), 2).unwrap())
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let tag = hmac::sign(&key, &(sample::now().as_second() / 30).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let word = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}
