//! cosign's older form, with keys made here.

use std::collections::BTreeMap;

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use boltseal_trust::{Evidence, Form, PublicKey, Refusal, Signed, verify};

use super::holder;

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";

fn pair() -> (EcdsaKeyPair, PublicKey) {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
    let der: PublicKeyX509Der<'_> = pair.public_key().as_der().unwrap();
    let pem =
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()));
    let key = pem.parse().unwrap();
    (pair, key)
}

fn payload(image: &Digest, kind: &str) -> String {
    format!(
        r#"{{"critical":{{"identity":{{"docker-reference":"example.org/app"}},"image":{{"docker-manifest-digest":"{image}"}},"type":"{kind}"}},"optional":null}}"#
    )
}

fn checked(
    payload: &str,
    signature: Option<String>,
    extra: &[&str],
    image: &Digest,
    key: &PublicKey,
) -> Result<Signed, Refusal> {
    let mut annotations: BTreeMap<String, String> =
        extra.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
    annotations.extend(signature.map(|text| (SIGNATURE.to_owned(), text)));
    let evidence =
        Evidence { form: Form::SimpleSigning, bytes: payload.as_bytes(), annotations: &annotations };
    verify(&evidence, image, &[holder(key)])
}

#[test]
fn a_payload_signed_by_a_key() {
    let (image, other) = (Digest::of(b"image"), Digest::of(b"other"));
    let ((pair, key), (_, stranger)) = (pair(), pair());
    let sign = |text: &str| Some(STANDARD.encode(pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap()));
    let right = payload(&image, "cosign container image signature");
    let signed = checked(&right, sign(&right), &[], &image, &key).unwrap();
    assert!(!signed.logged && signed.statement.is_none(), "{signed:?}");

    let elsewhere = payload(&image, "another kind");
    let twice = right.replacen("\"critical\"", &format!("\"critical\":{{\"image\":{{\"docker-manifest-digest\":\"{other}\"}},\"type\":\"x\"}},\"critical\""), 1);
    let cases = [
        ("replayed", &right, sign(&right), &other, &key, "it was signed for"),
        ("another's", &right, sign(&right), &image, &stranger, "the signature is not right"),
        (
            "tampered",
            &right,
            sign(&payload(&other, "cosign container image signature")),
            &image,
            &key,
            "not right",
        ),
        ("another kind", &elsewhere, sign(&elsewhere), &image, &key, "it is a `another kind`"),
        ("two payloads in one", &twice, sign(&twice), &image, &key, "duplicate field"),
        ("stripped", &right, None, &image, &key, "no annotation"),
        ("not base64", &right, Some("!".to_owned()), &image, &key, "the signature cannot be read"),
        ("empty", &right, Some(String::new()), &image, &key, "not right"),
    ];
    for (name, text, signature, image, key, why) in cases {
        let refusal = checked(text, signature, &[], image, key).unwrap_err().to_string();
        assert!(refusal.contains(why), "{name}: {refusal}");
    }
    assert!("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----".parse::<PublicKey>().is_err());
}
