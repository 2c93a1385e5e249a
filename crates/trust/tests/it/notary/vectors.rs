//! The vectors of Notary Project's own libraries.

use std::fs;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use boltseal_trust::{
    Certificate, Form, Revoked,
    notary::{StoreKind, Stores},
};
use coset::{CoseSign1, Label, TaggedCborSerializable as _};
use serde_json::{Value, json};

use super::{Believed, NOW, at, check, policy};
use crate::data;

/// An envelope, what it is about, and the last certificate of its chain.
struct Vector {
    form: Form,
    bytes: Vec<u8>,
    image: Digest,
    root: Vec<u8>,
}

fn vector(path: &str) -> Option<Vector> {
    let bytes = fs::read(data(path)?).unwrap();
    if bytes.first() != Some(&b'{') {
        let message = CoseSign1::from_tagged_slice(&bytes).unwrap();
        let chain = message.unprotected.rest.iter().find(|(label, _)| *label == Label::Int(33)).unwrap();
        let chain = chain.1.as_array().unwrap();
        let root = chain.last().unwrap().as_bytes().unwrap().clone();
        let image = target(&message.payload.unwrap());
        return Some(Vector { form: Form::NotaryCose, bytes, image, root });
    }
    let json: Value = serde_json::from_slice(&bytes).unwrap();
    // In the tampered one a `=` stands behind it, which a payload has not.
    let payload = json["payload"].as_str().unwrap().trim_end_matches('=');
    let payload = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(payload);
    let chain = json["header"]["x5c"].as_array().unwrap();
    let root = STANDARD.decode(chain.last().unwrap().as_str().unwrap()).unwrap();
    Some(Vector { form: Form::NotaryJws, image: target(&payload.unwrap()), bytes, root })
}

fn target(payload: &[u8]) -> Digest {
    let payload: Value = serde_json::from_slice(payload).unwrap();
    payload["targetArtifact"]["digest"].as_str().unwrap().parse().unwrap()
}

const MOCK: &str = "notation-go/internal/mock/testdata";
const STAMPED: &str = "notation-go/verifier/testdata/timestamp";
const TRUSTED: &str = "notation-go/verifier/testdata/truststore/x509";

#[test]
fn envelopes_of_others() {
    let strict = json!({});
    let permissive = json!({ "signatureVerification": { "level": "permissive" } });
    let notary = json!({ "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Notary"] });
    let other = json!({ "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"] });
    let cases: [(&str, &Value, &str, Result<&str, &str>); 12] = [
        ("ca_valid_sig_env.json", &strict, NOW, Ok("CN=Notation Test Root")),
        ("ca_valid_sig_env.json", &notary, NOW, Ok("CN=Notation Test Root")),
        ("ca_valid_sig_env.json", &other, NOW, Err("not by `C=US, O=Acme, ST=WA`")),
        ("ca_expired_sig_env.json", &strict, NOW, Err("it expired at 2022-07-29T23:59:00Z")),
        ("ca_expired_sig_env.json", &strict, "2022-07-29T12:00:00Z", Ok("CN=Notation Test Root")),
        ("ca_expired_sig_env.json", &permissive, NOW, Ok("CN=Notation Test Root")),
        ("ca_invalid_sig_env.json", &strict, NOW, Err("cannot be read: `payload`: Invalid padding")),
        ("ca_invalid_sig_env.json", &permissive, NOW, Err("cannot be read: `payload`: Invalid padding")),
        ("ca_plugin_sig_env.json", &strict, NOW, Err("by the plugin `plugin-name`, and plugins are not run")),
        ("sig_env_with_metadata.json", &strict, "2023-01-11T18:10:00Z", Ok("CN=wabbit-networks.io")),
        ("sig_env_with_metadata.json", &strict, NOW, Err("was valid until 2023-01-12")),
        ("sig_env_with_metadata.json", &permissive, NOW, Ok("CN=wabbit-networks.io")),
    ];
    for (name, changes, now, expected) in cases {
        let Some(vector) = vector(&format!("{MOCK}/{name}")) else { return };
        let believed = Believed {
            policy: policy(changes),
            stores: vec![(StoreKind::Authority, vector.root)],
            revoked: Revoked::default(),
            now: at(now),
        };
        let found = believed.verify(vector.form, &vector.bytes, &vector.image);
        check(&format!("{name} {changes} {now}"), &found, expected);
        if let Ok(signed) = found {
            // One certificate alone has nobody above it who could take it back.
            let told = signed.remarks.join("; ");
            assert_eq!(told.contains("revocation is not checked"), !name.contains("metadata"), "{told}");
            let passed = changes == &permissive;
            assert_eq!(told.contains("the trust policy lets it pass: "), passed, "{name}: {told}");
        }
    }
}

