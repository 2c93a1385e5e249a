//! Certificates and people whose right signatures do not count. Each has a name in the field.

use boltseal_model::Digest;
use boltseal_trust::{Authority, Form, KeyKind, PrivateKey, Revoked, Who, notary::StoreKind, verify};
use cms::cert::x509::der::{DateTime, asn1::GeneralizedTime};
use rcgen::{CertificateParams, ExtendedKeyUsagePurpose, IsCa, KeyUsagePurpose};
use serde_json::json;
use x509_ocsp::{CertStatus, OcspGeneralizedTime, RevokedInfo};

use super::{
    Believed, at,
    attacks::{AUTHENTIC, SCHEME, believed},
    check,
    made::{self, Made},
    policy,
};

/// Certificates that may not sign images, in a chain that is right but for that.
#[test]
fn certificates_that_are_not_for_this() {
    let image = Digest::of(b"image");
    let with = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = made::leaf();
        change(&mut params);
        Made::of(made::root(), &params)
    };
    let root = |change: &dyn Fn(&mut CertificateParams)| {
        let mut params = made::root();
        change(&mut params);
        Made::of(params, &made::leaf())
    };
    let cases = [
        ("right", with(&|_| {}), Ok("CN=releases")),
        ("no purpose", with(&|p| p.extended_key_usages.clear()), Ok("CN=releases")),
        (
            "for servers",
            with(&|p| p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth]),
            Err("is for something else than code"),
        ),
        (
            "for anything",
            with(&|p| p.extended_key_usages.push(ExtendedKeyUsagePurpose::Any)),
            Err("is for something else than code"),
        ),
        ("no usage", with(&|p| p.key_usages.clear()), Err("does not say what its key is for")),
        (
            "may do more",
            with(&|p| p.key_usages.push(KeyUsagePurpose::KeyEncipherment)),
            Err("may do more than sign"),
        ),
        (
            "may not sign",
            with(&|p| p.key_usages = vec![KeyUsagePurpose::ContentCommitment]),
            Err("may not sign (key usage)"),
        ),
        (
            "over",
            with(&|p| p.not_after = rcgen::date_time_ymd(2026, 10, 1)),
            Err("was valid until 2026-10-01"),
        ),
        (
            "not yet",
            with(&|p| p.not_before = rcgen::date_time_ymd(2026, 12, 1)),
            Err("is valid from 2026-12-01"),
        ),
        ("a root that is none", root(&|p| p.is_ca = IsCa::ExplicitNoCa), Err("is no authority")),
        (
            "a root that may not issue",
            root(&|p| p.key_usages = vec![KeyUsagePurpose::CrlSign]),
            Err("may not sign certificates"),
        ),
        (
            "a root that is over",
            root(&|p| p.not_after = rcgen::date_time_ymd(2026, 10, 1)),
            Err("valid until"),
        ),
    ];
    for (name, made, expected) in cases {
        let envelope = made.jws(&image, |_| {}).to_string();
        check(
            name,
            &believed(&made, &json!({})).verify(Form::NotaryJws, envelope.as_bytes(), &image),
            expected,
        );
    }
}

/// RFC 5280, section 4.2: whoever does not know a critical extension refuses the certificate.
#[test]
fn critical_extensions_that_nobody_knows() {
    let image = Digest::of(b"image");
    for (critical, expected) in
        [(true, Err("has a critical extension that is not known here: 1.2.3.4")), (false, Ok("CN=releases"))]
    {
        let mut extension = rcgen::CustomExtension::from_oid_content(&[1, 2, 3, 4], vec![5, 0]);
        extension.set_criticality(critical);
        let (mut leaf, mut root) = (made::leaf(), made::root());
        leaf.custom_extensions = vec![extension.clone()];
        root.custom_extensions = vec![extension];
        for made in [Made::of(made::root(), &leaf), Made::of(root, &made::leaf())] {
            let envelope = made.jws(&image, |_| {}).to_string();
            let name = if critical { "critical" } else { "not critical" };
            let answer = believed(&made, &json!({})).verify(Form::NotaryJws, envelope.as_bytes(), &image);
            check(name, &answer, expected);
        }
    }
}

