//! Issuers for tests: they sign whatever a test wants, also what no real issuer would.

use std::sync::LazyLock;

use aws_lc_rs::{
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
        RSA_PSS_SHA256, RsaKeyPair,
    },
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

/// Making RSA keys takes a while, so all tests share one.
pub(super) static RSA: LazyLock<RsaKeyPair> =
    LazyLock::new(|| RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
pub(super) static P256: LazyLock<EcdsaKeyPair> =
    LazyLock::new(|| EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
pub(super) static ED25519: LazyLock<Ed25519KeyPair> = LazyLock::new(|| Ed25519KeyPair::generate().unwrap());

pub(super) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A JWT with this header and payload; `how` is the algorithm that it is really signed with.
pub(super) fn sign(how: &str, header: &Value, claims: &Value) -> String {
    sign_text(how, &header.to_string(), &claims.to_string())
}

pub(super) fn sign_text(how: &str, header: &str, claims: &str) -> String {
    let signed = format!("{}.{}", encoded(header), encoded(claims));
    let (message, random) = (signed.as_bytes(), SystemRandom::new());
    let signature = match how {
        "RS256" | "PS256" => {
            let padding: &'static dyn aws_lc_rs::signature::RsaEncoding =
                if how == "RS256" { &RSA_PKCS1_SHA256 } else { &RSA_PSS_SHA256 };
            let mut signature = vec![0; RSA.public_modulus_len()];
            RSA.sign(padding, &random, message, &mut signature).unwrap();
            signature
        }
        "ES256" => P256.sign(&random, message).unwrap().as_ref().to_vec(),
        "EdDSA" => ED25519.sign(message).as_ref().to_vec(),
        // The classic confusion: the public key as the shared secret.
        "HS256" => {
            let key = hmac::Key::new(hmac::HMAC_SHA256, RSA.public_key().as_ref());
            hmac::sign(&key, message).as_ref().to_vec()
        }
        "none" => Vec::new(),
        other => panic!("no such algorithm: {other}"),
    };
    format!("{signed}.{}", encoded(signature))
}

pub(super) fn rsa_jwk(id: &str) -> Value {
    let public = RSA.public_key();
    let n = encoded(public.modulus().big_endian_without_leading_zero());
    let e = encoded(public.exponent().big_endian_without_leading_zero());
    json!({ "kty": "RSA", "use": "sig", "kid": id, "n": n, "e": e })
}

pub(super) fn p256_jwk(id: &str) -> Value {
    let point = P256.public_key().as_ref();
    json!({ "kty": "EC", "crv": "P-256", "kid": id, "x": encoded(&point[1..33]), "y": encoded(&point[33..]) })
}

pub(super) fn ed25519_jwk(id: &str) -> Value {
    json!({ "kty": "OKP", "crv": "Ed25519", "kid": id, "x": encoded(ED25519.public_key()) })
}

pub(super) fn jwks(keys: &[Value]) -> boltseal_identity::jwks::Jwks {
    boltseal_identity::jwks::Jwks::parse(json!({ "keys": keys }).to_string().as_bytes()).unwrap()
}