#[test]
fn envelopes_of_both_kinds() {
    for name in ["jws_signature.sig", "cose_signature.sig"] {
        let Some(vector) = vector(&format!("notation-go/internal/testdata/{name}")) else { return };
        let mut believed = Believed {
            policy: policy(&json!({})),
            stores: vec![(StoreKind::Authority, vector.root.clone())],
            revoked: Revoked::default(),
            now: at(NOW),
        };
        check(name, &believed.verify(vector.form, &vector.bytes, &vector.image), Ok("CN=alpine"));
        let other = Digest::of(b"another");
        let replayed = believed.verify(vector.form, &vector.bytes, &other);
        check(name, &replayed, Err("it was signed for sha256:"));
        believed.policy = policy(&json!({ "signatureVerification": { "level": "skip" }, "trustStores": [],
            "trustedIdentities": [] }));
        let skipped = believed.verify(vector.form, &vector.bytes, &vector.image);
        check(name, &skipped, Err("skips verification: nothing is verified"));
        // As what it is not.
        let form = if vector.form == Form::NotaryJws { Form::NotaryCose } else { Form::NotaryJws };
        check(name, &believed.verify(form, &vector.bytes, &vector.image), Err("cannot be read"));
    }
}

/// Whose payloads are no payloads of images: they show what an envelope looks like, and must be refused.
#[test]
fn samples_of_envelopes() {
    let image = Digest::of(b"image");
    let Some(file) = data("notation-core-go/signature/jws/testdata/conformance.json") else { return };
    let believed = Believed {
        policy: policy(&json!({})),
        stores: Vec::new(),
        revoked: Revoked::default(),
        now: at(NOW),
    };
    let found = believed.verify(Form::NotaryJws, &fs::read(file).unwrap(), &image);
    check("jws", &found, Err("missing field `targetArtifact`"));
    let file = data("notation-core-go/signature/cose/testdata/conformance.json").unwrap();
    let sample: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let hex = sample["expectedOutput"]["cborHex"].as_str().unwrap();
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|place| u8::from_str_radix(&hex[place..place + 2], 16).unwrap())
        .collect();
    check("cose", &believed.verify(Form::NotaryCose, &bytes, &image), Err("expected value at line 1"));
}

/// An envelope, a policy, a clock, now, and what is to come of it.
type Stamped<'s> = (&'s str, &'s Value, &'s Vec<u8>, &'s str, Result<&'s str, &'s str>);

#[test]
fn timestamps() {
    let clock = |name: &str| data(&format!("{TRUSTED}/tsa/{name}")).map(|file| fs::read(file).unwrap());
    let (Some(right), Some(wrong)) =
        (clock("test-timestamp/globalsignRoot.cer"), clock("test-mismatch/DigiCertTSARootSHA384.cer"))
    else {
        return;
    };
    let always = json!({ "trustStores": ["ca:acme", "tsa:acme"] });
    let later = json!({ "trustStores": ["ca:acme", "tsa:acme"],
        "signatureVerification": { "level": "strict", "verifyTimestamp": "afterCertExpiry" } });
    // Long after its certificate, of which only the clock knows when it was used.
    let far = "2040-01-01T00:00:00Z";
    let cases: [Stamped<'_>; 8] = [
        ("jwsWithTimestamp.sig", &always, &right, NOW, Ok("CN=alpine")),
        ("coseWithTimestamp.sig", &always, &right, NOW, Ok("CN=alpine")),
        ("jwsWithTimestamp.sig", &always, &right, far, Ok("CN=alpine")),
        ("coseWithTimestamp.sig", &later, &right, far, Ok("CN=alpine")),
        ("jwsWithTimestamp.sig", &always, &wrong, NOW, Err("no path leads from")),
        ("withoutTimestamp.sig", &always, &right, NOW, Err("it has no timestamp of a clock")),
        ("withoutTimestamp.sig", &later, &right, NOW, Ok("CN=alpine")),
        ("withoutTimestamp.sig", &later, &right, far, Err("it has no timestamp of a clock")),
    ];
    for (name, changes, clock, now, expected) in cases {
        let vector = vector(&format!("{STAMPED}/sigEnv/{name}")).unwrap();
        let believed = Believed {
            policy: policy(changes),
            stores: vec![(StoreKind::Authority, vector.root), (StoreKind::Clock, clock.clone())],
            revoked: Revoked::default(),
            now: at(now),
        };
        let found = believed.verify(vector.form, &vector.bytes, &vector.image);
        check(&format!("{name} {now}"), &found, expected);
        if let (Ok(signed), false) = (found, name.starts_with("without")) {
            assert!(signed.at[0].to_string().starts_with("2024-06-18T06:2"), "{name}: {signed:?}");
        }
    }
}

