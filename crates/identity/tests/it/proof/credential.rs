//! Secrets, passwords, one-time passwords and recovery codes.

use boltseal_identity::{
    Credentials,
    credential::{Certificate, CertificateError, CredentialError, MAX_CERTIFICATES, verify_secret},
    password::{self, PasswordError, PasswordHash},
    seal::{Keys, Purpose, RootKey, SealError},
    secret::{Secret, StoredSecret},
    totp::{SealedTotp, Step, Totp},
};
use boltseal_model::Timestamp;
use uuid::Uuid;

use super::at;

#[test]
fn a_secret_works_until_it_expires_and_no_other_does() {
    let secret = Secret::generate().unwrap();
    let stored = StoredSecret::new(&secret, at(0), Some(at(100))).unwrap();
    assert!(stored.verify(secret.expose(), at(99)));
    assert!(!stored.verify(secret.expose(), at(100)), "expired");
    let other = Secret::generate().unwrap();
    let long = "x".repeat(1 << 20);
    for guess in ["", "bsl_", other.expose(), &secret.expose()[1..], &format!("{} ", secret.expose()), &long]
    {
        assert!(!stored.verify(guess, at(0)), "{guess}");
    }
    assert_eq!(secret.expose().len(), 47);
    assert_eq!(stored.hint(), &secret.expose()[4..8]);
}

#[test]
fn nothing_secret_is_printed_or_kept() {
    let mut credentials = Credentials::default();
    let secret = credentials.add_secret(at(0), None).unwrap();
    let codes = credentials.renew_recovery().unwrap();
    credentials.password = Some(PasswordHash::new("ann", "four words that fit").unwrap());
    let keys = Keys::new(&RootKey::generate().unwrap(), None).unwrap();
    let totp = Totp::generate().unwrap();
    credentials.totp = Some(totp.seal(&keys, Uuid::nil()).unwrap());
    let json = serde_json::to_string(&credentials).unwrap();
    let debug = format!("{credentials:?} {secret:?} {codes:?} {totp:?} {keys:?}");
    for hidden in [secret.expose(), totp.text().expose(), codes[0].expose(), "four words that fit"] {
        assert!(!json.contains(hidden) && !debug.contains(hidden), "{hidden} is shown");
    }
    assert!(!debug.contains("argon2"), "the hash is shown");
    let again: Credentials = serde_json::from_str(&json).unwrap();
    assert_eq!(again, credentials);
    assert_eq!(serde_json::to_string(&Credentials::default()).unwrap(), "{}");
    assert!(serde_json::from_str::<Credentials>("{\"surprise\":1}").is_err());
}

#[test]
fn two_slots_rotate() {
    let mut credentials = Credentials::default();
    let first = credentials.add_secret(at(0), None).unwrap();
    let second = credentials.add_secret(at(1), None).unwrap();
    assert!(matches!(credentials.add_secret(at(2), None), Err(CredentialError::TooManySecrets)));
    let works =
        |credentials: &Credentials, secret: &Secret| verify_secret(Some(credentials), secret.expose(), at(3));
    assert!(works(&credentials, &first).is_some() && works(&credentials, &second).is_some());
    let third = credentials.rotate_secret(at(2), None).unwrap();
    assert!(works(&credentials, &first).is_none(), "the oldest is let go");
    assert_eq!(works(&credentials, &second), Some(credentials.secrets[0].id()));
    assert_eq!(works(&credentials, &third), Some(credentials.secrets[1].id()));
    let id = credentials.secrets[0].id();
    assert!(credentials.remove_secret(id) && !credentials.remove_secret(id));
    assert!(works(&credentials, &second).is_none());
    assert_eq!(verify_secret(None, third.expose(), at(3)), None);
}

#[test]
fn passwords_that_are_tried_first_are_refused() {
    let check = |password: &str, wanted: Result<(), PasswordError>| {
        assert_eq!(password::check("annabel", password), wanted, "{password}");
    };
    check("short", Err(PasswordError::TooShort { found: 5 }));
    check("eleven char", Err(PasswordError::TooShort { found: 11 }));
    check("ÄÖÜäöüß ÄÖÜÄ", Ok(()));
    check(&"long word ".repeat(26), Err(PasswordError::TooLong { found: 260 }));
    check("abababababababab", Err(PasswordError::TooUniform { found: 2 }));
    check("Annabel12345", Err(PasswordError::LikeName));
    check("annabelANNABEL", Err(PasswordError::LikeName));
    check("Password1234", Err(PasswordError::Common));
    check("qwertyuiop123", Err(PasswordError::Common));
    check("annabel buys seven pears", Ok(()));
}

