//! Signing in through another issuer, step by step.

use std::time::Duration;

use boltseal_identity::{
    jwt::JwtError,
    oidc::{
        Client, Device, Discovery, OidcError, PENDING_LIFE, Pending, Polled, TokenAnswer, TokenRequest,
        ask_device, begin, finish, verify, verify_device,
    },
    seal::{Keys, RootKey},
    secret::Secret,
};
use serde_json::{Value, json};
use url::Url;

use super::{
    NOW, at,
    signer::{encoded, jwks, rsa_jwk, sign},
};

const ISSUER: &str = "https://issuer.example.com/realm";

fn client() -> Client {
    Client {
        issuer: ISSUER.to_owned(),
        id: "boltseal".to_owned(),
        secret: Some(Secret::new("s&cret".to_owned())),
        redirect: "https://seal.example.com/sign-in/back".to_owned(),
        scopes: vec!["profile".to_owned(), "openid".to_owned()],
    }
}

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://issuer.example.com/realm/authorize?p=signin",
        "token_endpoint": "https://issuer.example.com/realm/token",
        "jwks_uri": "https://issuer.example.com/realm/keys",
        "response_types_supported": ["code", "id_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
        "subject_types_supported": ["pairwise"],
    })
}

fn discovery() -> Discovery {
    Discovery::parse(metadata().to_string().as_bytes(), ISSUER).unwrap()
}

fn begun() -> (Url, Pending) {
    let (url, pending) = begin(&client(), &discovery(), "/images?q=a", at(0)).unwrap();
    (Url::parse(&url).unwrap(), pending)
}

fn parameter(url: &Url, name: &str) -> String {
    url.query_pairs().find(|(key, _)| key == name).unwrap().1.into_owned()
}

fn finished(pending: &Pending, query: &str) -> Result<TokenRequest, OidcError> {
    finish(&client(), &discovery(), pending, query, at(60))
}

#[test]
fn a_sign_in_from_beginning_to_end() {
    let keys = Keys::new(&RootKey::generate().unwrap(), None).unwrap();
    let (url, pending) = begun();
    assert!(
        url.as_str().starts_with("https://issuer.example.com/realm/authorize?p=signin&response_type=code&")
    );
    assert_eq!(parameter(&url, "scope"), "openid profile");
    assert_eq!(parameter(&url, "redirect_uri"), client().redirect);
    assert_eq!(parameter(&url, "code_challenge_method"), "S256");
    let cookie = pending.seal(&keys).unwrap();
    assert!(!format!("{pending:?}").contains(&parameter(&url, "nonce")));

    let pending = Pending::open(cookie.expose(), &keys, at(60)).unwrap();
    assert_eq!(pending.return_to(), "/images?q=a");
    let state = parameter(&url, "state");
    let request = finished(&pending, &format!("code=c%26d&state={state}&session_state=x")).unwrap();
    assert_eq!(request.endpoint, "https://issuer.example.com/realm/token");
    assert!(request.authorization.is_none());
    let body = request.body.expose();
    assert!(body.starts_with("grant_type=authorization_code&code=c%26d&"), "{body}");
    assert!(body.ends_with("&client_id=boltseal&client_secret=s%26cret"), "{body}");
    let verifier = body.split('&').find_map(|pair| pair.strip_prefix("code_verifier=")).unwrap();
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, verifier.as_bytes());
    assert_eq!(encoded(digest), parameter(&url, "code_challenge"));

    let token = id_token(&json!({ "nonce": parameter(&url, "nonce") }));
    let answer =
        TokenAnswer::parse(json!({ "id_token": token, "token_type": "Bearer" }).to_string().as_bytes())
            .unwrap();
    let claims = verify(&client(), &jwks(&[rsa_jwk("r")]), &pending, &answer, at(60)).unwrap();
    assert_eq!(claims.subject(), "ann");
}