#[test]
fn identities() {
    let (made, image) = (Made::new(), Digest::of(b"image"));
    let envelope = made.jws(&image, |_| {}).to_string();
    for (identity, expected) in [
        ("x509.subject: C=US, ST=WA, O=Acme", Ok("CN=releases")),
        ("x509.subject: CN=releases, C=US, ST=WA, O=Acme", Ok("CN=releases")),
        ("x509.subject: C=US, ST=WA, O=Acm", Err("not by `C=US, O=Acm, ST=WA`")),
        ("x509.subject: C=US, ST=WA, O=Acme, OU=x", Err("not by")),
        ("x509.subject: CN=root, C=US, ST=WA, O=Acme", Err("not by")),
    ] {
        let believed = believed(&made, &json!({ "trustedIdentities": [identity] }));
        check(identity, &believed.verify(Form::NotaryJws, envelope.as_bytes(), &image), expected);
    }
}

/// A name, lists, what is to come of the signature, and a part of what is remarked.
type Lists<'l> = (&'l str, Vec<Vec<u8>>, Result<&'l str, &'l str>, &'l str);

#[test]
fn what_authorities_took_back() {
    let (made, other, image) = (Made::new(), Made::new(), Digest::of(b"image"));
    let envelope = made.jws(&image, |_| {}).to_string();
    let at_new_year =
        OcspGeneralizedTime(GeneralizedTime::from_date_time(DateTime::new(2026, 1, 1, 0, 0, 0).unwrap()));
    let revoked = CertStatus::revoked(RevokedInfo { revocation_time: at_new_year, revocation_reason: None });
    let cases: [Lists<'_>; 12] = [
        ("no list", vec![], Ok("CN=releases"), "nobody gave a list"),
        ("not named", vec![made.list(&[1, 2], 2026)], Ok("CN=releases"), ""),
        ("revoked", vec![made.list(&[6, 7], 2026)], Err("the certificate was revoked"), ""),
        ("an old list", vec![made.list(&[6], 2025)], Ok("CN=releases"), "is not of now"),
        ("revoked by an old list", vec![made.list(&[7], 2025)], Err("the certificate was revoked"), ""),
        ("another's list", vec![other.list(&[7], 2026)], Ok("CN=releases"), "is not signed by it"),
        ("good, says OCSP", vec![made.answer(CertStatus::good(), 2026)], Ok("CN=releases"), ""),
        ("revoked, says OCSP", vec![made.answer(revoked, 2026)], Err("the certificate was revoked"), ""),
        (
            "OCSP does not know",
            vec![made.answer(CertStatus::unknown(), 2026)],
            Ok("CN=releases"),
            "does not know",
        ),
        ("an old answer", vec![made.answer(CertStatus::good(), 2025)], Ok("CN=releases"), "is not of now"),
        ("another's answer", vec![other.answer(CertStatus::good(), 2026)], Ok("CN=releases"), "nobody gave"),
        (
            "revoked by one of two",
            vec![made.list(&[1], 2026), made.list(&[7], 2026)],
            Err("the certificate was revoked"),
            "",
        ),
    ];
    for (name, lists, expected, remark) in cases {
        let mut believed = believed(&made, &json!({}));
        for list in lists {
            believed.revoked.add(&list).unwrap();
        }
        let found = believed.verify(Form::NotaryJws, envelope.as_bytes(), &image);
        check(name, &found, expected);
        if let Ok(signed) = &found {
            let told = signed.remarks.join("; ");
            assert_eq!(told.is_empty(), remark.is_empty(), "{name}: {told}");
            assert!(told.contains(remark), "{name}: {told}");
        }
        let logged = json!({ "level": "strict", "override": { "revocation": "log" } });
        believed.policy = policy(&json!({ "signatureVerification": logged }));
        let found = believed.verify(Form::NotaryJws, envelope.as_bytes(), &image).unwrap();
        assert_eq!(
            found.remarks.join("; ").contains("lets it pass: the certificate was revoked"),
            expected.is_err()
        );
    }
}