#[test]
fn a_password_is_verified_also_where_nobody_has_one() {
    let hash = PasswordHash::new("ann", "three pears and a plum").unwrap();
    assert!(hash.verify("three pears and a plum") && !hash.needs_rehash());
    for guess in ["", "three pears and a plum ", "Three pears and a plum", &"x".repeat(10_000)] {
        assert!(!hash.verify(guess), "{guess}");
    }
    assert!(password::verify(Some(&hash), "three pears and a plum"));
    assert!(!password::verify(None, "three pears and a plum"));
    let json = serde_json::to_string(&hash).unwrap();
    assert!(json.contains("$argon2id$v=19$m=19456,t=2,p=1$"), "{json}");
    assert!(serde_json::from_str::<PasswordHash>(&json).unwrap().verify("three pears and a plum"));
}

#[test]
fn stored_hashes_are_read_with_care() {
    let check = |text: &str, wanted: Option<bool>| {
        let json = serde_json::to_string(text).unwrap();
        let read = serde_json::from_str::<PasswordHash>(&json).ok();
        assert_eq!(read.map(|hash| hash.needs_rehash()), wanted, "{text}");
    };
    let rest = "$c29tZXNhbHRzb21lc2FsdA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    check(&format!("$argon2id$v=19$m=19456,t=2,p=1{rest}"), Some(false));
    check(&format!("$argon2id$v=19$m=12288,t=3,p=1{rest}"), Some(true));
    check(&format!("$argon2id$v=19$m=4194304,t=2,p=1{rest}"), None);
    check(&format!("$argon2id$v=19$m=19456,t=4000000,p=1{rest}"), None);
    check(&format!("$argon2i$v=19$m=19456,t=2,p=1{rest}"), None);
    check(&format!("$argon2id$v=16$m=19456,t=2,p=1{rest}"), None);
    check("$argon2id$", None);
    check("", None);
    check(&"$".repeat(1000), None);
}

/// RFC 6238 appendix B, SHA-1; the RFC has eight digits, of which ours are the last six.
#[test]
fn one_time_passwords_are_those_of_the_rfc() {
    let totp = Totp::new(*b"12345678901234567890");
    for (second, eight) in [
        (59, "94287082"),
        (1_111_111_109, "07081804"),
        (1_111_111_111, "14050471"),
        (1_234_567_890, "89005924"),
        (2_000_000_000, "69279037"),
        (20_000_000_000, "65353130"),
    ] {
        let now = Timestamp::from_second(second).unwrap();
        assert_eq!(totp.check(&eight[2..], None, now), Some(Step(second / 30)), "{second}");
    }
}

#[test]
fn a_code_works_for_three_steps_and_once() {
    let totp = Totp::new(*b"12345678901234567890");
    let second = |second| Timestamp::from_second(second).unwrap();
    let check = |code: &str, last: Option<i64>, now: i64, wanted: Option<i64>| {
        let found = totp.check(code, last.map(Step), second(now));
        assert_eq!(found, wanted.map(Step), "{code} after {last:?} at {now}");
    };
    // The code of step 1, from 30 to 60.
    check("287082", None, 0, Some(1));
    check("287 082", None, 89, Some(1));
    check("287082", None, 90, None);
    check("287082", Some(0), 59, Some(1));
    check("287082", Some(1), 59, None);
    check("287082", Some(2), 59, None);
    for wrong in ["", "287083", "28708", "2870820", "94287082", &"1".repeat(100_000)] {
        check(wrong, None, 59, None);
    }
}

#[test]
fn enrolling_gives_a_uri_for_authenticators() {
    let totp = Totp::new(*b"12345678901234567890");
    let seed = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    assert_eq!(totp.text().expose(), seed);
    assert_eq!(
        totp.uri("Boltseal at home", "ann@example.com").expose(),
        format!(
            "otpauth://totp/Boltseal%20at%20home:ann%40example.com?secret={seed}&issuer=Boltseal%20at%20home\
             &algorithm=SHA1&digits=6&period=30"
        )
    );
}

