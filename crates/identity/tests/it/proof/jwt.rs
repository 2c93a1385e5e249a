//! JWTs of other issuers: vectors of the RFCs, and everything that must not be believed.

use boltseal_identity::{
    jwks::Jwks,
    jwt::{Claims, Expected, JwtError, MAX_JWT, Unverified},
};
use boltseal_model::Timestamp;
use serde_json::{Value, json};

use super::{
    NOW, at,
    signer::{ed25519_jwk, encoded, jwks, p256_jwk, rsa_jwk, sign, sign_text},
};

const ISSUER: &str = "https://issuer.example.com";

fn claims() -> Value {
    json!({ "iss": ISSUER, "aud": "boltseal", "sub": "ann", "exp": NOW + 600, "nbf": NOW, "iat": NOW })
}

fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    claims[name] = value;
    claims
}

fn without(name: &str) -> Value {
    let mut claims = claims();
    claims.as_object_mut().unwrap().remove(name);
    claims
}

fn verify_at(token: &str, keys: &Jwks, now: Timestamp) -> Result<Claims, JwtError> {
    let expected = Expected { issuer: ISSUER, audiences: &["boltseal", "https://seal.example.com"] };
    Ok(Unverified::parse(token)?.verify(keys, &expected, now)?.claims)
}

fn verify(token: &str, keys: &Jwks) -> Result<Claims, JwtError> {
    verify_at(token, keys, at(0))
}

fn rs256(claims: &Value) -> String {
    sign("RS256", &json!({ "alg": "RS256", "kid": "r" }), claims)
}

