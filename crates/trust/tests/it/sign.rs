//! Keys, files of keys, and bundles that are made with them.

use boltseal_model::Digest;
use boltseal_trust::{KeyError, KeyFile, KeyKind, PrivateKey, Statement, sign};
use serde_json::{Value, json};

use super::{holder, verified};

/// Of no worth: made by `cosign generate-key-pair` (3.0) for this test, under the password `correct horse`.
const COSIGN_KEY: &str = include_str!("../data/cosign.key");
const COSIGN_PUB: &str = include_str!("../data/cosign.pub");

/// `openssl ecparam -name secp384r1 -genkey -noout` writes SEC 1, `openssl genpkey` PKCS#8; of no worth either.
const SEC1: &str = include_str!("../data/sec1.key");
const ED25519: &str = include_str!("../data/ed25519.key");
const RSA: &str = include_str!("../data/rsa.key");

fn provenance() -> Statement {
    let predicate = json!({ "buildDefinition": { "buildType": "https://example.com/make" } });
    Statement { predicate_type: "https://slsa.dev/provenance/v1".to_owned(), predicate }
}

#[test]
fn what_is_signed_verifies() {
    let image = Digest::of(b"image");
    for kind in [KeyKind::EcdsaP256, KeyKind::EcdsaP384, KeyKind::Ed25519] {
        let (file, public) = PrivateKey::generate(kind, "correct horse").unwrap();
        assert!(file.starts_with("-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\n"), "{kind:?}");
        let file = KeyFile::parse(&file).unwrap();
        assert!(file.is_sealed());
        assert_eq!(file.open("wrong horse").unwrap_err(), KeyError::Password);
        let key = file.open("correct horse").unwrap();
        assert_eq!(key.public().digest(), public.digest());
        assert_eq!(public.to_pem().parse::<boltseal_trust::PublicKey>().unwrap().digest(), public.digest());
        let debug = format!("{key:?} {file:?}");
        assert!(
            debug.starts_with("PrivateKey(of PublicKey(") && debug.ends_with("KeyFile(sealed)"),
            "{debug}"
        );

        let bundle = sign(&Statement::signature(), &image, None, &key).unwrap();
        let signed = verified(&bundle, &image, &[holder(&public)]).unwrap();
        assert!(signed.statement.is_none() && signed.remarks.is_empty(), "{kind:?}: {signed:?}");
        let bundle = sign(&provenance(), &image, Some("registry.example.com/app"), &key).unwrap();
        let signed = verified(&bundle, &image, &[holder(&public)]).unwrap();
        assert_eq!(signed.statement, Some(provenance()), "{kind:?}");
        let refusal = verified(&bundle, &Digest::of(b"another"), &[holder(&public)]).unwrap_err();
        assert!(refusal.to_string().starts_with("it was signed for sha256:"), "{refusal}");
        let (_, stranger) = PrivateKey::generate(kind, "").unwrap();
        let refusal = verified(&bundle, &image, &[holder(&stranger)]).unwrap_err();
        assert!(refusal.to_string().contains("the signature is not right"), "{refusal}");
    }
}

#[test]
fn keys_of_other_programs() {
    let key = KeyFile::parse(COSIGN_KEY).unwrap().open("correct horse").unwrap();
    let public: boltseal_trust::PublicKey = COSIGN_PUB.parse().unwrap();
    assert_eq!(key.public().digest(), public.digest());
    for text in [SEC1, ED25519, RSA] {
        let file = KeyFile::parse(text).unwrap();
        assert!(!file.is_sealed());
        let key = file.open("not needed").unwrap();
        let image = Digest::of(b"image");
        let bundle = sign(&Statement::signature(), &image, None, &key).unwrap();
        verified(&bundle, &image, &[holder(key.public())]).unwrap();
    }
}

#[test]
fn files_that_hold_no_key() {
    let open = |text: &str| match KeyFile::parse(text).and_then(|file| file.open("correct horse")) {
        Ok(key) => panic!("{key:?} in {text}"),
        Err(why) => why.to_string(),
    };
    for (text, why) in [
        ("", "there is no block of PEM"),
        (COSIGN_PUB, "a block `PUBLIC KEY` is not a private key"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n", "has no end"),
        ("-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----", "is not base64"),
        (
            "-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n-----END EC PRIVATE KEY-----",
            "has headers",
        ),
        (&"x".repeat(100_000), "bytes are more than"),
    ] {
        let said = open(text);
        assert!(said.contains(why), "{why}: {said}");
    }
}

/// [`COSIGN_KEY`] with `change` made to its JSON.
fn changed(change: impl Fn(&mut Value)) -> String {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let inside: String = COSIGN_KEY.lines().filter(|line| !line.starts_with('-')).collect();
    let mut json: Value = serde_json::from_slice(&STANDARD.decode(inside).unwrap()).unwrap();
    change(&mut json);
    let label = "ENCRYPTED COSIGN PRIVATE KEY";
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(json.to_string()))
}

/// Its name, what is done to the file, and a part of the refusal.
type Change<'c> = (&'c str, Box<dyn Fn(&mut Value) + 'c>, &'c str);

#[test]
fn sealed_keys_that_somebody_changed() {
    let open = |text: &str| KeyFile::parse(text).and_then(|file| file.open("correct horse"));
    open(&changed(|_| {})).unwrap();
    let flipped = |json: &mut Value| {
        let text = json["ciphertext"].as_str().unwrap();
        let other = if text.starts_with('A') { "B" } else { "A" };
        json["ciphertext"] = json!(format!("{other}{}", &text[1..]));
    };
    let cases: [Change<'_>; 8] = [
        ("flipped", Box::new(flipped), "the password of the private key is wrong, or its file was changed"),
        ("cut", Box::new(|json| json["ciphertext"] = json!("AAAA")), "too short"),
        ("cheap to guess", Box::new(|json| json["kdf"]["params"]["N"] = json!(2)), "parameters of scrypt"),
        (
            "all memory",
            Box::new(|json| json["kdf"]["params"]["N"] = json!(1_u64 << 40)),
            "parameters of scrypt",
        ),
        ("all time", Box::new(|json| json["kdf"]["params"]["p"] = json!(1_000_000)), "parameters of scrypt"),
        (
            "no power of two",
            Box::new(|json| json["kdf"]["params"]["N"] = json!(65_537)),
            "parameters of scrypt",
        ),
        (
            "another cipher",
            Box::new(|json| json["cipher"]["name"] = json!("rot13")),
            "a key under `scrypt` and `rot13`",
        ),
        ("a short nonce", Box::new(|json| json["cipher"]["nonce"] = json!("AAAA")), "too short"),
    ];
    for (name, change, why) in cases {
        let said = open(&changed(change)).unwrap_err().to_string();
        assert!(said.contains(why), "{name}: {said}");
    }
}