#[test]
fn a_seed_is_sealed_for_its_principal() {
    let (old, new) = (RootKey::generate().unwrap(), RootKey::generate().unwrap());
    let keys = Keys::new(&old, None).unwrap();
    let (ann, bob) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let totp = Totp::generate().unwrap();
    let sealed = totp.seal(&keys, ann).unwrap();
    assert_eq!(sealed.open(&keys, ann).unwrap().text().expose(), totp.text().expose());
    assert_eq!(sealed.open(&keys, bob).unwrap_err(), SealError::NotOurs);
    let rotated = Keys::new(&new, Some(&old)).unwrap();
    assert!(sealed.open(&rotated, ann).is_ok(), "rotated once");
    let of_old = keys.seal(Purpose::Setting, b"text", b"of it").unwrap();
    assert!(keys.is_current(Purpose::Setting, &of_old, b"of it"));
    assert!(!keys.is_current(Purpose::Setting, &of_old, b"of another"));
    assert!(rotated.open(Purpose::Setting, &of_old, b"of it").is_ok(), "it opens, but is to be sealed again");
    assert!(!rotated.is_current(Purpose::Setting, &of_old, b"of it"));
    assert_eq!(sealed.open(&Keys::new(&new, None).unwrap(), ann).unwrap_err(), SealError::NotOurs);
    for broken in ["\"\"", "\"AAAA\"", "\"*\""] {
        let broken: SealedTotp = serde_json::from_str(broken).unwrap();
        assert_eq!(broken.open(&keys, ann).unwrap_err(), SealError::NotOurs);
    }
}

#[test]
fn a_recovery_code_works_once() {
    let mut credentials = Credentials::default();
    let codes = credentials.renew_recovery().unwrap();
    assert_eq!(codes.len(), 10);
    let typed = codes[3].expose().to_lowercase().replace('-', " ").replace('0', "o");
    assert!(credentials.use_recovery(&typed));
    assert!(!credentials.use_recovery(codes[3].expose()), "twice");
    assert_eq!(credentials.recovery.len(), 9);
    for wrong in ["", "0000-0000-0000-0000", &codes[4].expose()[1..], &"0".repeat(100_000)] {
        assert!(!credentials.use_recovery(wrong), "{wrong}");
    }
    credentials.renew_recovery().unwrap();
    assert!(!credentials.use_recovery(codes[4].expose()), "of the set before");
}

#[test]
fn certificates_are_checked_when_registered() {
    let mut params = rcgen::CertificateParams::new(vec!["client".to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    let made = |params: &rcgen::CertificateParams, algorithm| {
        let pair = rcgen::KeyPair::generate_for(algorithm).unwrap();
        params.self_signed(&pair).unwrap()
    };
    let p256 = made(&params, &rcgen::PKCS_ECDSA_P256_SHA256);
    let from_pem = Certificate::parse(p256.pem().as_bytes(), at(0)).unwrap();
    assert_eq!(from_pem, Certificate::parse(p256.der(), at(0)).unwrap());
    assert_eq!(from_pem.der(), p256.der().as_ref());
    assert_eq!(from_pem.expires(), "2030-01-01T00:00:00Z".parse().unwrap());

    let ed25519 = made(&params, &rcgen::PKCS_ED25519);
    assert!(matches!(Certificate::parse(ed25519.der(), at(0)), Err(CertificateError::Key { .. })));
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let over = made(&params, &rcgen::PKCS_ECDSA_P256_SHA256);
    assert!(matches!(Certificate::parse(over.der(), at(0)), Err(CertificateError::Validity { .. })));
    let huge = vec![0; 100_000];
    for broken in [&b""[..], b"-----BEGIN CERTIFICATE-----", &p256.der()[..100], &huge] {
        assert!(Certificate::parse(broken, at(0)).is_err());
    }

    let mut credentials = Credentials::default();
    credentials.add_certificate(from_pem.clone()).unwrap();
    assert!(matches!(credentials.add_certificate(from_pem.clone()), Err(CredentialError::Repeated { .. })));
    params.not_after = rcgen::date_time_ymd(2030, 1, 1);
    for _ in 1..MAX_CERTIFICATES {
        let more = made(&params, &rcgen::PKCS_ECDSA_P256_SHA256);
        credentials.add_certificate(Certificate::parse(more.der(), at(0)).unwrap()).unwrap();
    }
    let more = Certificate::parse(made(&params, &rcgen::PKCS_ECDSA_P256_SHA256).der(), at(0)).unwrap();
    assert_eq!(credentials.add_certificate(more), Err(CredentialError::TooManyCertificates));
    let json = serde_json::to_string(&credentials).unwrap();
    assert_eq!(serde_json::from_str::<Credentials>(&json).unwrap(), credentials);
    assert!(credentials.remove_certificate(from_pem.thumbprint()));
    assert!(!credentials.remove_certificate(from_pem.thumbprint()));
}
