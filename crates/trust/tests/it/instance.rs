//! A sigstore instance of our own: an authority with a log of certificates, and a log of signatures.

use std::{sync::Arc, time::Duration};

use aws_lc_rs::{
    digest::{SHA256, digest},
    encoding::{AsDer as _, PublicKeyX509Der},
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use boltseal_model::Digest;
use boltseal_trust::Root;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, KeyUsagePurpose, PublicKeyData, SanType, SerialNumber, date_time_ymd,
};
use serde_json::{Value, json};

/// Who may sign, says the issuer.
pub const SUBJECT: &str = "https://ci.example.com/acme/app/build.yml@refs/heads/main";
pub const ISSUER: &str = "https://ci.example.com";
/// 2025-01-01T06:00:00Z, within the certificate's day.
pub const SIGNED: i64 = 1_735_711_200;
/// 2025-01-01T00:00:00Z.
const DAY: u64 = 1_735_689_600;

/// A key, with what it is called.
pub struct Log {
    pair: EcdsaKeyPair,
}

impl Log {
    fn new() -> Self {
        Self { pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap() }
    }

    fn spki(&self) -> Vec<u8> {
        let der: PublicKeyX509Der<'_> = self.pair.public_key().as_der().unwrap();
        der.as_ref().to_vec()
    }

    pub fn id(&self) -> Vec<u8> {
        sha256(&self.spki())
    }

    pub fn sign(&self, bytes: &[u8]) -> Vec<u8> {
        self.pair.sign(&SystemRandom::new(), bytes).unwrap().as_ref().to_vec()
    }

    fn told(&self) -> Value {
        json!({
            "baseUrl": "https://log.example.com",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": STANDARD.encode(self.spki()),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": { "start": "2024-01-01T00:00:00Z" },
            },
            "logId": { "keyId": STANDARD.encode(self.id()) },
        })
    }
}

/// All of it.
pub struct Instance {
    authority: Issuer<'static, KeyPair>,
    authority_der: Vec<u8>,
    authority_spki: Vec<u8>,
    certificates: Log,
    pub entries: Log,
}

/// Somebody who has a certificate for minutes.
pub struct Signer {
    pair: EcdsaKeyPair,
    /// In PEM.
    pub certificate: String,
}

impl Signer {
    /// The holder of a key, who has that in PEM instead of a certificate.
    pub fn keyed() -> Self {
        let log = Log::new();
        let encoded = STANDARD.encode(log.spki());
        let certificate = format!("-----BEGIN PUBLIC KEY-----\n{encoded}\n-----END PUBLIC KEY-----\n");
        Self { pair: log.pair, certificate }
    }

    /// The signature over `bytes`, in base64.
    pub fn sign(&self, bytes: &[u8]) -> String {
        STANDARD.encode(self.pair.sign(&SystemRandom::new(), bytes).unwrap())
    }
}

pub fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest(&SHA256, bytes).as_ref().to_vec()
}

pub fn hex(bytes: &[u8]) -> String {
    Digest::of_sha256(bytes).unwrap().hex()
}

impl Instance {
    pub fn new() -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::OrganizationName, "acme");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        params.not_before = date_time_ymd(2024, 1, 1);
        params.not_after = date_time_ymd(2034, 1, 1);
        let authority_der = params.self_signed(&key).unwrap().der().to_vec();
        let authority_spki = rcgen::PublicKeyData::subject_public_key_info(&key);
        let authority = Issuer::new(params, key);
        Self { authority, authority_der, authority_spki, certificates: Log::new(), entries: Log::new() }
    }

    /// What believes it.
    pub fn root(&self) -> Arc<Root> {
        Arc::new(Root::parse(&self.root_with(&[]).to_string()).unwrap())
    }

    /// The file of that, with clocks.
    pub fn root_with(&self, clocks: &[Value]) -> Value {
        json!({
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.entries.told()],
            "ctlogs": [self.certificates.told()],
            "certificateAuthorities": [{
                "subject": { "organization": "acme", "commonName": "acme" },
                "uri": "https://ca.example.com",
                "certChain": { "certificates": [{ "rawBytes": STANDARD.encode(&self.authority_der) }] },
                "validFor": { "start": "2024-01-01T00:00:00Z" },
            }],
            "timestampAuthorities": clocks,
        })
    }

    /// Gives somebody a certificate, which the log of certificates has seen.
    pub fn signer(&self) -> Signer {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let certificate = self.certify(&key, DAY);
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key.serialized_der()).unwrap();
        Signer { pair, certificate }
    }

    /// A certificate for this key, valid for a day from this second on, in PEM.
    pub fn certify(&self, key: &impl PublicKeyData, from: u64) -> String {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.subject_alt_names = vec![SanType::URI(SUBJECT.try_into().unwrap())];
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::CodeSigning];
        params.serial_number = Some(SerialNumber::from(7_u64));
        params.not_before = date_time_ymd(1970, 1, 1) + Duration::from_secs(from);
        params.not_after = params.not_before + Duration::from_hours(24);
        // Fulcio's OID for who vouches: a UTF8String.
        let issuer = [&[0x0c, u8::try_from(ISSUER.len()).unwrap()], ISSUER.as_bytes()].concat();
        let issuer = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 57_264, 1, 8], issuer);
        params.custom_extensions.push(issuer);
        let plain = params.signed_by(key, &self.authority).unwrap();
        let seen = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 11_129, 2, 4, 2], self.seen(&plain));
        params.custom_extensions.push(seen);
        params.signed_by(key, &self.authority).unwrap().pem()
    }

    /// A timestamp of the log of certificates (RFC 6962, section 3.2) over the certificate without it, in its extension.
    fn seen(&self, plain: &Certificate) -> Vec<u8> {
        let signed = first_inside(plain.der());
        let at = u64::try_from(SIGNED * 1000).unwrap().to_be_bytes();
        let length = u32::try_from(signed.len()).unwrap().to_be_bytes();
        let entry = [&[0, 1][..], &sha256(&self.authority_spki), &length[1..], signed, &[0, 0]].concat();
        let signature = self.certificates.sign(&[&[0, 0][..], &at, &entry].concat());
        let counted =
            |bytes: Vec<u8>| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], &bytes].concat();
        let one = [&[0][..], &self.certificates.id(), &at, &[0, 0, 4, 3], &counted(signature)].concat();
        let list = counted(counted(one));
        assert!(list.len() < 128, "the short form of a length");
        [&[0x04, u8::try_from(list.len()).unwrap()], &list[..]].concat()
    }

    /// What the log promises about `body`, which came to it `at` this second, as cosign's annotation has it.
    pub fn promise(&self, body: &Value, at: i64) -> Value {
        self.promise_at(body, at, 7)
    }

    /// The same about the entry of this number.
    pub fn promise_at(&self, body: &Value, at: i64, index: usize) -> Value {
        let body = STANDARD.encode(body.to_string());
        let id = hex(&self.entries.id());
        let entry = format!(r#"{{"body":"{body}","integratedTime":{at},"logID":"{id}","logIndex":{index}}}"#);
        json!({
            "SignedEntryTimestamp": STANDARD.encode(self.entries.sign(entry.as_bytes())),
            "Payload": { "body": body, "integratedTime": at, "logIndex": index, "logID": id },
        })
    }
}

/// The first element of a sequence whose length has two bytes.
fn first_inside(der: &[u8]) -> &[u8] {
    assert_eq!(der[..2], [0x30, 0x82]);
    assert_eq!(der[4..6], [0x30, 0x82]);
    let length = usize::from(u16::from_be_bytes([der[6], der[7]]));
    &der[4..8 + length]
}
