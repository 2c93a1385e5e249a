//! Client assertions as Entra's libraries make them.

use aws_lc_rs::{encoding::AsDer as _, encoding::Pkcs8V1Der};
use boltseal_identity::{
    Credentials,
    assertion::{AssertionError, Seen, client, verify},
    credential::Certificate,
    jwt::JwtError,
};
use boltseal_model::Timestamp;
use serde_json::{Value, json};

use super::{
    NOW, at,
    signer::{RSA, encoded, sign},
};

const CLIENT: &str = "11111111-2222-4333-8444-555555555555";
const ENDPOINT: &str = "https://seal.example.com/adfs/oauth2/v2.0/token";

/// A certificate over the RSA key that tests sign with.
fn certificate(until: i32) -> Certificate {
    let der: Pkcs8V1Der<'_> = RSA.as_der().unwrap();
    let pair = rcgen::KeyPair::try_from(der.as_ref()).unwrap();
    let mut params = rcgen::CertificateParams::new(vec!["client".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(until, 1, 1);
    let early = Timestamp::from_second(1_600_000_000).unwrap();
    Certificate::parse(params.self_signed(&pair).unwrap().der(), early).unwrap()
}

fn credentials(until: i32) -> Credentials {
    Credentials { certificates: vec![certificate(until)], ..Credentials::default() }
}

fn claims(id: &str) -> Value {
    json!({ "iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "jti": id, "nbf": NOW, "exp": NOW + 600 })
}

fn header(algorithm: &str) -> Value {
    json!({ "alg": algorithm, "typ": "JWT", "x5t": encoded(certificate(2030).thumbprint_sha1()) })
}

fn ask(token: &str, seen: &mut Seen) -> Result<(), AssertionError> {
    let endpoints = [ENDPOINT, "https://seal.example.com/tenant/oauth2/v2.0/token"];
    verify(token, CLIENT, &credentials(2030), &endpoints, seen, at(0)).map(|_| ())
}

#[test]
fn an_assertion_proves_its_client_once() {
    let mut seen = Seen::new();
    let token = sign("RS256", &header("RS256"), &claims("1"));
    assert_eq!(client(&token).unwrap(), CLIENT);
    ask(&token, &mut seen).unwrap();
    assert_eq!(ask(&token, &mut seen), Err(AssertionError::Repeated));
    ask(&sign("RS256", &header("RS256"), &claims("2")), &mut seen).unwrap();
    ask(&sign("PS256", &header("PS256"), &claims("3")), &mut seen).unwrap();
    let by_sha256 = json!({ "alg": "PS256", "x5t#S256": encoded(certificate(2030).thumbprint()) });
    ask(&sign("PS256", &by_sha256, &claims("4")), &mut seen).unwrap();
    let padded = format!("{}=", encoded(certificate(2030).thumbprint_sha1()));
    ask(&sign("RS256", &json!({ "alg": "RS256", "x5t": padded }), &claims("5")), &mut seen).unwrap();
}

#[test]
fn what_is_wrong_is_named() {
    let mut seen = Seen::new();
    let mut check = |how: &str, header: Value, claims: Value, wanted: &str| {
        let found = ask(&sign(how, &header, &claims), &mut seen);
        let found = found.map_or_else(|error| error.to_string(), |()| "accepted".to_owned());
        assert!(found.contains(wanted), "{header} {claims}: {found}");
    };
    let with = |name: &str, value: Value| {
        let mut claims = claims("x");
        claims[name] = value;
        claims
    };
    let rs256 = || header("RS256");
    check("RS256", rs256(), with("iss", json!("somebody")), "`iss` is `somebody`");
    check("RS256", rs256(), with("sub", json!("somebody")), "`sub` is `somebody`");
    check("RS256", rs256(), with("aud", json!("https://login.microsoftonline.com")), "`aud` is");
    check("RS256", rs256(), with("exp", json!(NOW - 60)), "expired");
    check("RS256", rs256(), with("exp", json!(NOW + 3661)), "an hour at most");
    check("RS256", rs256(), with("nbf", json!(NOW + 61)), "check the clocks");
    check("RS256", rs256(), with("jti", Value::Null), "no claim `jti`");
    check("RS256", json!({ "alg": "RS256" }), claims("x"), "names no certificate");
    check(
        "RS256",
        json!({ "alg": "RS256", "x5t": "AAAA" }),
        claims("x"),
        "no certificate with the thumbprint `AAAA`",
    );
    check("RS256", json!({ "alg": "RS256", "x5t": "*" }), claims("x"), "no certificate with the thumbprint");
    let other = json!({ "alg": "RS256", "x5t": rs256()["x5t"], "x5t#S256": "AAAA" });
    check("RS256", other, claims("x"), "no certificate with the thumbprint `AAAA`");
    check("HS256", json!({ "alg": "HS256", "x5t": rs256()["x5t"] }), claims("x"), "`HS256`");
    check("none", json!({ "alg": "none", "x5t": rs256()["x5t"] }), claims("x"), "`none`");
    check("ES256", json!({ "alg": "ES256", "x5t": rs256()["x5t"] }), claims("x"), "`ES256`");
    check("PS256", rs256(), claims("x"), "the signature is wrong");
    check("HS256", rs256(), claims("x"), "the signature is wrong");
    // None of these was remembered: the id is still good.
    check("RS256", rs256(), claims("x"), "accepted");
}

#[test]
fn an_expired_certificate_proves_nothing() {
    let token = sign("RS256", &header("RS256"), &claims("1"));
    let credentials = credentials(2021);
    let own = json!({ "alg": "RS256", "x5t": encoded(credentials.certificates[0].thumbprint_sha1()) });
    let expired = sign("RS256", &own, &claims("1"));
    let mut seen = Seen::new();
    let found = verify(&expired, CLIENT, &credentials, &[ENDPOINT], &mut seen, at(0));
    assert!(matches!(found, Err(AssertionError::CertificateExpired { .. })), "{found:?}");
    let nothing = Credentials::default();
    let found = verify(&token, CLIENT, &nothing, &[ENDPOINT], &mut seen, at(0));
    assert!(matches!(found, Err(AssertionError::UnknownCertificate { .. })), "{found:?}");
    assert!(matches!(client("x"), Err(AssertionError::Jwt(JwtError::Malformed { .. }))));
}