fn id_token(more: &Value) -> String {
    let mut claims = json!({ "iss": ISSUER, "aud": "boltseal", "sub": "ann", "iat": NOW, "exp": NOW + 600 });
    for (name, value) in more.as_object().unwrap() {
        claims[name] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    sign("RS256", &json!({ "alg": "RS256", "kid": "r" }), &claims)
}

#[test]
fn an_id_token_belongs_to_this_sign_in() {
    let (url, pending) = begun();
    let nonce = parameter(&url, "nonce");
    let check = |more: Value, wanted: Result<(), JwtError>| {
        let answer = json!({ "id_token": id_token(&more), "access_token": "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y" });
        let answer = TokenAnswer::parse(answer.to_string().as_bytes()).unwrap();
        let found = verify(&client(), &jwks(&[rsa_jwk("r")]), &pending, &answer, at(60));
        assert_eq!(found.map(|_| ()), wanted.map_err(OidcError::IdToken), "{more}");
    };
    let differs = |claim, wanted: &str, found: &str| {
        Err(JwtError::Claim { claim, wanted: wanted.to_owned(), found: found.to_owned() })
    };
    check(json!({ "nonce": nonce }), Ok(()));
    check(json!({}), Err(JwtError::Missing { claim: "nonce" }));
    check(json!({ "nonce": "x" }), differs("nonce", "the one of this sign-in", "another"));
    check(json!({ "nonce": nonce, "sub": null }), Err(JwtError::Missing { claim: "sub" }));
    check(json!({ "nonce": nonce, "iat": null }), Err(JwtError::Missing { claim: "iat" }));
    check(json!({ "nonce": nonce, "aud": "other" }), differs("aud", "`boltseal`", "other"));
    check(json!({ "nonce": nonce, "aud": ["boltseal"] }), Ok(()));
    check(json!({ "nonce": nonce, "aud": ["boltseal", "other"] }), Err(JwtError::Missing { claim: "azp" }));
    check(json!({ "nonce": nonce, "aud": ["boltseal", "other"], "azp": "boltseal" }), Ok(()));
    check(json!({ "nonce": nonce, "azp": "other" }), differs("azp", "`boltseal`", "other"));
    check(json!({ "nonce": nonce, "at_hash": "77QmUPtjPfzWtF2AnpK9RQ" }), Ok(()));
    check(
        json!({ "nonce": nonce, "at_hash": "x" }),
        differs("at_hash", "that of the access token", "another"),
    );
    check(json!({ "nonce": nonce, "exp": NOW }), Err(JwtError::Expired { at: at(0) }));
}

#[test]
fn an_answer_belongs_to_the_browser_that_asked() {
    let (url, pending) = begun();
    let state = parameter(&url, "state");
    let check = |query: &str, wanted: &str| {
        let found = finished(&pending, query).unwrap_err().to_string();
        assert!(found.contains(wanted), "{query}: {found}");
    };
    check("", "no `state`");
    check("code=a", "no `state`");
    check("code=a&state=x", "its `state` is another");
    check(&format!("code=a&state={state}&state={state}"), "stands there twice");
    check(&format!("code=a&code=b&state={state}"), "stands there twice");
    check(&format!("state={state}"), "no `code`");
    check(&format!("state={state}&code="), "no `code`");
    check(&format!("state={state}&code={}", "x".repeat(5000)), "no `code`");
    check(&format!("state={state}&code={}", "x".repeat(10_000)), "too long");
    check(&format!("state={state}&code=a&iss=https://other.example.com"), "another issuer");
    check(
        &format!("state={state}&error=access_denied&error_description=no%0ano"),
        "access_denied (no\u{fffd}no)",
    );
    // A stranger's error is not shown.
    check("error=access_denied&state=x", "its `state` is another");
    assert!(finished(&pending, &format!("state={state}&code=a&iss={ISSUER}")).is_ok());
    let late = finish(&client(), &discovery(), &pending, &format!("state={state}&code=a"), at(PENDING_LIFE));
    assert_eq!(late.unwrap_err(), OidcError::Unknown);
    let other = Client { issuer: "https://other.example.com".to_owned(), ..client() };
    assert_eq!(finish(&other, &discovery(), &pending, "", at(0)).unwrap_err(), OidcError::Unknown);
}

#[test]
fn a_cookie_is_ours_and_not_too_old() {
    let keys = Keys::new(&RootKey::generate().unwrap(), None).unwrap();
    let cookie = begun().1.seal(&keys).unwrap();
    assert!(Pending::open(cookie.expose(), &keys, at(PENDING_LIFE - 1)).is_ok());
    let unknown = |value: &str, keys: &Keys, seconds: i64| {
        assert_eq!(Pending::open(value, keys, at(seconds)).unwrap_err(), OidcError::Unknown, "{value}");
    };
    unknown(cookie.expose(), &keys, PENDING_LIFE);
    unknown(cookie.expose(), &Keys::new(&RootKey::generate().unwrap(), None).unwrap(), 0);
    unknown(&cookie.expose()[1..], &keys, 0);
    unknown("", &keys, 0);
    unknown(&"A".repeat(100_000), &keys, 0);
}

#[test]
fn only_pages_of_this_server_follow() {
    for path in [
        "",
        "images",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\nb",
        &"/x".repeat(300),
    ] {
        assert_eq!(begin(&client(), &discovery(), path, at(0)).unwrap_err(), OidcError::ReturnTo, "{path}");
    }
    let other = Client { issuer: "https://other.example.com".to_owned(), ..client() };
    assert!(matches!(begin(&other, &discovery(), "/", at(0)), Err(OidcError::Client { .. })));
}

#[test]
fn how_a_client_proves_itself() {
    let (url, pending) = begun();
    let query = format!("code=a&state={}", parameter(&url, "state"));
    let mut metadata = metadata();
    metadata.as_object_mut().unwrap().remove("token_endpoint_auth_methods_supported");
    let header = Discovery::parse(metadata.to_string().as_bytes(), ISSUER).unwrap();
    let request = finish(&client(), &header, &pending, &query, at(0)).unwrap();
    // `boltseal:s%26cret`: form-encoded first.
    assert_eq!(request.authorization.unwrap().expose(), "Basic Ym9sdHNlYWw6cyUyNmNyZXQ=");
    assert!(!request.body.expose().contains("client"));
    let public = Client { secret: None, ..client() };
    let request = finish(&public, &header, &pending, &query, at(0)).unwrap();
    assert!(request.authorization.is_none() && request.body.expose().ends_with("&client_id=boltseal"));
}

#[test]
fn metadata_is_that_of_the_issuer() {
    assert_eq!(Discovery::url(ISSUER).unwrap(), format!("{ISSUER}/.well-known/openid-configuration"));
    assert_eq!(
        Discovery::url("https://a.example/").unwrap(),
        "https://a.example/.well-known/openid-configuration"
    );
    assert!(Discovery::url("http://a.example").is_err() && Discovery::url("a").is_err());
    let check = |name: &str, value: Value, wanted: &str| {
        let mut metadata = metadata();
        metadata[name] = value;
        let found = Discovery::parse(metadata.to_string().as_bytes(), ISSUER);
        let found = found.map_or_else(|error| error.to_string(), |_| "accepted".to_owned());
        assert!(found.contains(wanted), "{name}: {found}");
    };
    check(
        "issuer",
        json!("https://issuer.example.com/realm/"),
        "metadata of `https://issuer.example.com/realm/`",
    );
    check("issuer", json!(null), "names no issuer");
    check("jwks_uri", json!("http://issuer.example.com/keys"), "`jwks_uri` is not an https URL");
    check("jwks_uri", json!("file:///etc/passwd"), "`jwks_uri` is not an https URL");
    check("token_endpoint", json!(null), "no `token_endpoint`");
    check("token_endpoint", json!("https://a.example/".repeat(1000)), "no `token_endpoint`");
    check(
        "authorization_endpoint",
        json!("javascript:alert(1)"),
        "`authorization_endpoint` is not an https URL",
    );
    check("response_types_supported", json!(["id_token"]), "does not give codes");
    check("code_challenge_methods_supported", json!(["plain"]), "PKCE");
    check("code_challenge_methods_supported", json!(["plain", "S256"]), "accepted");
    check("jwks_uri", json!("http://127.0.0.1:9000/keys"), "accepted");
    assert!(Discovery::parse(b"", ISSUER).is_err());
    assert!(Discovery::parse(&vec![b' '; 100_000], ISSUER).is_err());
    // Issuers that sign nobody in have keys all the same.
    let github = json!({ "issuer": ISSUER, "jwks_uri": "https://issuer.example.com/keys", "response_types_supported": ["id_token"] });
    assert_eq!(
        Discovery::keys_url(github.to_string().as_bytes(), ISSUER).unwrap(),
        "https://issuer.example.com/keys"
    );
}

#[test]
fn an_issuer_may_refuse() {
    let check = |body: &str, wanted: &str| {
        let found = TokenAnswer::parse(body.as_bytes()).unwrap_err().to_string();
        assert!(found.contains(wanted), "{body}: {found}");
    };
    check(
        "{\"error\":\"invalid_grant\",\"error_description\":\"expired\"}",
        "the issuer refused: invalid_grant (expired)",
    );
    check("{\"access_token\":\"a\"}", "no `id_token`");
    check("<html>", "does not belong");
    check(&" ".repeat(100_000), "more than");
}

#[test]
fn a_sign_in_on_another_device() {
    let plain = discovery();
    let found = ask_device(&client(), &plain).unwrap_err().to_string();
    assert!(found.contains("it signs in no devices without a browser"), "{found}");
    let mut metadata = metadata();
    metadata["device_authorization_endpoint"] = json!("http://issuer.example.com/device");
    assert!(Discovery::parse(metadata.to_string().as_bytes(), ISSUER).is_err(), "without TLS");
    metadata["device_authorization_endpoint"] = json!("https://issuer.example.com/device");
    let discovery = Discovery::parse(metadata.to_string().as_bytes(), ISSUER).unwrap();
    let asked = ask_device(&client(), &discovery).unwrap();
    assert_eq!(asked.endpoint, "https://issuer.example.com/device");
    assert!(
        asked.body.expose().starts_with("scope=openid+profile&client_id=boltseal&"),
        "{}",
        asked.body.expose()
    );

    // RFC 8628, section 3.2.
    let right = json!({
        "device_code": "GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS",
        "user_code": "WDJB-MJHT",
        "verification_uri": "https://example.com/device",
        "verification_uri_complete": "https://example.com/device?user_code=WDJB-MJHT",
        "expires_in": 1800,
        "interval": 5,
    });
    let device = Device::parse(right.to_string().as_bytes()).unwrap();
    let (minute, second) = (Duration::from_mins(1), Duration::from_secs(1));
    assert_eq!(
        (device.user_code.as_str(), device.life, device.pause),
        ("WDJB-MJHT", 30 * minute, 5 * second)
    );
    let polled = device.poll(&client(), &discovery);
    assert_eq!(polled.endpoint, "https://issuer.example.com/realm/token");
    assert!(polled.body.expose().contains("&device_code=GmRhmhcxhwAzkoEqiMEg_DnyEysNkuNhszIySk9eS&"));
    for (name, value, wanted) in [
        ("device_code", json!(null), "no `device_code`"),
        ("device_code", json!(""), "no `device_code`"),
        ("user_code", json!("x".repeat(65)), "no `user_code`"),
        ("verification_uri", json!("javascript:alert(1)"), "is not an https URL"),
        ("verification_uri", json!("http://example.com/device"), "is not an https URL"),
        ("verification_uri_complete", json!("http://example.com/device"), ""),
        ("expires_in", json!(-1), "no `expires_in`"),
        ("expires_in", json!(1_u64 << 40), ""),
        ("interval", json!(1_u64 << 40), ""),
        ("interval", json!(0), ""),
        ("interval", json!(null), ""),
        ("error", json!("unauthorized_client"), "the issuer refused: unauthorized_client"),
    ] {
        let mut answer = right.clone();
        answer[name] = value;
        match (Device::parse(answer.to_string().as_bytes()), wanted) {
            (Ok(device), "") => {
                assert!(device.life <= 30 * minute && device.pause <= minute && device.pause >= second);
                assert!(device.whole_address.is_none_or(|whole| whole.starts_with("https://")));
            }
            (Err(wrong), wanted) if !wanted.is_empty() => {
                assert!(wrong.to_string().contains(wanted), "{wrong}");
            }
            (found, _) => panic!("{name}: {found:?}"),
        }
    }
}

#[test]
fn what_is_said_until_somebody_signed_in() {
    for (answer, wanted) in [
        (json!({ "error": "authorization_pending" }), "Ok(Waiting)"),
        (json!({ "error": "slow_down" }), "Ok(TooOften)"),
        (json!({ "error": "expired_token" }), "Ok(Over)"),
        (json!({ "error": "access_denied" }), "Err(Refused"),
        (json!({ "access_token": "a" }), "Err(Answer"),
        (json!({ "id_token": "a" }), "Ok(Done"),
    ] {
        let found = format!("{:?}", Polled::parse(answer.to_string().as_bytes()));
        assert!(found.starts_with(wanted), "{answer}: {found}");
    }
    // Its token is as well checked as any, but for the nonce, which there is none of.
    let verified = |more: Value| {
        let answer =
            TokenAnswer::parse(json!({ "id_token": id_token(&more) }).to_string().as_bytes()).unwrap();
        verify_device(&client(), &jwks(&[rsa_jwk("r")]), &answer, at(60)).map(|_| ())
    };
    assert_eq!(verified(json!({})), Ok(()));
    assert!(verified(json!({ "aud": "other" })).is_err() && verified(json!({ "exp": NOW })).is_err());
    assert!(verified(json!({ "iss": "https://other.example.com" })).is_err());
}
