//! What attackers make of a right signature. Each has a name in the field.

use std::{fs, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use boltseal_trust::{Authority, Pattern, PublicKey, Root, Who};
use serde_json::{Value, json};

use super::{anybody, data, holder, root, subject, verified};

/// A right bundle with the image that it is about.
struct Right {
    bundle: Value,
    image: Digest,
    root: Arc<Root>,
}

fn keyless() -> Option<Right> {
    let file = data("sigstore-rust/bundles/conda-attestation.sigstore.json")?;
    let bundle: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    let image = subject(&bundle);
    Some(Right { bundle, image, root: root("sigstore-rust/trusted_roots/public-good.json")? })
}

const SUBJECT: &str =
    "https://github.com/prefix-dev/sigstore-example/.github/workflows/action.yaml@refs/heads/main";
const ISSUER: &str = "https://token.actions.githubusercontent.com";

fn believed(right: &Right, subject: Pattern, issuer: Pattern) -> Authority {
    Authority::new("ci", Who::Identity { subject, issuer, root: right.root.clone() })
}

fn exact(text: &str) -> Pattern {
    Pattern::Exact(text.to_owned())
}

#[test]
fn identities() {
    let Some(right) = keyless() else { return };
    let bytes = serde_json::to_vec(&right.bundle).unwrap();
    let anchored = |text: &str| Pattern::anchored(text).unwrap();
    let cases = [
        (exact(SUBJECT), exact(ISSUER), ""),
        (anchored("https://github.com/prefix-dev/.*"), anchored(r"https://token\.actions\..*"), ""),
        (
            exact("https://github.com/prefix-dev/"),
            exact(ISSUER),
            "it is signed by `https://github.com/prefix-dev/sig",
        ),
        // Found somewhere inside is not enough.
        (anchored("prefix-dev/sigstore-example"), exact(ISSUER), "it is signed by"),
        (anchored("https://github.com/prefix-dev/|x"), exact(ISSUER), "it is signed by"),
        (exact(SUBJECT), exact("https://accounts.google.com"), "vouches for who signed"),
        (exact(SUBJECT), anchored("token.actions.githubusercontent.com"), "vouches for who signed"),
        (exact(""), exact(ISSUER), "it is signed by"),
    ];
    for (subject, issuer, why) in cases {
        let told = format!("{subject}, {issuer}");
        match verified(&bytes, &right.image, &[believed(&right, subject, issuer)]) {
            Ok(_) => assert_eq!(why, "", "{told}"),
            Err(refusal) => {
                assert!(!why.is_empty() && refusal.to_string().contains(why), "{told}: {refusal}");
            }
        }
    }
    assert!(Pattern::anchored("a)|(b").is_err(), "a pattern that leaves the group it is put into");
    assert!(Pattern::anchored(&"a{1000}".repeat(1000)).is_err(), "a pattern that needs memory without end");
}

/// Its name, what is done to the bundle, and a part of the reason of the refusal.
type Attack<'a> = (&'a str, Box<dyn Fn(&mut Value) + 'a>, &'a str);

