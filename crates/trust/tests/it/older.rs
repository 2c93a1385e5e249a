//! cosign's older forms with certificates, from an instance that is made here, and what attackers make of them.

use std::collections::BTreeMap;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use boltseal_trust::{
    Authority, Evidence, Form, Pattern, Refusal, Signed, Who,
    predicate::{Predicate, Wanted},
    verify,
};
use serde_json::{Value, json};

use super::instance::{ISSUER, Instance, SIGNED, SUBJECT, Signer, hex, sha256};

const SIGNATURE: &str = "dev.cosignproject.cosign/signature";
pub const CERTIFICATE: &str = "dev.sigstore.cosign/certificate";
pub const LOG: &str = "dev.sigstore.cosign/bundle";

/// A layer and its annotations.
#[derive(Clone)]
pub struct Layer {
    form: Form,
    bytes: String,
    pub annotations: BTreeMap<String, String>,
}

impl Layer {
    pub fn verify(&self, image: &Digest, authorities: &[Authority]) -> Result<Signed, Refusal> {
        let Self { form, bytes, annotations } = self;
        verify(&Evidence { form: *form, bytes: bytes.as_bytes(), annotations }, image, authorities)
    }
}

fn payload(image: &Digest) -> String {
    json!({
        "critical": {
            "identity": { "docker-reference": "example.org/app" },
            "image": { "docker-manifest-digest": image },
            "type": "cosign container image signature",
        },
        "optional": null,
    })
    .to_string()
}

/// A signature as cosign 2 makes it, at this second.
pub fn signature(instance: &Instance, signer: &Signer, image: &Digest, at: i64) -> Layer {
    let bytes = payload(image);
    let signature = signer.sign(bytes.as_bytes());
    let body = json!({
        "apiVersion": "0.0.1",
        "kind": "hashedrekord",
        "spec": {
            "data": { "hash": { "algorithm": "sha256", "value": hex(&sha256(bytes.as_bytes())) } },
            "signature": {
                "content": signature,
                "publicKey": { "content": STANDARD.encode(&signer.certificate) },
            },
        },
    });
    let annotations = BTreeMap::from([
        (SIGNATURE.to_owned(), signature),
        (CERTIFICATE.to_owned(), signer.certificate.clone()),
        (LOG.to_owned(), instance.promise(&body, at).to_string()),
    ]);
    Layer { form: Form::SimpleSigning, bytes, annotations }
}

/// An attestation as cosign 2 makes it, at this second.
fn attestation(instance: &Instance, signer: &Signer, image: &Digest, at: i64) -> Layer {
    let statement = json!({
        "_type": "https://in-toto.io/Statement/v0.1",
        "subject": [{ "name": "example.org/app", "digest": { "sha256": image.hex() } }],
        "predicateType": "https://slsa.dev/provenance/v0.2",
        "predicate": { "builder": { "id": "https://ci.example.com" }, "buildType": "x" },
    })
    .to_string();
    let kind = "application/vnd.in-toto+json";
    let message = format!("DSSEv1 {} {kind} {} {statement}", kind.len(), statement.len());
    let signature = signer.sign(message.as_bytes());
    let envelope = json!({
        "payloadType": kind,
        "payload": STANDARD.encode(&statement),
        "signatures": [{ "keyid": "", "sig": signature }],
    })
    .to_string();
    let body = json!({
        "apiVersion": "0.0.1",
        "kind": "dsse",
        "spec": {
            "envelopeHash": { "algorithm": "sha256", "value": hex(&sha256(envelope.as_bytes())) },
            "payloadHash": { "algorithm": "sha256", "value": hex(&sha256(statement.as_bytes())) },
            "signatures": [{ "signature": signature, "verifier": STANDARD.encode(&signer.certificate) }],
        },
    });
    let annotations = BTreeMap::from([
        (CERTIFICATE.to_owned(), signer.certificate.clone()),
        (LOG.to_owned(), instance.promise(&body, at).to_string()),
    ]);
    Layer { form: Form::Envelope, bytes: envelope, annotations }
}

