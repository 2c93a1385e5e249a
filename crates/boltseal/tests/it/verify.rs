//! `boltseal verify` against a registry that is not ours, with keys made here.

use aws_lc_rs::{
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_image::remote::{Access, Name, Remote, Repository};
use boltseal_model::Digest;
use boltseal_testkit::Distribution;
use serde_json::json;

use crate::fixtures::{alpine, layout, user_with_feeds};

pub const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
pub const SIGNED: &str = "https://sigstore.dev/cosign/sign/v1";
pub const PROVENANCE: &str = "https://slsa.dev/provenance/v1";

pub struct Key(EcdsaKeyPair);

impl Key {
    pub fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap())
    }

    pub fn pem(&self) -> String {
        let der: PublicKeyX509Der<'_> = self.0.public_key().as_der().unwrap();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref()))
    }

    pub fn sign(&self, bytes: &[u8]) -> String {
        STANDARD.encode(self.0.sign(&SystemRandom::new(), bytes).unwrap())
    }

    /// A bundle as cosign 3 writes it, of a statement about `digest` (DSSE 1.0: what is signed is the PAE).
    pub fn bundle(&self, digest: &str, predicate_type: &str) -> String {
        self.statement(digest, predicate_type, &json!({}))
    }

    /// The same, in which something is said.
    pub fn statement(&self, digest: &str, predicate_type: &str, predicate: &serde_json::Value) -> String {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{ "digest": { "sha256": digest.trim_start_matches("sha256:") } }],
            "predicateType": predicate_type,
            "predicate": predicate,
        });
        let (kind, payload) = ("application/vnd.in-toto+json", statement.to_string());
        let signed = format!("DSSEv1 {} {kind} {} {payload}", kind.len(), payload.len());
        let bundle = json!({
            "mediaType": BUNDLE,
            "verificationMaterial": { "publicKey": { "hint": "" }, "tlogEntries": [] },
            "dsseEnvelope": {
                "payload": STANDARD.encode(&payload),
                "payloadType": kind,
                "signatures": [{ "sig": self.sign(signed.as_bytes()), "keyid": "" }],
            },
        });
        bundle.to_string()
    }
}

#[test]
fn who_signed_an_image_and_what_they_said() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = user_with_feeds();
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
    let (ours, theirs) = (Key::new(), Key::new());
    user.write("ours.pub", ours.pem());
    user.write("theirs.pub", theirs.pem());
    let verify = |rest: &[&str]| user.run(&[&["verify", &image], rest].concat());

    let nothing = verify(&["--key", "ours.pub", "--format", "json"]);
    let digest =
        nothing.ended(1).complained(&["no signature by anybody who is believed"]).json()["digest"].clone();
    let digest = digest.as_str().unwrap().to_owned();

    let attach = |name: &str, bundle: &str| {
        user.write(name, bundle);
        let file = format!("{name}:{BUNDLE}");
        user.run(&["image", "attach", &image, &file, "--artifact-type", BUNDLE]).ended(0);
    };
    // Of another image; it was right there.
    attach("replayed.json", &ours.bundle(&format!("sha256:{}", "ab".repeat(32)), SIGNED));
    verify(&["--key", "ours.pub"]).ended(1).said(&["1 counts for nothing", "it was signed for sha256:abab"]);
    attach("theirs.json", &theirs.bundle(&digest, SIGNED));
    verify(&["--key", "ours.pub"]).ended(1).said(&["2 count for nothing", "the signature is not right"]);
    attach("provenance.json", &ours.bundle(&digest, PROVENANCE));
    // That somebody described how it was built is no signature.
    verify(&["--key", "ours.pub"]).ended(1).said(&["slsaprovenance1"]);
    verify(&["--key", "ours.pub", "--type", "slsaprovenance1"])
        .ended(0)
        .said(&["verified: 1 statement", "slsaprovenance1"]);
    verify(&["--key", "ours.pub", "--type", "openvex"])
        .ended(1)
        .complained(&["no statement of type https://openvex.dev/ns"]);
    attach("ours.json", &ours.bundle(&digest, SIGNED));
    verify(&["--key", "ours.pub"]).ended(0).said(&["verified: 1 signature", "2 count for nothing"]);
    let both = verify(&["--key", "ours.pub", "--key", "theirs.pub", "--format", "json"]).ended(0).json();
    let counting = both["evidence"].as_array().unwrap().iter().filter(|row| row["counts"] == true);
    assert_eq!((counting.count(), &both["signed"]), (2, &true.into()), "{both}");
}