/// RFC 7515 appendices A.2 and A.3, and RFC 7519 section 3.1: signed by Joe, for nobody, long ago.
#[test]
fn examples_of_the_rfcs() {
    const PAYLOAD: &str =
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    let rsa = json!({
        "kty": "RSA",
        "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
              T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB\
              dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia\
              GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
        "e": "AQAB",
    });
    let p256 = json!({
        "kty": "EC",
        "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    });
    let signed_rsa = format!(
        "eyJhbGciOiJSUzI1NiJ9.{PAYLOAD}.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0\
         Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBM\
         Hlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np\
         6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
    );
    let signed_p256 = format!(
        "eyJhbGciOiJFUzI1NiJ9.{PAYLOAD}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJq\
         PP3-Kg6NU1Q"
    );
    let hmac = format!(
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{PAYLOAD}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    );
    let none = format!("eyJhbGciOiJub25lIn0.{PAYLOAD}.");
    let check = |token: &str, key: &Value, wanted: JwtError| {
        let expected = Expected { issuer: "joe", audiences: &["anybody"] };
        let found = Unverified::parse(token)
            .and_then(|token| token.verify(&jwks(std::slice::from_ref(key)), &expected, at(0)));
        assert_eq!(found.map(|_| ()), Err(wanted), "{token}");
    };
    // The signature is right, so what is missing is looked for.
    check(&signed_rsa, &rsa, JwtError::Missing { claim: "aud" });
    check(&signed_p256, &p256, JwtError::Missing { claim: "aud" });
    check(&signed_rsa, &p256, JwtError::Algorithm { found: "RS256".to_owned() });
    check(&signed_p256, &rsa, JwtError::Algorithm { found: "ES256".to_owned() });
    check(&signed_rsa.replace(".cC4hiU", ".cC4hiV"), &rsa, JwtError::Signature);
    check(&hmac, &rsa, JwtError::Algorithm { found: "HS256".to_owned() });
    check(&none, &rsa, JwtError::Algorithm { found: "none".to_owned() });
}

#[test]
fn genuine_tokens_of_every_algorithm_are_believed() {
    let keys = jwks(&[rsa_jwk("r"), p256_jwk("p"), ed25519_jwk("e")]);
    for (algorithm, id) in [("RS256", "r"), ("PS256", "r"), ("ES256", "p"), ("EdDSA", "e")] {
        let token = sign(algorithm, &json!({ "alg": algorithm, "kid": id, "typ": "JWT" }), &claims());
        assert_eq!(verify(&token, &keys).unwrap().subject(), "ann", "{algorithm}");
    }
    // RFC 9864 gives EdDSA with Ed25519 a name of its own.
    let token = sign("EdDSA", &json!({ "alg": "Ed25519", "kid": "e" }), &claims());
    assert!(verify(&token, &keys).is_ok());
}

#[test]
fn the_key_decides_about_the_algorithm() {
    let mut pinned = rsa_jwk("r");
    pinned["alg"] = json!("RS256");
    let keys = jwks(&[pinned, p256_jwk("p")]);
    let check = |how: &str, named: &str, id: &str, wanted: &str| {
        let token = sign(how, &json!({ "alg": named, "kid": id }), &claims());
        let wanted = JwtError::Algorithm { found: wanted.to_owned() };
        assert_eq!(verify(&token, &keys), Err(wanted), "{how} as {named} with {id}");
    };
    check("HS256", "HS256", "r", "HS256");
    check("none", "none", "r", "none");
    check("none", "None", "r", "None");
    check("none", "", "r", "");
    check("PS256", "PS256", "r", "PS256");
    check("ES256", "ES256", "r", "ES256");
    check("RS256", "RS256", "p", "RS256");
    check("RS256", "ES512", "r", "ES512");
    // The header lies about how it is signed.
    for (how, named) in [("HS256", "RS256"), ("PS256", "RS256"), ("none", "RS256")] {
        let token = sign(how, &json!({ "alg": named, "kid": "r" }), &claims());
        assert_eq!(verify(&token, &keys), Err(JwtError::Signature), "{how} as {named}");
    }
}

#[test]
fn the_key_is_one_of_the_issuer() {
    let keys = jwks(&[rsa_jwk("r"), rsa_jwk("s"), p256_jwk("p")]);
    let check = |header: Value, wanted: Result<(), JwtError>| {
        let how = header["alg"].as_str().unwrap();
        let token = sign(how, &header, &claims());
        assert_eq!(verify(&token, &keys).map(|_| ()), wanted, "{header}");
    };
    let unknown = |id: &str| Err(JwtError::UnknownKey { id: Some(id.to_owned()) });
    check(json!({ "alg": "RS256", "kid": "s" }), Ok(()));
    check(json!({ "alg": "RS256", "kid": "x" }), unknown("x"));
    check(json!({ "alg": "RS256", "kid": "" }), unknown(""));
    check(json!({ "alg": "RS256", "kid": "\u{1b}[31m" }), unknown("\u{fffd}[31m"));
    // Without an id there must be no choice.
    check(json!({ "alg": "ES256" }), Ok(()));
    check(json!({ "alg": "RS256" }), Err(JwtError::UnknownKey { id: None }));
    // Keys that a token brings along mean nothing.
    check(
        json!({ "alg": "RS256", "kid": "x", "jwk": rsa_jwk("x"), "jku": "https://evil.example" }),
        unknown("x"),
    );
    check(json!({ "alg": "RS256", "kid": "r", "x5u": "https://evil.example", "x5c": ["AAAA"] }), Ok(()));
    check(json!({ "alg": "RS256", "kid": "r", "crit": ["exp"] }), Err(JwtError::Critical));
    check(json!({ "alg": "RS256", "kid": "r", "crit": [] }), Err(JwtError::Critical));
}

#[test]
fn the_claims_are_what_is_expected() {
    let keys = jwks(&[rsa_jwk("r")]);
    let check = |claims: Value, wanted: Result<(), JwtError>| {
        assert_eq!(verify(&rs256(&claims), &keys).map(|_| ()), wanted, "{claims}");
    };
    let differs = |claim, wanted: &str, found: &str| {
        Err(JwtError::Claim { claim, wanted: wanted.to_owned(), found: found.to_owned() })
    };
    let audiences = "`boltseal` or `https://seal.example.com`";
    let issuer = format!("`{ISSUER}`");
    check(without("iss"), Err(JwtError::Missing { claim: "iss" }));
    check(
        with("iss", json!("https://issuer.example.com/")),
        differs("iss", &issuer, "https://issuer.example.com/"),
    );
    check(with("iss", json!([ISSUER])), differs("iss", &issuer, "[\"https://issuer.example.com\"]"));
    check(without("aud"), Err(JwtError::Missing { claim: "aud" }));
    check(with("aud", json!(["other", "boltseal"])), Ok(()));
    check(with("aud", json!("https://seal.example.com")), Ok(()));
    check(with("aud", json!("Boltseal")), differs("aud", audiences, "Boltseal"));
    check(
        with("aud", json!("https://seal.example.com/")),
        differs("aud", audiences, "https://seal.example.com/"),
    );
    check(with("aud", json!([])), differs("aud", audiences, ""));
    check(with("aud", json!({ "boltseal": true })), differs("aud", audiences, ""));
    check(without("exp"), Err(JwtError::Missing { claim: "exp" }));
    check(with("exp", json!("tomorrow")), differs("exp", "seconds since 1970", "\"tomorrow\""));
    check(with("exp", json!(1e300)), differs("exp", "seconds since 1970", "1e+300"));
    check(with("exp", json!(i64::MAX)), differs("exp", "seconds since 1970", "9223372036854775807"));
    check(with("exp", json!(-1)), Err(JwtError::Expired { at: Timestamp::from_second(-1).unwrap() }));
    // A fraction is cut off: RFC 7519 section 2.
    check(with("exp", json!(1_795_000_010.9)), Ok(()));
    check(without("nbf"), Ok(()));
    check(without("iat"), Ok(()));
    check(with("nbf", json!(null)), differs("nbf", "seconds since 1970", "null"));
    // A minute for clocks that differ, and no more.
    check(with("exp", json!(NOW - 59)), Ok(()));
    check(with("exp", json!(NOW - 60)), Err(JwtError::Expired { at: at(-60) }));
    check(with("nbf", json!(NOW + 60)), Ok(()));
    check(with("nbf", json!(NOW + 61)), Err(JwtError::NotYet { claim: "nbf", at: at(61) }));
    check(with("iat", json!(NOW + 61)), Err(JwtError::NotYet { claim: "iat", at: at(61) }));
    let found = verify(&rs256(&with("iss", json!("\u{1b}[2J\n\u{202e}x"))), &keys).unwrap_err().to_string();
    assert!(!found.chars().any(|c| c.is_control() || c == '\u{202e}'), "{found}");
}

#[test]
fn every_changed_byte_is_found() {
    let keys = jwks(&[p256_jwk("p")]);
    let token = sign("ES256", &json!({ "alg": "ES256", "kid": "p" }), &claims());
    assert!(verify(&token, &keys).is_ok());
    for place in 0..token.len() {
        let mut forged = token.as_bytes().to_vec();
        forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        assert!(verify(&forged, &keys).is_err(), "changed at {place}");
        assert!(verify(&token[..place], &keys).is_err(), "cut at {place}");
    }
}

#[test]
fn what_is_no_jwt_is_refused_early() {
    let keys = jwks(&[rsa_jwk("r")]);
    let part = |text: &str| encoded(text);
    let check = |token: &str, wanted: &str| {
        let found = verify(token, &keys).unwrap_err().to_string();
        assert!(found.contains(wanted), "{token}: {found}");
    };
    let header = part("{\"alg\":\"RS256\",\"kid\":\"r\"}");
    check("", "it has no dots");
    check("a.b", "it has one dot");
    check("a.b.c.d", "more than three parts");
    check("a.b.c.d.e", "more than three parts");
    check(&format!("{header}.{}.*", part("{}")), "signature: not base64url");
    check(&format!("{header}.*.AAAA"), "payload: not base64url");
    check(&format!("{header}=.e30.AAAA"), "header: not base64url");
    check(&format!("{header}.{}.AAAA", part("[]")), "payload: not a JSON object");
    check(&format!("{header}.{}.AAAA", part("{} {}")), "trailing characters");
    check(&format!("{}.e30.AAAA", part("{}")), "it has no `alg`");
    check(&format!("{}.e30.AAAA", part("{\"alg\":1}")), "`alg` is no text");
    check(&format!("{}.e30.AAAA", part("{\"alg\":\"RS256\",\"kid\":7}")), "`kid` is no text");
    check(
        &format!("{}.e30.AAAA", part(&format!("{{\"alg\":\"RS256\",\"kid\":\"{}\"}}", "k".repeat(300)))),
        "too long",
    );
    let many: Vec<String> = (0..40).map(|n| format!("\"x{n}\":1")).collect();
    check(&format!("{}.e30.AAAA", part(&format!("{{{}}}", many.join(",")))), "more than 32");
    check(&format!("{header}.{}.AAAA", part(&format!("{{\"a\":{}", "[".repeat(5000)))), "too deep");
    check(&format!("{header}.{}.AAAA", part("{\"a\":\"\\ud800\"}")), "payload");
    check(&"A".repeat(MAX_JWT + 1), "more than 16384");
}

#[test]
fn a_name_that_stands_twice_is_refused() {
    let keys = jwks(&[rsa_jwk("r")]);
    let header = "{\"alg\":\"RS256\",\"kid\":\"r\"}";
    let body = claims().to_string();
    let check = |header: &str, claims: &str| {
        let found = verify(&sign_text("RS256", header, claims), &keys).unwrap_err();
        assert!(found.to_string().contains("stands there twice"), "{header} {claims}: {found}");
    };
    check("{\"alg\":\"none\",\"alg\":\"RS256\",\"kid\":\"r\"}", &body);
    check("{\"alg\":\"RS256\",\"kid\":\"x\",\"kid\":\"r\"}", &body);
    check(header, &body.replacen('{', "{\"sub\":\"admin\",", 1));
    check(header, &body.replacen('{', "{\"a\":{\"b\":1,\"b\":2},", 1));
    check(header, &body.replacen('{', "{\"\\u0073ub\":\"admin\",", 1));
}

#[test]
fn paths_lead_to_claims() {
    let keys = jwks(&[rsa_jwk("r")]);
    let mut claims = claims();
    claims["kubernetes.io"] = json!({ "namespace": "shop", "serviceaccount": { "name": "till" } });
    claims["https://example.com/groups"] = json!(["a", "b"]);
    claims["a"] = json!({ "b": { "c": 1 }, "b.c": 2 });
    let claims = verify(&rs256(&claims), &keys).unwrap();
    for (path, wanted) in [
        ("sub", Some(json!("ann"))),
        ("kubernetes.io.namespace", Some(json!("shop"))),
        ("kubernetes.io.serviceaccount.name", Some(json!("till"))),
        ("https://example.com/groups", Some(json!(["a", "b"]))),
        ("a.b.c", Some(json!(2))),
        ("kubernetes", None),
        ("sub.x", None),
        ("", None),
        (".", None),
    ] {
        assert_eq!(claims.get(path), wanted.as_ref(), "{path}");
    }
    assert_eq!(claims.get(&"a.".repeat(10_000)), None);
}