fn believed(instance: &Instance, subject: &str) -> Authority {
    let exact = |text: &str| Pattern::Exact(text.to_owned());
    let who = Who::Identity { subject: exact(subject), issuer: exact(ISSUER), root: instance.root() };
    Authority::new("ci", who)
}

#[test]
fn what_cosign_2_signed() {
    let (instance, image) = (Instance::new(), Digest::of(b"image"));
    let signer = instance.signer();
    let ci = [believed(&instance, SUBJECT)];
    let found = signature(&instance, &signer, &image, SIGNED).verify(&image, &ci).unwrap();
    assert_eq!(found.by.to_string(), format!("{SUBJECT}, says {ISSUER}"));
    assert!(found.logged && found.at[0].as_second() == SIGNED && found.statement.is_none(), "{found:?}");
    let found = attestation(&instance, &signer, &image, SIGNED).verify(&image, &ci).unwrap();
    let said = found.statement.unwrap().says();
    assert!(matches!(said, Predicate::Provenance(_)), "{said:?}");
    let wanted = Wanted { builder: Some("https://ci.example.com".to_owned()), ..Wanted::default() };
    wanted.check(&said).unwrap();
}

/// Its name, what is done to the layer, and a part of the reason of the refusal.
type Attack<'a> = (&'a str, Box<dyn Fn(&mut Layer) + 'a>, &'a str);

#[test]
#[expect(clippy::too_many_lines, reason = "a table of attacks")]
fn attacks_on_older_forms() {
    let (instance, stranger, image) = (Instance::new(), Instance::new(), Digest::of(b"image"));
    let (signer, other) = (instance.signer(), instance.signer());
    let log = |layer: &mut Layer, change: &dyn Fn(&mut Value)| {
        let mut log: Value = serde_json::from_str(&layer.annotations[LOG]).unwrap();
        change(&mut log);
        layer.annotations.insert(LOG.to_owned(), log.to_string());
    };
    let attacks: Vec<Attack<'_>> = vec![
        ("tampered", Box::new(|l| l.bytes = l.bytes.replace("example.org", "example.net")), ""),
        ("stripped of its log", Box::new(|l| drop(l.annotations.remove(LOG))), "no entry of it"),
        (
            "stripped of its certificate",
            Box::new(|l| drop(l.annotations.remove(CERTIFICATE))),
            "signed by a key, not by a certificate",
        ),
        (
            "stripped of the promise",
            Box::new(|l| log(l, &|log| drop(log.as_object_mut().unwrap().remove("SignedEntryTimestamp")))),
            "the entry of the log cannot be read",
        ),
        (
            "moved in time",
            Box::new(|l| log(l, &|log| log["Payload"]["integratedTime"] = json!(SIGNED + 60))),
            "invalid inclusion promise",
        ),
        (
            "expired when it was signed",
            Box::new(|l| *l = signature(&instance, &signer, &image, SIGNED + 86_400)),
            "the certificate is not to be trusted",
        ),
        (
            "the entry of another signature",
            Box::new(|l| {
                let theirs = signature(&instance, &other, &image, SIGNED);
                l.annotations.insert(LOG.to_owned(), theirs.annotations[LOG].clone());
            }),
            "",
        ),
        (
            "the log of a stranger",
            Box::new(|l| {
                let theirs = signature(&stranger, &signer, &image, SIGNED);
                l.annotations.insert(LOG.to_owned(), theirs.annotations[LOG].clone());
            }),
            "No log key valid",
        ),
        (
            "a certificate of another",
            Box::new(|l| {
                l.annotations.insert(CERTIFICATE.to_owned(), other.certificate.clone());
            }),
            "the signature is not right",
        ),
        (
            "a certificate of a stranger",
            Box::new(|l| *l = signature(&instance, &stranger.signer(), &image, SIGNED)),
            "the certificate is not to be trusted",
        ),
        (
            "no certificate at all in it",
            Box::new(|l| {
                l.annotations.insert(CERTIFICATE.to_owned(), "x".to_owned());
            }),
            "there are 0, not one to 10",
        ),
        (
            "duplicated",
            Box::new(|l| {
                let twice = l.annotations[LOG].replacen('{', "{\"SignedEntryTimestamp\":\"AAAA\",", 1);
                l.annotations.insert(LOG.to_owned(), twice);
            }),
            "duplicate field",
        ),
        (
            "downgraded to a key",
            Box::new(|l| {
                l.annotations.remove(CERTIFICATE);
                l.annotations.remove(LOG);
            }),
            "signed by a key, not by a certificate",
        ),
    ];
    for make in [signature, attestation] {
        for (name, attack, why) in &attacks {
            let mut layer = make(&instance, &signer, &image, SIGNED);
            let before = layer.bytes.clone();
            attack(&mut layer);
            if *name == "tampered" && layer.bytes == before {
                layer.bytes = before.replacen("\"payload\":\"ey", "\"payload\":\"eX", 1);
            }
            let refusal = layer.verify(&image, &[believed(&instance, SUBJECT)]).unwrap_err().to_string();
            println!("{name}: {refusal}");
            assert!(refusal.contains(why), "{name}: {refusal}");
        }
        let right = make(&instance, &signer, &image, SIGNED);
        let replayed = right.verify(&Digest::of(b"another"), &[believed(&instance, SUBJECT)]).unwrap_err();
        assert!(replayed.to_string().starts_with("it was signed for "), "{replayed}");
        let wrong = right.verify(&image, &[believed(&instance, "https://ci.example.com/evil")]).unwrap_err();
        assert!(wrong.to_string().contains("it is signed by `https://ci.example.com/acme"), "{wrong}");
        right.verify(&image, &[believed(&stranger, SUBJECT)]).unwrap_err();
    }
}