/// Attaches a payload with its signature as cosign 1 and 2 do; gives the tag.
pub fn attach_older(repository: &Repository, digest: &Digest, payload: &str, key: &Key) -> String {
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {
            "mediaType": "application/vnd.oci.image.config.v1+json",
            "digest": repository.put_blob(b"{}").unwrap(),
            "size": 2,
        },
        "layers": [{
            "mediaType": "application/vnd.dev.cosign.simplesigning.v1+json",
            "digest": repository.put_blob(payload.as_bytes()).unwrap(),
            "size": payload.len(),
            "annotations": { "dev.cosignproject.cosign/signature": key.sign(payload.as_bytes()) },
        }],
    });
    let tag = format!("sha256-{}.sig", digest.hex());
    repository.put_manifest(Name::Tag(&tag), media_type, manifest.to_string().as_bytes()).unwrap();
    tag
}

#[test]
fn the_older_form_of_cosign() {
    let Some(registry) = Distribution::start(false) else { return };
    let user = user_with_feeds();
    let image = format!("{}/shop/cart:7", registry.address());
    user.run(&["image", "copy", &layout(&user, "image", &alpine("1.36.1-r0")), &image]).ended(0);
    let (ours, theirs) = (Key::new(), Key::new());
    user.write("ours.pub", ours.pem());
    user.write("theirs.pub", theirs.pem());
    let name = image.parse().unwrap();
    let mut access = Access::default();
    access.plain_http = true;
    let repository = Remote::of(&name, &access).unwrap().repository(name.repository()).unwrap();
    let digest = repository.head(Name::Tag("7")).unwrap().digest;
    let payload = json!({
        "critical": {
            "identity": { "docker-reference": "" },
            "image": { "docker-manifest-digest": digest },
            "type": "cosign container image signature",
        },
        "optional": { "signer": "anybody can write this" },
    })
    .to_string();
    attach_older(&repository, &digest, &payload, &ours);
    let verify = |rest: &[&str]| user.run(&[&["verify", &image], rest].concat());
    verify(&["--key", "ours.pub"]).ended(0).said(&["verified: 1 signature", "tag sha256-"]);
    verify(&["--key", "theirs.pub"]).ended(1).said(&["the signature is not right"]);
    verify(&["--key", "theirs.pub", "--key", "ours.pub"]).ended(0);
}

#[test]
fn what_cannot_be_asked() {
    let user = user_with_feeds();
    user.write("not.pub", "no key");
    for (rest, why) in [
        (&[][..], "nobody is believed"),
        (&["--key", "missing.pub"], "missing.pub: No such file"),
        (&["--key", "not.pub"], "not.pub: the public key cannot be read"),
        (&["--certificate-identity", "x"], "together with who vouches for it"),
        (
            &["--certificate-identity", "x", "--certificate-oidc-issuer", "y"],
            "somebody who vouches for its certificate",
        ),
        (&["--certificate-identity-regexp", "(", "--certificate-oidc-issuer", "y"], "is not a pattern"),
        (&["--key", "not.pub", "--trusted-root", "not.pub"], "the trusted root cannot be read"),
    ] {
        user.run(&[&["verify", "127.0.0.1:1/app:1"], rest].concat()).ended(2).complained(&[why]);
    }
}