#[test]
fn lists_of_any_version_and_size() {
    let (made, image) = (Made::new(), Digest::of(b"image"));
    let envelope = made.jws(&image, |_| {}).to_string();
    let extension = |critical: bool| {
        let critical = if critical { vec![1, 1, 0xff] } else { Vec::new() };
        made::tagged(0x30, &[&[6, 3, 0x2a, 3, 4][..], &critical, &[4, 2, 5, 0]].concat())
    };
    let extensions = |critical: bool| made::tagged(0x30, &extension(critical));
    let outer = |critical: bool| made::tagged(0xa0, &extensions(critical));
    // Larger than any of a policy may be in whole, and the number of the leaf is in the middle of it or not at all.
    let many = |leaf: bool| -> Vec<Vec<u8>> {
        let others =
            (0..60_000_u32).map(|number| made::entry(&[&[1][..], &number.to_be_bytes()].concat(), &[]));
        let mut all: Vec<Vec<u8>> = others.collect();
        all.insert(30_000, made::entry(if leaf { &[7] } else { &[0, 0x87] }, &[]));
        all
    };
    assert!(made.plain_list(None, &many(true), &[]).len() > 1 << 20);
    let (good, bad) = (Ok("CN=releases"), Err("the certificate was revoked"));
    for (name, version, entries, behind, expected, remark) in [
        ("version 1", None, vec![made::entry(&[1], &[]), made::entry(&[6], &[])], vec![], good, ""),
        ("revoked in version 1", None, vec![made::entry(&[7], &[])], vec![], bad, ""),
        ("nobody", Some(1), vec![], vec![], good, ""),
        ("many", None, many(false), vec![], good, ""),
        ("one of many", None, many(true), vec![], bad, ""),
        ("one of many in version 2", Some(1), many(true), outer(false), bad, ""),
        (
            "another length",
            None,
            vec![made::entry(&[0, 0x87], &[]), made::entry(&[7, 0], &[])],
            vec![],
            good,
            "",
        ),
        ("an entry with a reason", Some(1), vec![made::entry(&[7], &extensions(false))], vec![], bad, ""),
        (
            "an entry of somebody else",
            Some(1),
            vec![made::entry(&[6], &extensions(true))],
            vec![],
            good,
            "(1.2.3.4)",
        ),
        ("a part", Some(1), vec![made::entry(&[7], &[])], outer(true), good, "(1.2.3.4)"),
    ] {
        let mut believed = believed(&made, &json!({}));
        believed.revoked.add(&made.plain_list(version, &entries, &behind)).unwrap();
        assert_eq!(believed.revoked.len(), entries.len(), "{name}");
        let found = believed.verify(Form::NotaryJws, envelope.as_bytes(), &image);
        check(name, &found, expected);
        let told = found.map(|signed| signed.remarks.join("; ")).unwrap_or_default();
        assert!(told.is_empty() == remark.is_empty() && told.contains(remark), "{name}: {told}");
    }
    // By whoever signed it: the other has the same name.
    let mut mixed = believed(&made, &json!({}));
    mixed.revoked.add(&Made::new().plain_list(None, &[made::entry(&[7], &[])], &[])).unwrap();
    let found = mixed.verify(Form::NotaryJws, envelope.as_bytes(), &image);
    check("another's list of version 1", &found, good);
    assert!(found.unwrap().remarks.join("; ").contains("is not signed by it"));
}