#[test]
fn a_key_with_a_log() {
    let (instance, image) = (Instance::new(), Digest::of(b"image"));
    let signer = Signer::keyed();
    let by = |signer: &Signer, root| {
        let key = signer.certificate.parse().unwrap();
        [Authority::new("key", Who::Key { key, root, clocks: None })]
    };
    let made = |signer: &Signer| {
        let mut layer = signature(&instance, signer, &image, SIGNED);
        layer.annotations.remove(CERTIFICATE);
        layer
    };
    let layer = made(&signer);
    let found = layer.verify(&image, &by(&signer, Some(instance.root()))).unwrap();
    assert!(found.logged && found.at[0].as_second() == SIGNED, "{found:?}");
    let found = layer.verify(&image, &by(&signer, None)).unwrap();
    assert!(!found.logged && found.at.is_empty(), "nobody vouches for the log: {found:?}");

    // An entry of a kind that nobody reads any more takes nothing from the key.
    let mut old = layer.clone();
    let body = json!({ "apiVersion": "0.0.1", "kind": "intoto", "spec": {} });
    old.annotations.insert(LOG.to_owned(), instance.promise(&body, SIGNED).to_string());
    old.verify(&image, &by(&signer, None)).unwrap();
    old.verify(&image, &by(&signer, Some(instance.root()))).unwrap_err();

    let mut stripped = layer.clone();
    stripped.annotations.remove(LOG);
    let refusal = stripped.verify(&image, &by(&signer, Some(instance.root()))).unwrap_err().to_string();
    assert!(refusal.contains("no entry of it"), "{refusal}");
    let mut others = layer.clone();
    others.annotations.insert(LOG.to_owned(), made(&Signer::keyed()).annotations[LOG].clone());
    let refusal = others.verify(&image, &by(&signer, Some(instance.root()))).unwrap_err().to_string();
    assert!(refusal.contains("does not match"), "{refusal}");
    layer.verify(&image, &by(&signer, Some(Instance::new().root()))).unwrap_err();
    layer.verify(&image, &by(&Signer::keyed(), None)).unwrap_err();
}