/// Tokens of clocks beside a signature that they are not of, or that somebody changed.
#[test]
fn tokens_that_do_not_count() {
    let Some(plain) = vector(&format!("{STAMPED}/sigEnv/withoutTimestamp.sig")) else { return };
    let clock = fs::read(data(&format!("{TRUSTED}/tsa/test-timestamp/globalsignRoot.cer")).unwrap()).unwrap();
    let other = "notation-core-go/internal/timestamp/testdata/TimeStampTokenWithInvalidSignature.p7s";
    let tokens = [
        ("TimeStampToken.p7s", "the timestamp is of another signature"),
        ("TimeStampTokenWithInvalidTSTInfo.p7s", "the timestamp"),
        ("TimeStampTokenWithInvalideContentType.p7s", "what is signed is no timestamp"),
        ("TimeStampTokenWithoutCertificate.p7s", "the timestamp"),
        (other, "the timestamp"),
    ];
    for (name, why) in tokens {
        let path = if name == other { name.to_owned() } else { format!("{STAMPED}/countersignature/{name}") };
        let token = fs::read(data(&path).unwrap()).unwrap();
        let mut envelope: Value = serde_json::from_slice(&plain.bytes).unwrap();
        envelope["header"]["io.cncf.notary.timestampSignature"] = json!(STANDARD.encode(token));
        let believed = Believed {
            policy: policy(&json!({ "trustStores": ["ca:acme", "tsa:acme"] })),
            stores: vec![(StoreKind::Authority, plain.root.clone()), (StoreKind::Clock, clock.clone())],
            revoked: Revoked::default(),
            now: at(NOW),
        };
        let found = believed.verify(plain.form, envelope.to_string().as_bytes(), &plain.image);
        check(name, &found, Err(why));
    }
}

#[test]
fn trust_stores() {
    let cases: [(&str, StoreKind, Result<(), &str>); 16] = [
        ("tsa/test-nonCA/wabbit-networks.io.crt", StoreKind::Clock, Err("is no root of an authority")),
        ("ca/valid-trust-store/GlobalSign.der", StoreKind::Authority, Ok(())),
        ("ca/valid-trust-store/GlobalSignRootCA.crt", StoreKind::Authority, Ok(())),
        ("ca/valid-trust-store/NotationTestRoot.pem", StoreKind::Authority, Ok(())),
        ("ca/valid-trust-store/wabbit-networks.io.crt", StoreKind::Authority, Ok(())),
        ("ca/valid-trust-store/TestTimestamp.crt", StoreKind::Authority, Ok(())),
        ("ca/valid-trust-store-self-signed/openssl-minimum-self-signed.pem", StoreKind::Authority, Ok(())),
        ("signingAuthority/valid-trust-store/NotationTestRoot.pem", StoreKind::SigningAuthority, Ok(())),
        ("tsa/test-timestamp/globalsignRoot.cer", StoreKind::Clock, Ok(())),
        ("tsa/test-mismatch/DigiCertTSARootSHA384.cer", StoreKind::Clock, Ok(())),
        ("ca/trust-store-with-invalid-certs/invalid", StoreKind::Authority, Err("no certificate")),
        ("ca/trust-store-with-leaf-certs/non-ca.crt", StoreKind::Authority, Err("neither an authority nor")),
        (
            "ca/trust-store-with-leaf-certs-in-single-file/RootAndLeafCerts.crt",
            StoreKind::Authority,
            Err("neither an authority nor"),
        ),
        ("tsa/test-nonSelfIssued/nonSelfIssued.crt", StoreKind::Clock, Err("")),
        ("ca/trust-store-with-leaf-certs/GlobalSignRootCA.crt", StoreKind::Authority, Ok(())),
        ("ca/valid-trust-store/TestTimestampNotYetValid.crt", StoreKind::Authority, Ok(())),
    ];
    for (path, kind, expected) in cases {
        let Some(file) = data(&format!("{TRUSTED}/{path}")) else { return };
        let found = Stores::default().add(kind, "x", &fs::read(file).unwrap());
        match (&found, expected) {
            (Ok(()), Ok(())) => {}
            (Err(error), Err(why)) => {
                println!("{path}: {error}");
                assert!(error.to_string().contains(why), "{path}: {error}");
            }
            _ => panic!("{path}: {found:?}, not {expected:?}"),
        }
    }
}

#[test]
fn files_of_certificates() {
    for (name, count) in [
        ("x509/testdata/der.der", 1),
        ("x509/testdata/multi-der.der", 2),
        ("x509/testdata/pem.crt", 1),
        ("x509/testdata/multi-pem.crt", 2),
        ("x509/testdata/openssl-minimum-self-signed.pem", 1),
        ("x509/testdata/timestamp_leaf.crt", 1),
        ("x509/testdata/timestamp_intermediate.crt", 1),
        ("x509/testdata/timestamp_root.crt", 1),
        ("x509/testdata/invalid", 0),
        ("internal/timestamp/testdata/tsaRootCert.cer", 1),
        ("revocation/crl/testdata/certificateWithDeltaCRL.cer", 1),
    ] {
        let Some(file) = data(&format!("notation-core-go/{name}")) else { return };
        let found = Certificate::all(&fs::read(file).unwrap()).map_or(0, |all| all.len());
        assert_eq!(found, count, "{name}");
    }
}

#[test]
fn lists_of_revoked_certificates() {
    for name in ["crlWithMultipleFreshestCRLs.crl", "delta.crl"] {
        let Some(file) = data(&format!("notation-core-go/revocation/crl/testdata/{name}")) else { return };
        Revoked::default().add(&fs::read(file).unwrap()).unwrap();
    }
    let refusal = Revoked::default().add(b"no list").unwrap_err();
    assert!(refusal.to_string().starts_with("this is neither a list of revoked"), "{refusal}");
}
