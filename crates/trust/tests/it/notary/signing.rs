//! Envelopes that are made by [`Holder`], read by who verifies.

use boltseal_model::Digest;
use boltseal_trust::{
    Certificate, Form, KeyFile, PrivateKey, Revoked,
    notary::{Holder, StoreKind, Target},
};
use rcgen::{
    CertificateParams, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384,
    PKCS_ECDSA_P521_SHA512, PKCS_ED25519, SignatureAlgorithm, date_time_ymd,
};
use serde_json::json;

use super::{Believed, NOW, at, check, made, policy};

/// A key, its certificate and the root above it.
struct Chain {
    key: PrivateKey,
    leaf: Certificate,
    root: Certificate,
}

fn chain(algorithm: &'static SignatureAlgorithm, leaf: &CertificateParams) -> Chain {
    let (below, above) =
        (KeyPair::generate_for(algorithm).unwrap(), KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap());
    of(&below, above, leaf)
}

fn of(below: &KeyPair, above: KeyPair, leaf: &CertificateParams) -> Chain {
    let key = KeyFile::parse(&below.serialize_pem()).unwrap().open("").unwrap();
    let params = made::root();
    let root = Certificate::from_der(params.self_signed(&above).unwrap().der()).unwrap();
    let issuer = Issuer::new(params, above);
    let leaf = Certificate::from_der(leaf.signed_by(below, &issuer).unwrap().der()).unwrap();
    Chain { key, leaf, root }
}

fn target(image: &Digest) -> Target<'_> {
    Target { media_type: "application/vnd.oci.image.manifest.v1+json", digest: image, size: 528 }
}

#[test]
fn what_a_holder_signs_verifies() {
    let image = Digest::of(b"image");
    let rsa = KeyPair::from_pem(include_str!("../../data/rsa.key")).unwrap();
    let above = || KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    for (name, chain) in [
        ("ES256", chain(&PKCS_ECDSA_P256_SHA256, &made::leaf())),
        ("ES384", chain(&PKCS_ECDSA_P384_SHA384, &made::leaf())),
        ("ES512", chain(&PKCS_ECDSA_P521_SHA512, &made::leaf())),
        ("PS256", of(&rsa, above(), &made::leaf())),
    ] {
        // In the wrong order, and with one that has nothing to do with it.
        let stranger = self::chain(&PKCS_ECDSA_P256_SHA256, &made::leaf()).root;
        let given = [chain.root.clone(), stranger, chain.leaf.clone()];
        let holder = Holder::new(&chain.key, &given, at(NOW)).unwrap();
        assert_eq!(holder.thumbprints().len(), 2, "{name}");
        for form in [Form::NotaryJws, Form::NotaryCose] {
            let believed = |now: &str| Believed {
                policy: policy(&json!({ "trustedIdentities": ["x509.subject: C=US, ST=WA, O=Acme"] })),
                stores: vec![(StoreKind::Authority, chain.root.der().to_vec())],
                revoked: Revoked::default(),
                now: at(now),
            };
            let draft = holder.sign(form, target(&image), at(NOW), None).unwrap();
            let envelope = draft.finish(None).unwrap();
            assert_eq!(Form::of_bytes(&envelope), form, "{name}");
            let told = format!("{name} {form:?}");
            check(&told, &believed(NOW).verify(form, &envelope, &image), Ok("CN=releases"));
            let replayed = believed(NOW).verify(form, &envelope, &Digest::of(b"another"));
            check(&told, &replayed, Err("it was signed for sha256:"));

            let until = "2026-11-02T12:00:00Z";
            let draft = holder.sign(form, target(&image), at(NOW), Some(at(until))).unwrap();
            let envelope = draft.finish(None).unwrap();
            check(&told, &believed(NOW).verify(form, &envelope, &image), Ok("CN=releases"));
            let later = believed("2026-11-03T00:00:00Z").verify(form, &envelope, &image);
            check(&told, &later, Err("it expired at 2026-11-02T12:00:00Z"));
        }
        let expired = holder.sign(Form::NotaryJws, target(&image), at(NOW), Some(at(NOW))).unwrap_err();
        assert!(expired.to_string().contains("would expire before"), "{expired}");
        holder.sign(Form::Bundle, target(&image), at(NOW), None).unwrap_err();
    }
}

#[test]
fn what_would_be_refused_is_not_signed() {
    let right = chain(&PKCS_ECDSA_P256_SHA256, &made::leaf());
    let other = chain(&PKCS_ECDSA_P256_SHA256, &made::leaf());
    let server = {
        let mut params = made::leaf();
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ServerAuth];
        chain(&PKCS_ECDSA_P256_SHA256, &params)
    };
    let old = {
        let mut params = made::leaf();
        params.not_after = date_time_ymd(2026, 2, 1);
        chain(&PKCS_ECDSA_P256_SHA256, &params)
    };
    let edwards = chain(&PKCS_ED25519, &made::leaf());
    for (name, key, certificates, why) in [
        ("none", &right.key, vec![], "none of them is of this key"),
        ("of another key", &right.key, vec![&other.leaf, &other.root], "none of them is of this key"),
        ("without its root", &right.key, vec![&right.leaf], "the chain must reach a root"),
        ("with another root", &right.key, vec![&right.leaf, &other.root], "the chain must reach a root"),
        ("for servers", &server.key, vec![&server.leaf, &server.root], "is for something else than code"),
        ("that ran out", &old.key, vec![&old.leaf, &old.root], "was valid until 2026-02-01"),
        (
            "of a kind that is not known",
            &edwards.key,
            vec![&edwards.leaf, &edwards.root],
            "signs nothing in Notary",
        ),
    ] {
        let given: Vec<Certificate> = certificates.into_iter().cloned().collect();
        let told = Holder::new(key, &given, at(NOW)).unwrap_err().to_string();
        assert!(told.contains(why), "{name}: {told}");
    }
}