#[test]
fn lists_that_are_none() {
    let made = Made::new();
    let extension = [6, 3, 0x2a, 3, 4, 4, 2, 5, 0];
    let extensions = made::tagged(0x30, &made::tagged(0x30, &extension));
    let outer = made::tagged(0xa0, &extensions);
    let seven = || made::entry(&[7], &[]);
    for (what, list) in [
        ("version 3", made.plain_list(Some(2), &[seven()], &[])),
        ("version 1 that says so", made.plain_list(Some(0), &[seven()], &[])),
        ("version 1 with extensions", made.plain_list(None, &[seven()], &outer)),
        (
            "version 1 with extensions of an entry",
            made.plain_list(None, &[made::entry(&[7], &extensions)], &[]),
        ),
        ("an entry without a time", made.plain_list(None, &[made::tagged(0x30, &[2, 1, 7])], &[])),
        ("an entry that is none", made.plain_list(None, &[vec![2, 1, 7]], &[])),
        ("an entry cut off", made.plain_list(None, &[vec![0x30, 9, 2, 1, 7]], &[])),
        ("something behind", made.plain_list(None, &[seven()], &[5, 0])),
        ("cut off", made.plain_list(None, &[seven()], &[])[..60].to_vec()),
        ("with a tail", [made.plain_list(None, &[seven()], &[]), vec![5, 0]].concat()),
        ("too large", vec![0x30; 100 << 20]),
    ] {
        assert!(Revoked::default().add(&list).is_err(), "{what}");
    }
}

#[test]
fn a_service_that_signs_for_others() {
    let (made, image) = (Made::new(), Digest::of(b"image"));
    let signed_at = |time: &str| {
        let envelope = made.jws(&image, |p| {
            p.as_object_mut().unwrap().remove("io.cncf.notary.signingTime");
            p[SCHEME] = json!("notary.x509.signingAuthority");
            p[AUTHENTIC] = json!(time);
            p["crit"] = json!([SCHEME, AUTHENTIC]);
        });
        let believed = Believed {
            policy: policy(&json!({ "trustStores": ["signingAuthority:acme"] })),
            stores: vec![(StoreKind::SigningAuthority, made.root.clone())],
            revoked: Revoked::default(),
            now: at("2030-01-01T00:00:00Z"),
        };
        believed.verify(Form::NotaryJws, envelope.to_string().as_bytes(), &image)
    };
    let found = signed_at("2026-10-01T00:00:00Z");
    check("while it was valid", &found, Ok("CN=releases"));
    assert_eq!(found.unwrap().at, [at("2026-10-01T00:00:00Z")]);
    check("afterwards", &signed_at("2029-10-01T00:00:00Z"), Err("was valid until 2027-01-01"));

    // Let pass without being believed, it proves no time.
    let envelope = made.jws(&image, |p| {
        p.as_object_mut().unwrap().remove("io.cncf.notary.signingTime");
        p[SCHEME] = json!("notary.x509.signingAuthority");
        p[AUTHENTIC] = json!("2026-10-01T00:00:00Z");
        p["crit"] = json!([SCHEME, AUTHENTIC]);
    });
    let audit =
        json!({ "trustStores": ["signingAuthority:acme"], "signatureVerification": { "level": "audit" } });
    let mut believed = believed(&made, &audit);
    believed.stores = vec![(StoreKind::SigningAuthority, Made::new().root)];
    let found = believed.verify(Form::NotaryJws, envelope.to_string().as_bytes(), &image).unwrap();
    assert!(found.at.is_empty() && found.remarks[0].contains("is in a trust store"), "{found:?}");
}

#[test]
fn somebody_who_is_known_otherwise() {
    let (made, image) = (Made::new(), Digest::of(b"image"));
    let envelope = made.jws(&image, |_| {}).to_string();
    let evidence = boltseal_trust::Evidence {
        form: Form::NotaryJws,
        bytes: envelope.as_bytes(),
        annotations: &std::collections::BTreeMap::new(),
    };
    let (_, key) = PrivateKey::generate(KeyKind::EcdsaP256, "").unwrap();
    let holder = Authority::new("key", Who::key(key));
    let refusal = verify(&evidence, &image, &[holder]).unwrap_err().to_string();
    assert!(refusal.contains("signed by a certificate of Notary Project, not by a key"), "{refusal}");
}