#[test]
#[expect(clippy::too_many_lines, reason = "a table of attacks")]
fn attacks_on_a_bundle() {
    let Some(right) = keyless() else { return };
    let entry = |bundle: &mut Value, key: &str, value: Value| {
        bundle["verificationMaterial"]["tlogEntries"][0][key] = value;
    };
    let payload = |bundle: &mut Value, from: &str, to: &str| {
        let text = STANDARD.decode(bundle["dsseEnvelope"]["payload"].as_str().unwrap()).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains(from), "{text}");
        bundle["dsseEnvelope"]["payload"] = json!(STANDARD.encode(text.replacen(from, to, 1)));
    };
    let attacks: Vec<Attack<'_>> = vec![
        ("none", Box::new(|_| {}), ""),
        ("tampered", Box::new(|b| payload(b, "predicateType", "predicatetype")), "cannot be read"),
        (
            "tampered predicate",
            Box::new(|b| payload(b, "attestations-publish-1", "attestations-publish-2")),
            "signature",
        ),
        (
            "another kind of payload",
            Box::new(|b| b["dsseEnvelope"]["payloadType"] = json!("text/plain")),
            "its type is",
        ),
        (
            "stripped of its log entry",
            Box::new(|b| b["verificationMaterial"]["tlogEntries"] = json!([])),
            "no entry of it",
        ),
        (
            "stripped of the proof",
            Box::new(|b| entry(b, "inclusionProof", Value::Null)),
            "must have an inclusion proof",
        ),
        (
            "stripped of its certificate",
            Box::new(|b| {
                let material = b["verificationMaterial"].as_object_mut().unwrap();
                material.remove("certificate");
                material.insert("publicKey".into(), json!({ "hint": "x" }));
            }),
            "signed by a key, not by a certificate",
        ),
        ("moved in time", Box::new(|b| entry(b, "integratedTime", json!("1600000000"))), "inclusion promise"),
        (
            "duplicated",
            Box::new(|b| {
                let one = b["dsseEnvelope"]["signatures"][0].clone();
                b["dsseEnvelope"]["signatures"] = json!([one, one]);
            }),
            "cannot be read",
        ),
        ("no signature", Box::new(|b| b["dsseEnvelope"]["signatures"] = json!([])), "cannot be read"),
        (
            "an unknown version",
            Box::new(|b| b["mediaType"] = json!("application/vnd.dev.sigstore.bundle.v9+json")),
            "media type",
        ),
    ];
    for (name, attack, why) in attacks {
        let mut bundle = right.bundle.clone();
        attack(&mut bundle);
        let bytes = serde_json::to_vec(&bundle).unwrap();
        match verified(&bytes, &right.image, &[anybody(&right.root)]) {
            Ok(_) => assert_eq!(name, "none"),
            Err(refusal) => {
                println!("{name}: {refusal}");
                assert!(name != "none" && refusal.to_string().contains(why), "{name}: {refusal}");
            }
        }
    }
    let bytes = serde_json::to_vec(&right.bundle).unwrap();
    let refusal = verified(&bytes, &Digest::of(b"another"), &[anybody(&right.root)]).unwrap_err();
    assert!(refusal.to_string().starts_with("it was signed for sha256:"), "replayed: {refusal}");
    let refusal = verified(&bytes, &right.image, &[]).unwrap_err();
    assert!(refusal.to_string().contains("nobody is believed"), "{refusal}");
    let other = root("sigstore-rust/timestamps/github_trusted_root.json").unwrap();
    assert!(verified(&bytes, &right.image, &[anybody(&other)]).is_err(), "a root of others");
}

#[test]
fn attacks_on_a_key() {
    let Some(folder) = data("sigstore-rust/managed-key") else { return };
    let read = |name: &str| fs::read(folder.join(name)).unwrap();
    let key: PublicKey = String::from_utf8(read("key.pub")).unwrap().parse().unwrap();
    let (bundle, image) = (read("bundle.sigstore.json"), Digest::of(&read("artifact.txt")));
    let signed = verified(&bundle, &image, &[holder(&key)]).unwrap();
    assert!(!signed.logged && signed.at.is_empty(), "nobody vouches for log and time: {signed:?}");

    let refusal = |bundle: &[u8], image: &Digest, authority: Authority| {
        verified(bundle, image, &[authority]).unwrap_err().to_string()
    };
    let said = refusal(&bundle, &Digest::of(b"another"), holder(&key));
    assert!(said.contains("signed for") || said.contains("signature"), "replayed: {said}");
    let mut tampered: Value = serde_json::from_slice(&bundle).unwrap();
    let signature = tampered["messageSignature"]["signature"].as_str().unwrap();
    let mut bytes = STANDARD.decode(signature).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    tampered["messageSignature"]["signature"] = json!(STANDARD.encode(bytes));
    let said = refusal(&serde_json::to_vec(&tampered).unwrap(), &image, holder(&key));
    assert!(said.contains("the signature is not right"), "tampered: {said}");

    let right = keyless().unwrap();
    let said = refusal(&serde_json::to_vec(&right.bundle).unwrap(), &right.image, holder(&key));
    assert!(said.contains("signed by a certificate, not by a key"), "{said}");
    let mut stripped: Value = serde_json::from_slice(&bundle).unwrap();
    stripped["verificationMaterial"]["tlogEntries"] = json!([]);
    let logged = Authority::new("key", Who::Key { key, root: Some(right.root), clocks: None });
    let mut untimed: Value = serde_json::from_slice(&bundle).unwrap();
    let said = verified(&bundle, &image, std::slice::from_ref(&logged)).unwrap_err().to_string();
    assert!(said.contains("does not match any trusted TSA"), "a clock that the root does not know: {said}");
    untimed["verificationMaterial"]["timestampVerificationData"] = json!({ "rfc3161Timestamps": [] });
    let untimed = serde_json::to_vec(&untimed).unwrap();
    let signed = verified(&untimed, &image, std::slice::from_ref(&logged)).unwrap();
    assert!(signed.logged, "{signed:?}");
    let said = refusal(&serde_json::to_vec(&stripped).unwrap(), &image, logged);
    assert!(said.contains("no entry of it"), "stripped: {said}");
}
