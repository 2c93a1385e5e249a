//! Key sets: which keys are taken, and why others are not.

use boltseal_identity::jwks::{Jwks, JwksError, MAX_JWKS, MAX_KEYS};
use serde_json::{Value, json};

use super::signer::{ed25519_jwk, p256_jwk, rsa_jwk};

fn parse(keys: &[Value]) -> Result<Jwks, JwksError> {
    Jwks::parse(json!({ "keys": keys }).to_string().as_bytes())
}

fn with(mut key: Value, name: &str, value: Value) -> Value {
    key[name] = value;
    key
}

#[test]
fn keys_that_sign_are_taken() {
    let keys = [rsa_jwk("r"), p256_jwk("p"), ed25519_jwk("e"), with(rsa_jwk("a"), "alg", json!("PS256"))];
    let set = parse(&keys).unwrap();
    assert_eq!(set.ids().collect::<Vec<_>>(), ["r", "p", "e", "a"]);
    assert!(set.skipped().is_empty() && set.has("e") && !set.has("x"));
}

#[test]
fn keys_that_cannot_be_used_are_left_out_with_the_reason() {
    let check = |key: Value, wanted: &str| {
        let set = parse(&[p256_jwk("p"), key.clone()]).unwrap();
        let [skipped] = set.skipped() else { panic!("{key} was taken") };
        assert!(skipped.why.contains(wanted), "{key}: {}", skipped.why);
        assert_eq!(set.ids().collect::<Vec<_>>(), ["p"]);
    };
    check(json!({ "kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T" }), "symmetric");
    check(with(rsa_jwk("r"), "d", json!("AAAA")), "private half");
    check(with(rsa_jwk("r"), "use", json!("enc")), "not for signatures");
    check(with(rsa_jwk("r"), "key_ops", json!(["encrypt"])), "not for verifying");
    check(with(rsa_jwk("r"), "key_ops", json!("verify")), "not for verifying");
    check(with(rsa_jwk("r"), "alg", json!("HS256")), "does not fit its type");
    check(with(rsa_jwk("r"), "alg", json!("ES256")), "does not fit its type");
    check(with(rsa_jwk("r"), "alg", json!("RSA-OAEP")), "does not fit its type");
    check(with(rsa_jwk("r"), "alg", json!(null)), "does not fit its type");
    check(with(p256_jwk("q"), "alg", json!("ES384")), "does not fit its type");
    check(with(rsa_jwk("r"), "n", json!("AQAB")), "17 bits");
    check(with(rsa_jwk("r"), "n", json!("_".repeat(1368))), "8208 bits");
    check(with(rsa_jwk("r"), "e", json!("AQ")), "exponent");
    check(with(rsa_jwk("r"), "e", json!("Ag")), "exponent");
    check(with(rsa_jwk("r"), "e", json!("AAAA")), "exponent");
    check(with(rsa_jwk("r"), "e", json!("_____w8")), "exponent");
    check(with(rsa_jwk("r"), "n", json!(7)), "no `n`");
    check(with(rsa_jwk("r"), "n", json!("a+b/")), "not base64url");
    check(with(p256_jwk("q"), "crv", json!("P-521")), "`EC P-521` is not known");
    check(with(p256_jwk("q"), "crv", json!("secp256k1")), "is not known");
    check(with(p256_jwk("q"), "crv", json!("P-384")), "not of 48 bytes");
    check(with(p256_jwk("q"), "x", json!("AAAA")), "not of 32 bytes");
    check(with(ed25519_jwk("f"), "x", json!("AAAA")), "not of 32 bytes");
    check(with(ed25519_jwk("f"), "kid", json!(7)), "id is no text");
    check(with(ed25519_jwk("f"), "kid", json!("k".repeat(300))), "too long");
    check(json!("key"), "not an object");
    check(json!({}), "is not known");
}

#[test]
fn sets_that_are_none_are_refused() {
    let check = |text: &str, wanted: &str| {
        let found = Jwks::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(found.contains(wanted), "{text}: {found}");
    };
    check("", "EOF");
    check("[]", "not a JSON object");
    check("{}", "no list `keys`");
    check("{\"keys\":{}}", "no list `keys`");
    check("{\"keys\":[]}", "no key of the set can be used");
    check("{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}", "symmetric");
    check("{\"keys\":[],\"keys\":[]}", "stands there twice");
    check(&format!("{{\"keys\":[{}]}}", vec!["1"; 5000].join(",")), "too many entries");
    assert_eq!(
        parse(&vec![p256_jwk("p"); MAX_KEYS + 1]).unwrap_err(),
        JwksError::TooMany { found: MAX_KEYS + 1 }
    );
    let large = vec![b' '; MAX_JWKS + 1];
    assert_eq!(Jwks::parse(&large).unwrap_err(), JwksError::TooLarge { found: MAX_JWKS + 1 });
}
